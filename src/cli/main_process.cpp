#include "cli/main_process.h"

#include <utility>
#include "libpm/os/time.h"

namespace pm::notify {

using namespace registry;

namespace {
/** The time limit for moving registrations: the notifier reads no message meanwhile. */
constexpr uint32_t moving_ms = 1000;
} // namespace

void MainProcess::set(pid_t pid, struct ucred const &sender) noexcept {
  if (pid == get().pid()) return;
  auto const number = Text<16>() << pid;
  std::optional<ServiceProcess> next;
  if (pid != program_.pid() || program_has_ended_) {
    auto found = ServiceProcess::of(pid);
    if (!found) return log_->warn_of(found.error(), (Text<32>("MAINPID=") << pid).view());
    // Such a user could send the process the same signals itself.
    if (!found->belongs_to(sender.uid))
      return log_->warn("ignored MAINPID=", number.view(), ": it is not a process of uid ", (Text<16>() << sender.uid).view());
    next = std::move(*found);
  }
  former_ = ProcessName{get().pid(), get().start()};
  former_tokens_ = tokens_.size();
  other_ = std::move(next);
  log_->inform("the main process is ", number.view());
  moves_ = true;
  move();
}

void MainProcess::be_ready() noexcept {
  is_ready_ = true;
  moves_ = moves_ || other_;
  if (moves_) move();
}

void MainProcess::move() noexcept {
  auto const tree = Tree::open(registry_);
  // Without a registry there are no registrations.
  if (!tree && tree.error().code == ENOENT) {
    moves_ = false;
    return;
  }
  auto moved = tree ? Answer<void>() : fail(tree);
  if (moved && former_) moved = move_from(*tree, *former_);
  if (moved) moved = move_from(*tree, {program_.pid(), program_.start()});
  if (!moved) {
    auto const *error = std::get_if<SysError>(&moved.error());
    if (!tree && tree.error().code == EPERM) log_->warn(registry_, " is writable by group or others: refusing to use it");
    else if (error) log_->warn_of(*error, registry_);
    else
      log_->warn("unable to move the registrations in ", registry_,
                 ": refused: ", explain(*std::get_if<Refusal>(&moved.error())).view());
    return pause_.begin();
  }
  moves_ = false;
  former_.reset();
  message::Descriptors gone;
  tokens_.give(std::exchange(former_tokens_, 0), gone);
}

Answer<void> MainProcess::move_from(Tree const &tree, ProcessName const &from) noexcept {
  if (from.pid == get().pid() && from.start == get().start()) return {};
  auto token = move_registrations(tree, from, get(), is_ready_, time_limit(moving_ms));
  if (!token) return fail(token);
  if (token->valid()) (void)tokens_.add(token->release());
  return {};
}

bool MainProcess::has_ended() noexcept {
  program_has_ended_ = program_has_ended_ || program_.has_ended();
  if (other_ && other_->has_ended()) {
    log_->inform("the main process ", (Text<16>() << other_->pid()).view(), " has ended");
    other_.reset();
    tokens_.clear();
    former_tokens_ = 0;
    former_.reset();
    moves_ = false;
  }
  return program_has_ended_ && !other_;
}

} // namespace pm::notify
