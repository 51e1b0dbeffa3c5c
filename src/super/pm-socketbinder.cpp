// Bind a Unix socket and listen on it; then become PROG, to which it is standard input.

#include <pm/base/program.h>
#include <pm/super/bind.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-d | -D] [-b BACKLOG] [-a MODE] ADDRESS PROG...\n"
    "  -d          replace the path if no server lives there (default)\n"
    "  -D          refuse any path that exists\n"
    "  -b BACKLOG  connections that may wait to be accepted (default 128; 0: bind, and do not listen)\n"
    "  -a MODE     permissions of the path, in octal (default 777)\n"
    "ADDRESS: PATH local:PATH local:@NAME\n"
    "exit codes: 0 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-socketbinder", argc, argv, help);
  Options options(argc, argv, "dDb:a:", help);
  BindOptions wanted;
  for (int letter; (letter = options.next()) >= 0;) read_bind_option(options, letter, wanted);
  char const *const *const arguments = options.arguments(2);
  auto const name = LocalAddress::argument(options, arguments[0]);

  auto const bound = bind_local(name, wanted);
  if (!bound) die_sys(bound.error(), arguments[0]);
  // Not close-on-exec there. It cannot have the number: that is taken.
  if (sys::dup2(bound->fd.get(), 0) < 0) {
    SysError const error = {errno, "have descriptor 0 for"};
    remove_path(*bound, name);
    die_sys(error, arguments[0]);
  }
  int const code = Environment().exec(arguments + 1);
  remove_path(*bound, name);
  return code;
}
