#include "libpm/registry/refusal.h"

namespace pm::registry {

namespace {
/** In the order of Refusal::Reason, each with a NUL after it; # stands for the limit or the pid. */
constexpr char reasons[] =
    "not the name of a service (1 to 127 of A-Z a-z 0-9 . _ - @ +, no . or - first)\0"
    "the rules do not allow you this name\0"
    "another registration exists, and one of the two is exclusive\0"
    "this process has reached its limit of # registrations\0"
    "this user has reached the limit of #\0"
    "more than # registrations at once\0"
    "not registered\0"
    "the registry's service cannot see the process: it is in another pid namespace, or /proc hides it (hidepid)\0"
    "the process that asked has ended\0"
    "process # does not exist\0"
    "process # belongs to another user\0"
    "the registry's service is in a user namespace that does not map your user";
} // namespace

Text<128> explain(Refusal const &refusal) noexcept {
  char const *reason = reasons;
  for (auto n = static_cast<unsigned>(refusal.reason); n; --n) reason += strlen(reason) + 1;
  auto const [before, after, has_limit] = cut(reason, '#');
  Text<128> text(before);
  if (has_limit) text << refusal.limit << after;
  return text;
}

} // namespace pm::registry
