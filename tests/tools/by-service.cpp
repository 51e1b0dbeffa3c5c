// by-service, called by the name of a program: that program, with -S before its arguments, but where they have -s, which names
// another service.

#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "by-service";
  // The path that was found: getauxval(3).
  std::string_view const called(reinterpret_cast<char const *>(::getauxval(AT_EXECFN)));
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
  bool through = argc < 2 || !std::string_view(argv[1]).starts_with("--") || std::string_view(argv[1]) == "--";
  for (int i = 1; i < argc; ++i) through = through && std::string_view(argv[i]) != "-s";
  if (through && !words.append("-S")) die_no_memory();
  for (int i = 1; i <= argc; ++i)
    if (!words.append(argv[i])) die_no_memory();
  ::execv(path.c_str(), const_cast<char *const *>(words.begin()));
  die_sys({errno, "execute"}, path.view());
}
