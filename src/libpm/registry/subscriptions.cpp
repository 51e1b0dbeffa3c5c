#include "libpm/registry/subscriptions.h"

#include <fcntl.h>
#include "libpm/registry/limits.h"
#include "libpm/registry/service_directories.h"
#include "libpm/registry/sweeper.h"

namespace pm::registry {

namespace {

/** Links the FIFO into listener/UID, where the user's listeners are counted. If that fails, removes the FIFO. */
Done count_listener(Transaction &transaction, std::string_view service, std::string_view owner, std::string_view fifo) noexcept {
  constexpr char const *doing = "subscribe";
  int const dir = transaction.dir();
  auto const directory = layout::listeners_of(owner);
  if (auto const made = make_directory(transaction, directory, doing); !made) return made;
  auto const path = layout::fifodir(service) << '/' << fifo;
  auto const link = Path(directory) << '/' << service << ':' << fifo;
  if (sys::linkat(dir, path.c_str(), dir, link.c_str(), 0) == 0) return {};
  auto const failure = failed(doing);
  sys::unlinkat(dir, path.c_str(), 0);
  return failure;
}

} // namespace

Answer<fifodir::Subscription> subscribe(Transaction &transaction, std::string_view service) noexcept {
  if (!service.empty()) {
    if (!is_service_name(service)) return refuse(Refusal::bad_name);
    if (auto const made = make_service_fifodir(transaction, service); !made) return fail(made);
  }
  auto subscription = fifodir::subscribe(transaction.dir(), layout::fifodir(service).c_str(), 0600, fifodir::ListenerKind::lines);
  if (!subscription) return fail(subscription);
  return static_cast<fifodir::Subscription &&>(*subscription);
}

Answer<fifodir::Subscription> subscribe_within(Transaction &transaction, std::string_view service, uid_t uid,
                                               Policy const &policy) noexcept {
  auto const owner = owner_name(uid);
  if (auto const admitted = admit_listener(transaction, owner.view(), policy); !admitted) return fail(admitted);
  Sweeper sweeper(transaction, Sweeper::Extent::passing);
  struct stat st;
  if (!service.empty() && sys::fstatat(transaction.dir(), layout::service(service).c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    sweeper.idle_services();
  auto subscription = subscribe(transaction, service);
  if (!subscription) return subscription;
  auto const counted = count_listener(transaction, service, owner.view(), subscription->name.view());
  if (!counted) return fail(counted);
  if (auto const swept = sweeper.listeners(owner.view()); !swept) return fail(swept);
  return subscription;
}

Done unsubscribe(Transaction &transaction, std::string_view service, std::string_view name) noexcept {
  auto const path = layout::fifodir(service) << '/' << name;
  if (sys::unlinkat(transaction.dir(), path.c_str(), 0) < 0 && errno != ENOENT) return failed("end a subscription");
  if (!service.empty()) prune(transaction, service, unnamed_owner);
  return {};
}

} // namespace pm::registry
