#include "cli/rpc_options.h"

#include <fcntl.h>
#include "libpm/os/sys.h"
#include "libpm/rpc/names.h"
#include "libpm/rpc/resolve.h"

namespace pm::rpc {

void MapperSettings::find_host(int family) noexcept {
  deadline = time_limit(timeout);
  if (!host) return;
  auto const found = resolve(host, family, deadline);
  if (!found) die_sys(found.error(), host);
  mapper.host = *found;
}

void MapperSettings::die(CallFailure const &failure, std::string_view doing, std::string_view program) const noexcept {
  Text<300> where("the port mapper");
  if (host) where << " of " << host;
  if (auto const *error = std::get_if<SysError>(&failure)) die_sys(*error, where.view());
  auto const &reply = *std::get_if<RpcReply>(&failure);
  bool const broken = reply.fate == RpcReply::Fate::accepted && reply.status == Accept::system_error;
  pm::die(broken ? exits::system : exits::no, "unable to ", doing, program.empty() ? "" : " ", program, ": ", where.view(),
          " answered: ", explain(reply).view());
}

// This does not use getrpcbyname_r(3): musl lacks it, and glibc's loads shared objects, even in a static program.
std::string_view program_argument(std::string_view name, List<char> &file) noexcept {
  constexpr char path[] = "/etc/rpc";
  if (number<uint32_t>(name)) return name;
  if (file.empty()) {
    Fd const fd(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
    ssize_t n = -1;
    char bytes[4096];
    while (fd.valid() && (n = sys::read(fd.get(), bytes, sizeof bytes)) > 0)
      if (!append(file, {bytes, static_cast<size_t>(n)})) die_no_memory();
    if (n < 0) die_sys({errno, "read"}, path);
  }
  auto const found = program_named({file.begin(), file.size()}, name);
  if (!number<uint32_t>(found)) Argument{"PROGRAM", name}.refuse("neither a number nor a name in /etc/rpc");
  return found;
}

ProgramVersion program_and_version(char const *const *operands) noexcept {
  List<char> names;
  return {*number<uint32_t>(program_argument(operands[0], names)), number_from({"VERSION", operands[1]}, 0, UINT32_MAX)};
}

} // namespace pm::rpc
