// Writer::subscribe: a place among those who hear of changes.

#include <pm/registry/writer.h>

namespace pm::registry {

Answer<fifodir::Subscription> Writer::subscribe(std::string_view service) noexcept {
  if (!service.empty()) {
    if (!is_service_name(service)) return refuse(Refusal::bad_name);
    if (auto const made = make_directories(service); !made) return fail(made);
  }
  auto subscription = fifodir::subscribe(dir_, layout::fifodir(service).c_str(), 0600);
  if (!subscription) return fail(subscription);
  return std::move(*subscription);
}

Done Writer::unsubscribe(std::string_view service, std::string_view name) noexcept {
  auto const path = layout::fifodir(service) << '/' << name;
  if (sys::unlinkat(dir_, path.c_str(), 0) < 0 && errno != ENOENT) return failed("end a subscription");
  if (!service.empty()) prune(service, unnamed_owner);
  return {};
}

} // namespace pm::registry
