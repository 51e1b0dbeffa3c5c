// Writer::subscribe: a place among those who hear of changes, counted against its user.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/registry/writer.h>

namespace pm::registry {

/** Counts what the directory says first, and only where that is too much what is still alive of it. */
Answer<void> Writer::check_listeners(std::string_view owner, Policy const &policy) noexcept {
  for (bool const swept : {false, true}) {
    if (swept)
      if (auto const done = sweep_listeners(owner, true); !done) return fail(done);
    uint32_t count = 0;
    auto const read = each_entry(dir_, layout::listeners_of(owner).c_str(), [&](int, char const *, unsigned char) noexcept {
      ++count;
      return Done();
    });
    if (!read) return fail(read);
    if (count < policy.per_user) return {};
  }
  return refuse(Refusal::user_limit, 0, policy.per_user);
}

Done Writer::count_listener(std::string_view service, std::string_view owner, std::string_view fifo) noexcept {
  constexpr char const *doing = "subscribe";
  auto const directory = layout::listeners_of(owner);
  if (sys::mkdirat(dir_, directory.c_str(), 0755) < 0 && errno != EEXIST) return failed(doing);
  auto const path = layout::fifodir(service) << '/' << fifo;
  auto const link = Path(directory) << '/' << service << ':' << fifo;
  if (sys::linkat(dir_, path.c_str(), dir_, link.c_str(), 0) == 0) return {};
  auto const failure = failed(doing);
  sys::unlinkat(dir_, path.c_str(), 0);
  return failure;
}

Answer<fifodir::Subscription> Writer::subscribe(std::string_view service, uid_t uid, Policy const &policy) noexcept {
  if (!service.empty() && !is_service_name(service)) return refuse(Refusal::bad_name);
  auto const owner = owner_name(uid);
  bool const counted = policy.per_user != 0;
  if (counted)
    if (auto const allowed = check_listeners(owner.view(), policy); !allowed) return fail(allowed);
  if (!service.empty()) {
    struct stat st;
    bool const is_new = sys::fstatat(dir_, layout::service(service).c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0;
    if (is_new && counted) sweep_idle_services();
    if (auto const made = make_directories(service); !made) return fail(made);
  }
  auto subscription = fifodir::subscribe(dir_, layout::fifodir(service).c_str(), 0600);
  if (!subscription) return fail(subscription);
  if (counted) {
    if (auto const done = count_listener(service, owner.view(), subscription->name.view()); !done) return fail(done);
    if (auto const swept = sweep_listeners(owner.view(), false); !swept) return fail(swept);
  }
  return std::move(*subscription);
}

Done Writer::unsubscribe(std::string_view service, std::string_view name) noexcept {
  auto const path = layout::fifodir(service) << '/' << name;
  if (sys::unlinkat(dir_, path.c_str(), 0) < 0 && errno != ENOENT) return failed("end a subscription");
  if (!service.empty()) prune(service, unnamed_owner);
  return {};
}

} // namespace pm::registry
