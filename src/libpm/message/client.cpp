#include <pm/message/client.h>

#include <pm/base/local_address.h>
#include <pm/base/say.h>
#include <stdlib.h>
#include <string.h>

namespace pm::message {

namespace {
char const *path_of(char const *address) noexcept {
  return address + (strncmp(address, "local:", 6) == 0 ? 6 : 0);
}
} // namespace

Client::Client(Protocol const &protocol, char const *who, char const *variable, char const *address, unsigned again) noexcept
    : connection_(protocol), who_(who), again_(again) {
  char const *const other = ::getenv(variable);
  address_ = path_of(other && *other ? other : address);
}

void Client::read_option(Options const &options, int letter) noexcept {
  if (letter == 't') timeout_ = options.value_number();
  if (letter != 's') return;
  (void)LocalAddress::argument(options, options.value());
  address_ = path_of(options.value());
}

Status Client::connect() noexcept {
  if (!started_) deadline_ = Deadline::in(timeout_);
  started_ = true;
  if (connection_.state() == Connection::State::established) return Status::ok;
  connection_.reset();
  if (connection_.state() == Connection::State::unbound)
    if (auto const bound = connection_.set_endpoint(Connection::Mode::local, address_); bound != Status::ok) return bound;
  return connection_.connect(wait());
}

void Client::die(Status why) const noexcept {
  int const code = why == Status::timeout ? exits::timeout : why == Status::refused ? exits::no : exits::system;
  // What a system call says is more than what it comes to.
  bool const by_system = why == Status::no_endpoint || why == Status::denied || why == Status::system;
  bool const by_peer = why == Status::peer_error;
  pm::die(code, "unable to ask ", who_, " at ", address_, ": ",
          by_system ? std::string_view(strerror(connection_.error())) : describe(why), by_peer ? ": " : "",
          by_peer ? describe(connection_.peer_status()) : std::string_view());
}

} // namespace pm::message
