// by-service, called by the name of a program: that program, with -S before its arguments.

#include <pm/base/program.h>
#include <stdlib.h>
#include <unistd.h>

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "by-service";
  std::string_view const called(argc ? argv[0] : "");
  size_t const slash = called.rfind('/');
  auto const name =
      slash == std::string_view::npos ? called : std::string_view(called.data() + slash + 1, called.size() - slash - 1);
  char const *const build = ::getenv("PM_BUILD");
  Text<4200> path(build ? build : "");
  // The build with faults is a folder below it, here as there.
  if (called.find("/fault/") != std::string_view::npos) path << "/fault";
  path << '/' << name;
  List<char const *> words;
  if (!words.append(path.c_str())) die_no_memory();
  // --help and --version are answers to nothing but themselves.
  if (argc < 2 || !std::string_view(argv[1]).starts_with("--") || std::string_view(argv[1]) == "--")
    if (!words.append("-S")) die_no_memory();
  for (int i = 1; i <= argc; ++i)
    if (!words.append(argv[i])) die_no_memory();
  ::execv(path.c_str(), const_cast<char *const *>(words.begin()));
  die_sys({errno, "execute"}, path.view());
}
