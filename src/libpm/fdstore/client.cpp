#include <pm/fdstore/client.h>

#include <pm/base/say.h>
#include <stdlib.h>
#include <string.h>

namespace pm::fdstore {

namespace {
constexpr char default_address[] = "/run/pm-fdstore/socket";
/** A store that ends a conversation so often does not become its next version: it does not want to talk. */
constexpr unsigned lost_max = 16;
} // namespace

Client::Client() noexcept {
  char const *const address = ::getenv("PM_FDSTORE");
  address_ = address && *address ? address : default_address;
}

Status Client::connect() noexcept {
  if (!started_) deadline_ = Deadline::in(timeout_);
  started_ = true;
  if (connection_.state() == Connection::State::established) return Status::ok;
  connection_.reset();
  std::string_view path = address_;
  if (path.starts_with("local:")) path.remove_prefix(6);
  if (connection_.state() == Connection::State::unbound)
    if (auto const bound = connection_.set_endpoint(Connection::Mode::local, path); bound != Status::ok) return bound;
  return connection_.connect(wait());
}

void Client::go_on_or_die(Status status) noexcept {
  if ((status == Status::closed || status == Status::lost) && ++lost_ < lost_max) return;
  int const code = status == Status::timeout ? exits::timeout : status == Status::refused ? exits::no : exits::system;
  // What a system call says is more than what it comes to.
  bool const by_system = status == Status::no_endpoint || status == Status::denied || status == Status::system;
  bool const by_peer = status == Status::peer_error;
  die(code, "unable to ask the store at ", address_, ": ",
      by_system ? std::string_view(strerror(connection_.error())) : describe(status), by_peer ? ": " : "",
      by_peer ? describe(connection_.peer_status()) : std::string_view());
}

} // namespace pm::fdstore
