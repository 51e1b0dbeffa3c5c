#include <pm/registry/refusal.h>

namespace pm::registry {

Text<128> explain(Refused const &refused) noexcept {
  Text<128> text;
  switch (refused.why) {
    case Refusal::bad_name: return text << "not the name of a service (1 to 127 of A-Z a-z 0-9 . _ - @ +, no . first)";
    case Refusal::rule: return text << "the rules do not allow you this name";
    case Refusal::conflict: return text << "it is registered already, and one of the two is exclusive";
    case Refusal::process_limit: return text << "this process has reached its limit of " << refused.limit << " registrations";
    case Refusal::user_limit: return text << "this user has reached the limit of " << refused.limit;
    case Refusal::too_many: return text << "more than " << refused.limit << " registrations at once";
    case Refusal::not_found: return text << "not registered";
    case Refusal::unknown_process:
      return text << "the registry's service cannot see your process: it is in another pid namespace";
    case Refusal::gone: return text << "the process that asked has ended";
  }
  bug("a refusal without a reason");
}

} // namespace pm::registry
