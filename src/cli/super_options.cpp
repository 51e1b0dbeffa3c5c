#include "cli/super_options.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <utility>
#include "cli/given_sockets.h"
#include "cli/readiness.h"
#include "libpm/os/stream.h"

namespace pm::super {

void as_owner(Argument const &argument, BindOptions &options) noexcept {
  auto const [user, group, found] = cut(argument.text, ':');
  if (found ? group.empty() : user.empty()) argument.refuse_unless("USER, USER:GROUP or :GROUP");
  if (!user.empty()) as_user({argument.name, user}, options.owner.emplace());
  if (found) as_group({argument.name, group}, options.group.emplace());
}

void as_interface(Argument const &argument, char const *&interface) noexcept {
  if (argument.text.empty() || argument.text.size() >= IFNAMSIZ || argument.text.find_first_of("/ \t\n") != argument.text.npos)
    argument.refuse_unless("1 to 15 bytes, without a slash and blanks");
  interface = argument.text.data();
}

namespace {
constexpr char listen_name_rule[] = "NAME must be 1 to 255 bytes of ASCII without colons and control bytes";

void refuse_more(SocketBindings const &sockets) noexcept {
  if (sockets.full()) refuse("more than 64 sockets");
}
} // namespace

void add_socket(SocketBindings &sockets, Argument const &address, std::string_view name) noexcept {
  refuse_more(sockets);
  // The address is the end of a command-line argument, so it is NUL-terminated.
  sockets.add(name, socket_address(address, 0), address.text.data());
}

void add_named_socket(Argument const &argument, SocketBindings &sockets) noexcept {
  auto const [name, address, found] = cut(argument.text, '=');
  if (!found) argument.refuse_unless("NAME=ADDRESS");
  if (!is_listen_name(name)) argument.refuse(listen_name_rule);
  add_socket(sockets, {argument.name, address}, name);
}

void add_inherited_socket(Argument const &argument, SocketBindings &sockets) noexcept {
  refuse_more(sockets);
  if (!is_listen_name(argument.text)) argument.refuse(listen_name_rule);
  sockets.add_inherited(argument.text);
}

void bind_or_die(SocketBindings &sockets, BindSettings const &settings, bool warns) noexcept {
  bool const some_may_fail = settings.some_may_fail && sockets.size() > 1;
  auto const goes_on = [&](SysError error, std::string_view written) noexcept {
    if (some_may_fail && warns) warn_sys(error, written);
    return some_may_fail;
  };
  if (auto const bound = sockets.bind(settings, goes_on); !bound) {
    if (sockets.failed_at().empty()) die_of_listen_fds(bound.error());
    die_sys(bound.error(), sockets.failed_at());
  }
  if (!settings.print_addresses) return;
  auto const lines = sockets.addresses();
  auto const printed = lines ? write_all(1, {lines->begin(), lines->size()}, Deadline()) : Done(fail(lines));
  if (printed) return;
  sockets.remove_paths();
  die_sys({printed.error().code, "write to"}, "standard output");
}

WorkerSocket worker_socket(Argument const &address, BindOptions const &binding) noexcept {
  WorkerSocket socket;
  if (address.text.starts_with("fd:")) {
    auto const n = number<int>(cut(address.text, ':').tail);
    if (!n) address.refuse("fd:N: N must be the number of a descriptor");
    socket.bound.fd.reset(*n);
    return socket;
  }
  socket.name = local_address(address);
  auto made = bind_socket(*socket.name, binding);
  if (!made) die_sys(made.error(), socket.name->local_name().view());
  socket.bound = std::move(*made);
  return socket;
}

void as_starts(Argument const &argument, SuperOptions &options) noexcept {
  as_rate(argument, options.starts, options.starts_ms, most_connections);
}

void as_failures(Argument const &argument, SuperOptions &options) noexcept {
  auto const [ms, codes, has_codes] = cut(cut(argument.text, '/').tail, '/');
  size_t const rate_size = argument.text.size() - (has_codes ? codes.size() + 1 : 0);
  as_rate({argument.name, {argument.text.data(), rate_size}}, options.failures, options.failures_ms, most_connections);
  options.failed = has_codes ? ExitCodes() : ExitCodes::of_errors();
  for (Cut rest = {{}, codes, has_codes}; rest.found;) {
    rest = cut(rest.tail, ',');
    auto const range = cut(rest.head, '-');
    auto const first = number<uint8_t>(range.head), last = range.found ? number<uint8_t>(range.tail) : first;
    if (!first || !last || *first == 0 || *first > *last)
      argument.refuse_unless("N/MS or N/MS/CODES; CODES: exit codes 1 to 255 and ranges M-N, with commas between them");
    for (uint32_t code = *first; code <= *last; ++code) options.failed.add(code);
  }
}

void check_ready(SuperOptions const &options) noexcept {
  if (options.ready == 0) refuse("-N 0: connections come from descriptor 0");
  check_readiness(options.ready);
}

void add_environment(ProcessIdentity &identity) noexcept {
  auto const variable = [](char const *name) noexcept {
    char const *const text = ::getenv(name);
    if (!text) refuse("-U: ", name, " is not in the environment");
    return Argument{name, text};
  };
  auto const user = number_from(variable("UID"), 0, UINT32_MAX - 1), group = number_from(variable("GID"), 0, UINT32_MAX - 1);
  Argument const list = variable("GIDLIST");
  List<gid_t> groups;
  for (Cut rest = {{}, list.text, !list.text.empty()}; rest.found;) {
    rest = cut(rest.tail, ',');
    auto const n = number<gid_t>(rest.head);
    if (!n) list.refuse_unless("numbers with commas between them");
    if (!groups.append(*n)) die_no_memory();
  }
  if (!identity.user) identity.user = user;
  if (!identity.group) identity.group = group;
  if (!identity.groups) identity.groups = std::move(groups);
  for (char const *const name : {"UID", "GID", "GIDLIST"}) ::unsetenv(name);
}

} // namespace pm::super
