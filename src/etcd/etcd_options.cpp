#include "etcd/etcd_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include "libpm/os/sys.h"

namespace pm::etcd {

void as_endpoints(Argument const &argument, EtcdSettings &settings) noexcept {
  for (Cut url = {{}, argument.text, true}; url.found;) {
    url = cut(url.tail, ',');
    size_t const scheme = url.head.starts_with("http://") ? 7 : url.head.starts_with("https://") ? 8 : 0;
    if (!scheme || url.head.size() == scheme || url.head.size() > 256 || has_control(url.head))
      argument.refuse_unless("http://HOST:PORT or https://HOST:PORT, with commas between them");
    if (url.head.back() == '/') url.head.remove_suffix(1);
    if (!settings.gateway.endpoints.append(url.head)) die_no_memory();
  }
}

void as_prefix(Argument const &argument, EtcdSettings &settings) noexcept {
  if (!KeySpace::is_prefix(argument.text)) argument.refuse_unless("/NAME or /NAME/NAME...");
  settings.keys = KeySpace(argument.text);
}

void as_credentials(Argument const &argument, EtcdSettings &settings) noexcept {
  Fd const file(sys::openat(AT_FDCWD, argument.text.data(), O_RDONLY | O_CLOEXEC, 0));
  struct stat status;
  if (!file.valid() || sys::fstat(file.get(), &status) < 0) die_sys({errno, "read"}, argument.text);
  if (status.st_mode & 07) die(exits::usage, argument.text, " is open to other users: refusing to use it");
  ssize_t const n = sys::read(file.get(), settings.credentials, sizeof settings.credentials);
  if (n < 0) die_sys({errno, "read"}, argument.text);
  Cut const line = cut({settings.credentials, static_cast<size_t>(n)}, '\n');
  if (!line.found && n == sizeof settings.credentials)
    die(exits::usage, argument.text, " has a first line of more than 511 bytes");
  auto const [user, password, found] = cut(line.head, ':');
  if (!found || user.empty()) die(exits::usage, argument.text, " does not begin with USER:PASSWORD");
  settings.gateway.user = user;
  settings.gateway.password = password;
}

void check_etcd(EtcdSettings const &settings) noexcept {
  if (settings.gateway.endpoints.empty()) refuse("missing option: -e");
  if (!settings.host) refuse("missing option: -n");
}

} // namespace pm::etcd
