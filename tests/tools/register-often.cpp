// register-often REGISTRY PROCESSES SERVICES: each process registers so many services at once, ends the registrations, and does so again,
// without a pause, also when it is refused. Runs until it is killed.

#include <unistd.h>
#include "cli/program.h"
#include "include/pm.h"
#include "libpm/os/process.h"
#include "libpm/util/text.h"

using namespace pm;

namespace {

[[noreturn]] void register_often(char const *path, List<struct pm_service> const &services) noexcept {
  for (;;) {
    pm_registry *registry;
    if (pm_open(&registry, path, 0) < 0) die(exits::system, pm_last_error()->message);
    pm_register(registry, services.begin(), services.size(), 0, -1, -1);
    pm_close(registry);
  }
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "register-often";
  if (argc != 4) die(exits::usage, "register-often REGISTRY PROCESSES SERVICES");
  List<Text<16>> names;
  for (unsigned i = 0; i < number<unsigned>(argv[3]).value_or(0); ++i)
    if (!names.append(Text<16>("often") << i)) die_no_memory();
  List<struct pm_service> services;
  for (auto &name : names)
    if (!services.append({name.c_str(), "none", 0})) die_no_memory();
  for (unsigned i = 1; i < number<unsigned>(argv[2]).value_or(0); ++i)
    if (sys::fork() == 0) break;
  register_often(argv[1], services);
}
