#include "cli/service_client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "libpm/net/abstract_name.h"
#include "libpm/os/retry.h"

namespace pm::message {

void as_local_text(Argument const &argument, char const *&text) noexcept {
  (void)local_address(argument);
  text = argument.text.data();
}

ServiceClient::ServiceClient(Protocol const &protocol, ServiceDefaults const &defaults, ServiceSettings const &settings,
                             unsigned again) noexcept
    : connection_(protocol),
      trusted_(&settings.trusted),
      name_(defaults.name),
      address_(settings.address),
      timeout_(settings.timeout),
      again_(again) {
  if (!address_) address_ = ::getenv(defaults.variable);
  if (!address_ || !*address_) address_ = defaults.address;
  if (strncmp(address_, "local:", 6) == 0) address_ += 6;
  // Before the first byte is sent.
  connection_.set_hook(
      [](void *self, PeerIdentity const &server) noexcept {
        auto &client = *static_cast<ServiceClient *>(self);
        if (client.trusted_->has(server.euid)) return true;
        client.stranger_ = server.euid;
        return false;
      },
      this);
}

Status ServiceClient::set_endpoint() noexcept {
  if (*address_ != '@') return connection_.set_endpoint(Connection::Mode::local, address_);
  auto const name = read_abstract_name(address_ + 1);
  if (!name) return Status::invalid_parameter;
  return connection_.set_endpoint(Connection::Mode::local, (Text<local_path_max + 1>("@") << name->view()).view());
}

Status ServiceClient::connect() noexcept {
  if (!started_) deadline_ = timeout_.start();
  started_ = true;
  if (connection_.state() == Connection::State::established) return Status::ok;
  for (Retry retry(AT_FDCWD, address_);;) {
    connection_.reset();
    if (connection_.state() == Connection::State::unbound)
      if (auto const bound = set_endpoint(); bound != Status::ok) return bound;
    auto const connected = connection_.connect(limit());
    if (connected != Status::no_endpoint || !timeout_.awaits()) return connected;
    if (!retry.wait(connection_.failure(connected).code, limit())) return Status::timeout;
  }
}

Text<1024> ServiceClient::explain(Status why) const noexcept {
  auto text = Text<1024>("unable to ask ") << name_ << " at " << address_ << ": ";
  if (stranger_) return text << explain_stranger(*stranger_).view();
  // For these the errno of the system call is more precise than the status.
  bool const by_system = why == Status::no_endpoint || why == Status::denied || why == Status::system;
  text << (by_system ? std::string_view(strerror(connection_.failure(why).code)) : describe(why));
  if (why == Status::peer_error) text << ": " << describe(connection_.refusal().status);
  return text;
}

void ServiceClient::die(Status why) const noexcept {
  bool const is_refused = why == Status::refused && !stranger_;
  int const code = why == Status::timeout && !stranger_ ? exits::timeout : is_refused ? exits::no : exits::system;
  pm::die(code, explain(why).view());
}

} // namespace pm::message
