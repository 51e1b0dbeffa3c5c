#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libpm/util/text.h"

namespace pm::fault {

namespace {
struct {
  char name[32];
  unsigned nth, count;
  Act act;
  int code;
  bool planned, happened, asked;
} state;

void plan_from_environment() noexcept {
  state.asked = true;
  char const *const text = ::getenv("PM_FAULT");
  if (!text) return;
  auto const [name, rest, one] = cut(text, ':');
  auto const [nth, act, two] = cut(rest, ':');
  Text<32> const copy(name == "*" ? "" : name);
  auto const code = number<int>(act);
  plan(copy.size() ? copy.c_str() : nullptr, number<unsigned>(nth).value_or(1),
       act == "stop"   ? Act::stop
       : act == "kill" ? Act::kill
                       : Act::fail,
       code.value_or(0));
}
} // namespace

void plan(char const *name, unsigned nth, Act act, int code) noexcept {
  state = {};
  if (name) snprintf(state.name, sizeof state.name, "%s", name);
  state.nth = nth;
  state.act = act;
  state.code = code;
  state.planned = act != Act::nothing;
  state.asked = true;
}

unsigned count() noexcept {
  return state.count;
}
bool happened() noexcept {
  return state.happened;
}

} // namespace pm::fault

int fault_before(char const *name) noexcept {
  using namespace pm::fault;
  if (!state.asked) plan_from_environment();
  if (state.name[0] && strcmp(state.name, name) != 0) return 0;
  // close(2) on Linux has closed the descriptor whatever it says.
  if (state.act == Act::fail && strcmp(name, "close") == 0) return 0;
  if (++state.count != state.nth || !state.planned) return 0;
  state.happened = true;
  if (char const *const file = ::getenv("PM_FAULT_HAPPENED")) ::close(::open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  switch (state.act) {
    case Act::fail: return state.code;
    case Act::stop: ::kill(::getpid(), SIGSTOP); return 0;
    case Act::kill: ::kill(::getpid(), SIGKILL); return 0;
    default: return 0;
  }
}
