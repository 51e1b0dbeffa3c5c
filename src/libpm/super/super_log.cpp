#include "libpm/super/super_log.h"

#include <sys/wait.h>
#include "libpm/net/server_users.h"
#include "libpm/super/rate.h"

namespace pm::super {

void SuperLog::failure(SysError error, std::string_view object) noexcept {
  if (options_.verbosity >= warnings) log_.warn_of(error, object);
}

void SuperLog::paused(Rate const &starts) noexcept {
  warn("pausing: ", (Text<64>() << starts.number() << " starts in " << starts.ms() << " ms").view());
}

void SuperLog::discarded(SockAddr const &socket, SockAddr const &sender, uint32_t programs) noexcept {
  AddressText const from = sender.text();
  warn("discarded a datagram to ", socket.text().view(), " from ",
       from.size() ? from.view() : std::string_view("a socket without a name"),
       (Text<48>(": ") << programs << " programs in a row left it unread").view());
}

void SuperLog::denied(std::string_view client, uint32_t count, ClientKey const &network) noexcept {
  Text<128> counted;
  counted << count << '/' << options_.most_of_one;
  if (network.kind == ClientKey::address) counted << " of " << network.text().view() << '/' << options_.prefixes.v6;
  warn("deny ", client, " count ", counted.view());
}

void SuperLog::not_accepted(int code) noexcept {
  warn("unable to accept a connection: ", strerror(code));
}

void SuperLog::refused_for(int code) noexcept {
  warn("refused a connection: ", strerror(code));
}

void SuperLog::worker_ended(int status) noexcept {
  warn("the worker has ended", WIFSIGNALED(status) ? " by a signal" : "");
}

void SuperLog::worker_refused(std::string_view why) noexcept {
  warn("the worker has refused a connection: ", why);
}

void SuperLog::worker_not_trusted(std::string_view address, uid_t user) noexcept {
  warn("unable to hand connections to ", address, ": ", explain_stranger(user).view());
}

void SuperLog::starting() noexcept {
  inform("starting");
  status();
}

void SuperLog::exiting() noexcept {
  inform("exiting");
}

void SuperLog::idle() noexcept {
  inform("idle, quitting");
}

void SuperLog::signal(std::string_view what) noexcept {
  inform("received ", what);
}

void SuperLog::allowed(std::string_view client, pid_t child, uint32_t count, bool is_client_known) noexcept {
  Text<64> counted;
  if (is_client_known) counted << count;
  else counted << '?';
  counted << '/' << options_.most_of_one;
  inform("allow ", client, " pid ", (Text<16>() << child).view(), " count ", counted.view());
  status();
}

void SuperLog::waiting(std::string_view client) noexcept {
  inform("wait ", client);
}

void SuperLog::started_on_datagrams(pid_t child) noexcept {
  inform("start pid ", (Text<16>() << child).view());
  status();
}

void SuperLog::handed_over(ClientKey const &client) noexcept {
  inform("handed over: ", client.text().view());
}

void SuperLog::ended(pid_t child, ClientKey const &client, int status_of_child) noexcept {
  Text<128> line;
  line << "end pid " << child << ' ' << client.text().view();
  if (WIFSIGNALED(status_of_child)) line << " signal " << WTERMSIG(status_of_child);
  else line << " exitcode " << WEXITSTATUS(status_of_child);
  inform(line.view());
  status();
}

/** The connections that are served, of how many, and with -W how many wait. */
Text<64> SuperLog::places() const noexcept {
  Text<64> text;
  text << counts_.count() << '/' << options_.most;
  if (options_.wait) text << ", waiting " << waiting_.count();
  return text;
}

void SuperLog::status() noexcept {
  inform("status: ", places().view());
}

void SuperLog::full_status() noexcept {
  Text<96> const totals = Text<96>(", started ") << started_ << ", refused " << refused_ << ", failed " << failed_;
  log_.inform("status: ", places().view(), totals.view());
}

} // namespace pm::super
