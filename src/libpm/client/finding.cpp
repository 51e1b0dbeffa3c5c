// pm_find, pm_connect, pm_executable, pm_wait.

#include <string.h>
#include <algorithm>
#include "libpm/client/pending_call.h"
#include "libpm/client/wanted.h"
#include "libpm/message/status.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/connect.h"
#include "libpm/registry/service_waiter.h"

namespace pm::client {

namespace {

/** Appends the registrations of the service, or of all services: matches() chooses among these. */
Done look_up(registry::Tree const &tree, WantedServices const &wanted, registry::LiveRegistrations &found) noexcept {
  auto const query = wanted.query();
  if (!query.service.empty()) return registry::lookup(tree, query, found);
  return registry::list(tree, {.services = {}, .owners = {}, .pids = {}, .trust = query.trust, .wants_exe = true}, found);
}

bool matches(WantedServices const &wanted, registry::Record const &record) noexcept {
  return (!wanted.version || record.version == *wanted.version) && (!wanted.netid || record.netid == name(*wanted.netid));
}

class ConnectCall {
 public:
  static constexpr bool closes_when_cancelled = true;
  WantedServices wanted;

  void run(registry::Tree const &tree, Limit limit) noexcept {
    auto reached = registry::connect(tree, wanted.query(), limit, found_);
    if (reached && *reached) {
      reached_ = std::move(**reached);
      return;
    }
    if (reached) {
      error_ = error_of(registry::Refusal{});
      return;
    }
    auto const *server = std::get_if<registry::UntrustedServer>(&reached.error());
    if (!server) {
      auto const failed = *std::get_if<SysError>(&reached.error());
      Text<256> const doing = Text<256>(failed.doing) << ' ' << wanted.service.view();
      error_ = message::error_of(SysError{failed.code, doing.c_str()});
      return;
    }
    auto const registration = found_[server->registration];
    error_ = message::error_of(Status::not_trusted, explain(*server, registration).view());
    error_.server_user = server->uid;
    error_.owner = number<uid_t>(registration.owner).value_or(static_cast<uid_t>(-1));
  }

  int finish(pm_registry &handle) noexcept {
    if (!reached_) return fail_and_close(handle, error_);
    forget_found(handle);
    if (!handle.found.add(found_[reached_->registration])) return fail(SysError{ENOMEM, "connect"});
    int const shown = show(handle, "connect");
    return shown < 0 ? shown : reached_->socket.release();
  }

 private:
  registry::LiveRegistrations found_;
  std::optional<registry::Reached> reached_;
  Error error_;
};

class WaitCall {
 public:
  static constexpr bool closes_when_cancelled = false;
  registry::WaitFor what = registry::WaitFor::up;
  bool any = false;
  List<WantedServices> wanted;

  void run(registry::Tree const &tree, Limit limit) noexcept {
    constexpr char const *doing = "wait for services";
    List<registry::Scope> scopes;
    for (auto const &one : wanted)
      if (!scopes.append(one.scope())) {
        error_ = error_of(SysError{ENOMEM, doing});
        return;
      }
    auto waiter = registry::ServiceWaiter::open(tree, what, any, {scopes.begin(), scopes.size()}, limit);
    if (!waiter) {
      error_ = error_of(waiter.error());
      return;
    }
    for (;;) {
      auto const met = waiter->step();
      if (!met) error_ = error_of(met.error());
      if (!met || *met) break;
      if (auto const ready = wait_for(waiter->fd(), POLLIN, limit); !ready) {
        error_ = error_of(SysError{ready.error().code, doing});
        return;
      }
    }
    if (error_) return;
    auto const copied = waiter->each([&](registry::LiveRegistration const &one) noexcept {
      if (!error_ && !found_.add(one)) error_ = error_of(SysError{ENOMEM, doing});
    });
    if (!copied) error_ = error_of(copied.error());
  }

  int finish(pm_registry &handle) noexcept {
    if (error_) return fail(*error_);
    forget_found(handle);
    handle.found = std::move(found_);
    return show(handle, "wait for services");
  }

 private:
  CopiedRegistrations found_;
  std::optional<Error> error_;
};

} // namespace

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_find(pm_registry *registry, const struct pm_query *query) {
  constexpr char const *doing = "look up";
  if (int const failed = begin(registry)) return failed;
  WantedServices wanted;
  if (int const refused = read_query(query, 0, wanted)) return refused;
  auto &found = registry->looked;
  found.clear();
  if (auto const looked = look_up(registry->tree, wanted, found); !looked) return client::fail(looked.error());
  forget_found(*registry);
  for (size_t i = 0; i < found.size(); ++i) {
    auto const one = found[i];
    if (matches(wanted, one.record) && !registry->found.add(one)) return client::fail(SysError{ENOMEM, doing});
  }
  return show(*registry, doing);
}

int pm_connect(pm_registry *registry, const struct pm_query *query, int timeout, int stop) {
  if (int const failed = begin(registry)) return failed;
  ConnectCall operation;
  if (int const refused = read_query(query, 0, operation.wanted)) return refused;
  if (operation.wanted.service.size() == 0) return client::fail(Status::invalid_parameter, "the query names no service");
  return call(registry, std::move(operation), timeout, stop);
}

int pm_wait(pm_registry *registry, int what, const struct pm_query *queries, size_t count, unsigned flags, int timeout,
            int stop) {
  if (int const failed = begin(registry)) return failed;
  WaitCall operation;
  switch (what) {
    case PM_UP: operation.what = registry::WaitFor::up; break;
    case PM_DOWN: operation.what = registry::WaitFor::down; break;
    case PM_CHANGED: operation.what = registry::WaitFor::change; break;
    default: return client::fail(Status::invalid_parameter, "not PM_UP, PM_DOWN or PM_CHANGED");
  }
  if (!count || flags & ~unsigned{PM_ANY}) return client::fail(Status::invalid_parameter, count ? "unknown flags" : "no query");
  operation.any = flags & PM_ANY;
  for (size_t i = 0; i < count; ++i) {
    WantedServices wanted;
    if (int const refused = read_query(&queries[i], i, wanted)) return refused;
    if (wanted.service.size() == 0) return client::fail(Status::invalid_parameter, "the query names no service");
    if (!operation.wanted.append(wanted)) return client::fail(SysError{ENOMEM, "wait for services"});
  }
  return call(registry, std::move(operation), timeout, stop);
}

int pm_executable(pm_registry *registry, pid_t process, char *path, size_t size, int *deleted) {
  if (int const failed = begin(registry)) return failed;
  auto const known = registry::announced(registry->tree, process);
  if (!known) return client::fail(known.error());
  if (!*known) return client::fail(Status::not_found, "the process has announced no executable");
  if (deleted) *deleted = (*known)->deleted;
  auto const text = (*known)->path.view();
  if (size) {
    size_t const most = std::min(text.size(), size - 1);
    memcpy(path, text.data(), most);
    path[most] = '\0';
  }
  return static_cast<int>(text.size());
}
