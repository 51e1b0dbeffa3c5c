/** This host's registrations in etcd, as pm-etcd-publish keeps them: pm-cluster(7). */
#pragma once

#include "etcd/host_claim.h"
#include "etcd/outage.h"
#include "libpm/util/keyed_set.h"

namespace pm::etcd {

/** A key of this host: what its value should be, and what etcd has. */
struct PublishedKey : Keyed<PublishedKey> {
  List<char> name;
  Published published;    /**< views `name`, and the policy */
  bool is_wanted = false; /**< this registration exists */
  bool is_queued = false;
  bool is_seen = false;     /**< etcd had the key when all were compared the last time */
  List<char> value, stored; /**< empty: none; `stored`: what etcd has under the lease */
};

/** An error is reported and tried again; a lost lease is replaced. */
class Publisher {
 public:
  /** Borrows all three. */
  Publisher(Gateway &gateway, PublisherSettings const &settings, Log &log) noexcept
      : gateway_(&gateway), settings_(&settings), log_(&log), outage_(log), claim_(gateway, settings, log) {}

  /** Reads a line of pm-watch. False: out of memory. */
  [[nodiscard]] bool read(std::string_view line) noexcept;
  /** Does all that is due. `stop`: a descriptor that ends it when it is readable. */
  void work(int stop) noexcept;
  /** The time until work() is due, in ms, as poll(2) takes it. It is also due when something has arrived from etcd. */
  [[nodiscard]] int left() noexcept;
  /** Whether the snapshot of pm-watch is in etcd. */
  [[nodiscard]] bool is_complete() const noexcept { return claim_.is_held() && has_snapshot_ && changes_.empty(); }
  /** Ends the lease, and so removes all keys of this host. */
  void revoke() noexcept;

 private:
  [[nodiscard]] bool is_due() noexcept;
  [[nodiscard]] Reply<void> step(int stop) noexcept;
  [[nodiscard]] Reply<void> compare(int stop) noexcept;
  [[nodiscard]] Reply<void> put_some(int stop) noexcept;
  [[nodiscard]] PublishedKey *key_of(std::string_view name) noexcept;
  [[nodiscard]] bool queue(PublishedKey &key) noexcept;
  [[nodiscard]] bool add_operations(KeyTransaction &transaction, PublishedKey const &key) const noexcept;

  Gateway *gateway_;
  PublisherSettings const *settings_;
  Log *log_;
  Outage outage_;
  HostClaim claim_;
  KeyedSet<PublishedKey> keys_;
  List<PublishedKey *> changes_; /**< which may differ from etcd */
  bool has_snapshot_ = false, is_bad_line_reported_ = false;
  Deadline compare_;
};

} // namespace pm::etcd
