#include "cli/notifier.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <utility>
#include "cli/left_behind.h"
#include "cli/say.h"
#include "libpm/os/limits.h"
#include "libpm/os/stream.h"

namespace pm::notify {

namespace {

constexpr char const *doing = "wait for messages";

/**
 * Before the times and the processes are looked at again. A queue has room for net.unix.max_dgram_qlen messages, by default 10 to
 * 512.
 */
constexpr int messages_max = 1024;
constexpr uint32_t reading_ms = 50;
/** For the messages that are left when the program has ended. */
constexpr uint32_t last_ms = 2000;
constexpr uint32_t silent_ms = 10000;

Text<24> text_of(pid_t pid) noexcept {
  return Text<24>("process ") << pid;
}

} // namespace

void PatientLog::prepare() noexcept {
  // O_NONBLOCK belongs to the open file description, which the program has too. So this opens the pipe a second time.
  struct stat st;
  if (sys::fstat(STDERR_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode)) return;
  Fd const own(sys::openat(AT_FDCWD, "/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (own.valid()) sys::dup2(own.get(), STDERR_FILENO);
}

void PatientLog::write(Level level, std::span<std::string_view const> words) noexcept {
  if (is_ready(STDERR_FILENO, POLLOUT).value_or(false)) StandardErrorLog().write(level, words);
}

void RefusedSenders::add(struct ucred const &sender) noexcept {
  ++count_;
  if (silent_.remaining() != 0) return;
  auto const text = Text<96>() << "refused " << count_
                               << (count_ == 1 ? " message, from process " : " messages, the last from process ") << sender.pid
                               << " of uid " << sender.uid;
  log_->warn(text.view());
  count_ = 0;
  silent_ = time_limit(silent_ms);
}

Done Notifier::run() noexcept {
  log_.prepare();
  DescriptorLimit limit;
  (void)limit.raise();
  if (auto const made = interrupter_.make(); !made) return made;
  watchdog_.set_interval(task_->watchdog_us);
  start_limit_ = time_limit(task_->start_ms);
  for (;;) {
    struct pollfd fds[] = {{task_->socket.fd(), POLLIN, 0}, {main_.program_fd(), POLLIN, 0}, {main_.other_fd(), POLLIN, 0}};
    int const wait = shorter(shorter(watchdog_.remaining(), start_limit_.remaining()), main_.wait());
    if (interrupter_.poll(fds, std::size(fds), wait) < 0) {
      // RLIMIT_NOFILE is now below 3. EINTR and ENOMEM are temporary.
      if (errno == EINVAL) return failed(doing);
      continue;
    }
    // Before the times are checked: a message may have come in time.
    read_messages(messages_max, time_limit(reading_ms));
    if (main_.has_ended()) break;
    check_times();
    if (main_.wait() == 0) main_.move();
  }
  read_messages(messages_max, time_limit(last_ms));
  return {};
}

void Notifier::read_messages(int most, Deadline until) noexcept {
  for (int i = 0; i < most && until.remaining() != 0; ++i) {
    auto const sender = task_->socket.sender();
    if (!sender && sender.error().code == EINTR) continue;
    if (!sender) return;
    if (!may_send(*sender)) {
      // A process that only waits until its messages were handled, as systemd-notify(1) does, gets the same answer.
      if (task_->socket.receive(nullptr) != "BARRIER=1") refused_.add(*sender);
      continue;
    }
    slow_files_.charge(sender->uid);
    message::Descriptors descriptors;
    auto const text = task_->socket.receive(slow_files_.may_give_more(sender->uid) ? &descriptors : nullptr);
    auto const message = text ? read_notify_message(*text) : std::nullopt;
    if (message) handle(*message, *sender, descriptors);
    else if (!text) log_.warn_of(text.error(), (Text<32>("of ") << text_of(sender->pid).view()).view());
    else log_.warn("ignored a message of ", text_of(sender->pid).view(), " with a NUL");
  }
}

bool Notifier::may_send(struct ucred const &sender) const noexcept {
  if (access_ == SenderAccess::none || sender.pid <= 0) return false;
  return main_.has_sent(sender) || (access_ == SenderAccess::all && main_.is_ancestor_of(sender.pid));
}

void Notifier::handle(NotifyMessage const &message, struct ucred const &sender, message::Descriptors &descriptors) noexcept {
  auto const who = text_of(sender.pid);
  if (!message.invalid.empty()) log_.warn("ignored, from ", who.view(), ": ", message.invalid);
  if (message.main) main_.set(*message.main, sender);
  if (message.access) access_ = *message.access;
  // A readiness that a later step delays is late.
  if (message.ready) be_ready(who.view());
  if (message.watchdog_us) watchdog_.set_interval(*message.watchdog_us == UINT64_MAX ? 0 : *message.watchdog_us);
  if (message.watchdog) watchdog_.start();
  if (message.extend && start_limit_.remaining() >= 0) {
    auto const later = deadline_in_us(*message.extend);
    if (later.remaining() < 0 || later.remaining() > start_limit_.remaining()) start_limit_ = later;
  }
  if (message.reloading) {
    is_reloading_ = true;
    log_.inform(who.view(), " is reloading");
  }
  if (message.stopping) {
    watchdog_.stop();
    log_.inform(who.view(), " is stopping");
  }
  if (message.status) log_.inform("status of ", who.view(), ": ", *message.status);
  if (message.error) log_.warn("error of ", who.view(), ": ", strerror(*message.error));
  if (message.trigger) send_signal(SIGABRT, "SIGABRT", "WATCHDOG=trigger");
  handle_descriptors(message, descriptors);
}

void Notifier::handle_descriptors(NotifyMessage const &message, message::Descriptors &descriptors) noexcept {
  auto const name = message.name.value_or(default_descriptor_name);
  // The sender waits until its descriptor is closed: the caller does that now, when all messages before have been handled.
  if (message.barrier) {
    if (descriptors.size() != 1) log_.warn("ignored BARRIER=1: it needs exactly one descriptor");
  } else if (message.stores || message.removes) {
    if (!kept_) return log_.warn("dropped descriptors: there is no store (-s)");
    if (message.removes) kept_->remove(name);
    else kept_->add(descriptors, name);
  } else if (descriptors.size()) {
    log_.warn("dropped descriptors that came without FDSTORE=1");
  }
}

void Notifier::be_ready(std::string_view sender) noexcept {
  start_limit_ = {};
  watchdog_.start();
  main_.be_ready();
  if (task_->ready.valid()) (void)!sys::write(task_->ready.get(), "\n", 1);
  task_->ready.reset();
  if (std::exchange(is_reloading_, false)) log_.inform(sender, " has reloaded");
}

void Notifier::check_times() noexcept {
  if (start_limit_.remaining() == 0) {
    start_limit_ = {};
    send_signal(SIGTERM, "SIGTERM", (Text<48>("no READY=1 in ") << task_->start_ms << " ms").view());
  }
  if (watchdog_.remaining() == 0) {
    auto const us = watchdog_.interval();
    watchdog_.start();
    send_signal(SIGABRT, "SIGABRT", (Text<64>("no WATCHDOG=1 in ") << us / 1000 << " ms").view());
  }
}

void Notifier::send_signal(int number, std::string_view name, std::string_view why) noexcept {
  auto const who = text_of(main_.get().pid());
  log_.warn(why, ": ", name, " to ", who.view());
  if (auto const sent = main_.get().signal(number); !sent && sent.error().code != ESRCH) log_.warn_of(sent.error(), who.view());
}

Done start_notifier(NotifierTask &task, char const *const *arguments) noexcept {
  auto own = ServiceProcess::of(::getpid());
  if (!own) return fail(own);
  int const kept[] = {own->fd(), task.socket.fd(), task.ready.get(), STDERR_FILENO};
  return leave_behind({"pm-notifier", ::getpid(), arguments, "start the process that receives messages"}, kept, [&]() noexcept {
    if (auto const ran = Notifier(task, std::move(*own)).run(); !ran) die_sys(ran.error(), "");
  });
}

} // namespace pm::notify
