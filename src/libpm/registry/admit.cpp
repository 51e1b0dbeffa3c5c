// What a policy lets others do: asked by the registry's service, under the lock, before it does it for them.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/registry/announced.h>
#include <pm/registry/writer.h>

namespace pm::registry {

Answer<void> Writer::check_limits(std::string_view owner, pid_t pid, size_t more, Policy const &policy) noexcept {
  if (!policy.per_process && !policy.per_user) return {};
  size_t const most_process = policy.per_process ? policy.per_process : SIZE_MAX;
  size_t const most_user = policy.per_user ? policy.per_user : SIZE_MAX;
  // First what the directory says; only where that is too much, what is still alive of it.
  for (bool const swept : {false, true}) {
    if (swept)
      if (auto const swept_owner = sweep_owner(owner, true); !swept_owner) return fail(swept_owner);
    size_t of_user = more, of_process = more;
    auto const opened = open_directory(dir_, layout::owner(owner).c_str());
    if (!opened && opened.error().code != ENOENT) return fail(opened);
    if (opened) {
      Entries entries(opened->get());
      while (of_user <= most_user && of_process <= most_process) {
        auto const name = entries.next();
        if (!name) return fail(name);
        if (!*name) break;
        ++of_user;
        if (pid_in(cut(*name, ':').tail) == pid) ++of_process;
      }
    }
    if (of_user <= most_user && of_process <= most_process) return {};
    if (!swept) continue;
    if (of_process > most_process) return refuse(Refusal::process_limit, 0, policy.per_process);
    return refuse(Refusal::user_limit, 0, policy.per_user);
  }
  return {};
}

Answer<void> Writer::admit(Registrant const &who, std::span<Request const> requests, Policy const &policy) noexcept {
  for (size_t i = 0; i < requests.size(); ++i) {
    std::string_view const service = requests.data()[i].service;
    if (!is_service_name(service)) return refuse(Refusal::bad_name, i);
    if (!policy.allows(service)) return refuse(Refusal::rule, i);
  }
  return check_limits(owner_name(who.uid).view(), who.pid, requests.size(), policy);
}

Answer<void> Writer::admit_announcement(Registrant const &who, Policy const &policy) noexcept {
  auto const owner = owner_name(who.uid);
  // In the place of one that counts already, it does not count again.
  auto const before = announcement_of(dir_, who.pid);
  struct stat st;
  bool const replaces = before && before->owner.view() == owner.view() &&
                        sys::fstatat(dir_, layout::owner_link(*before).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  return check_limits(owner.view(), who.pid, replaces ? 0 : 1, policy);
}

/** Counts what the directory says first, and only where that is too much what is still alive of it. */
Answer<void> Writer::check_listeners(std::string_view owner, Policy const &policy) noexcept {
  if (!policy.per_user) return {};
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

Answer<fifodir::Subscription> Writer::subscribe_within(std::string_view service, uid_t uid, Policy const &policy) noexcept {
  auto const owner = owner_name(uid);
  if (auto const allowed = check_listeners(owner.view(), policy); !allowed) return fail(allowed);
  struct stat st;
  if (!service.empty() && sys::fstatat(dir_, layout::service(service).c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    sweep_idle_services();
  auto subscription = subscribe(service);
  if (!subscription) return subscription;
  if (auto const done = count_listener(service, owner.view(), subscription->name.view()); !done) return fail(done);
  if (auto const swept = sweep_listeners(owner.view(), false); !swept) return fail(swept);
  return subscription;
}

} // namespace pm::registry
