/** Writing a registry: for its owner only, in his process or in his service's. */
#ifndef PM_REGISTRY_WRITER_H
#define PM_REGISTRY_WRITER_H

#include <pm/base/address.h>
#include <pm/base/callback.h>
#include <pm/base/lock.h>
#include <pm/fifodir/listeners.h>
#include <pm/fifodir/subscription.h>
#include <pm/registry/layout.h>
#include <pm/registry/lookup.h>
#include <pm/registry/policy.h>
#include <pm/registry/refusal.h>
#include <pm/registry/registry.h>
#include <pm/registry/row.h>
#include <initializer_list>
#include <span>

namespace pm::registry {

/** How many old entries a write tests in each directory it writes, and unlinks if they are dead; and when it stops because these are alive. */
inline constexpr unsigned sweep_window = 16, sweep_probe = 2;

/** Who registers: what the kernel says of him. */
struct Registrant {
  uid_t uid;
  pid_t pid;
  uint64_t start;    /**< of the pid, pm::start_time */
  bool named = true; /**< the kernel names him; else `uid` means nothing, and the owner is `-` */
};

/** One registration wanted. */
struct Request {
  std::string_view service;
  Address address;
  uint32_t version = 0;
  bool exclusive = false;
};

/** What the registrations of one call have in common. */
struct Terms {
  bool reserve = false;             /**< hold the place now, be seen only once published */
  std::string_view holder = "self"; /**< as Record::holder */
  bool is_public = false;           /**< the executable is to be seen */
  std::string_view exe = {};        /**< the executable, where it is known already */
  bool deleted = false;             /**< and whether its file was gone */
};

/** What a call of add made. Whoever keeps the token open is registered, by all the tickets. */
struct Registration {
  Fd token;
  List<Ticket> tickets;
};

/**
 * The right to change the tree: its lock, held from begin() to the destructor. Every change is made so that a
 * process killed anywhere in it leaves a tree that readers read rightly and the next writer repairs: a registration
 * comes to life by its record's rename, the last step but the event, and only while its token is held.
 *
 * Made with umask 0, restored at the end: one at a time in a process, and no thread of it making files meanwhile.
 */
class Writer {
 public:
  /** EPERM: the caller is not the owner. ETIMEDOUT, ECANCELED as Lock::take. */
  [[nodiscard]] static Result<Writer> begin(Registry const &registry, Deadline deadline, int stop = -1) noexcept;
  /** The same, by the file that end() gave, so long as it is that; without one, one is opened. */
  [[nodiscard]] static Result<Writer> begin_again(Registry const &registry, Fd file, Deadline deadline) noexcept;
  Writer(Writer &&other) noexcept;
  Writer &operator=(Writer &&) = delete;
  ~Writer();

  /** Ends it, with the lock's file for begin_again(). */
  [[nodiscard]] Fd end() noexcept { return lock_.release(); }

  /**
   * The name of the caller's own listener of the registry, which hears nothing of what it does; it must outlive this. `alone`:
   * it is known that nobody else listens there, nor could without the lock. `idle`: so it is that no service which may have rows
   * has a directory, so that nobody else has registered under such a name, nor waits for one.
   */
  void spare(std::string_view listener, bool alone, bool idle) noexcept {
    spared_ = listener;
    alone_ = alone;
    idle_ = idle;
  }

  /** Rows are alive again: waiters are told `u` for each. Whoever has taken their token up does that, before he lets the lock go. */
  [[nodiscard]] Done announce_rows() noexcept;

  /** Registers all that is asked for, or nothing. Exclusive ones of one call do not exclude each other. Waiters are told `u`. */
  [[nodiscard]] Answer<Registration> add(Registrant const &who, std::span<Request const> requests, Terms const &terms) noexcept;
  /**
   * Registers a row, of a service that may have them: its token is one more link of layout::onc, so no descriptor is given. `since`
   * becomes what its record says. Waiters are told `u`. ENAMETOOLONG: the address is too long for a file's name.
   */
  [[nodiscard]] Answer<Ticket> add_row(Registrant const &who, Request const &request, std::string_view holder,
                                       uint64_t &since) noexcept;
  /** Removes a row, by its path; waiters are told `d`. Whether it was there. */
  [[nodiscard]] Result<bool> remove_row(char const *row, std::string_view service, std::string_view owner) noexcept;

  /** Whether a policy lets him register that as well; ask before add. bad_name, rule, process_limit, user_limit. */
  [[nodiscard]] Answer<void> admit(Registrant const &who, std::span<Request const> requests, Policy const &policy) noexcept;

  /**
   * Announces the executable of process `who`, in place of what it announced before: a registration without a name, known by
   * the pid alone. Waiters of the registry are told.
   */
  [[nodiscard]] Answer<Registration> announce(Registrant const &who, Terms const &terms) noexcept;
  /** Whether a policy lets him announce; ask before. It counts as a registration: process_limit, user_limit. */
  [[nodiscard]] Answer<void> admit_announcement(Registrant const &who, Policy const &policy) noexcept;

  /**
   * Makes reserved registrations seen; one that is already, or was removed meanwhile, is left alone. not_found: all were
   * removed. Waiters are told `u`.
   */
  [[nodiscard]] Answer<void> publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept;

  /**
   * Removes one registration, reserved or published, whoever holds its token, and tells the holder by a byte. Waiters
   * are told `d` if it was published. Whether there was anything.
   */
  [[nodiscard]] Result<bool> remove(Ticket const &ticket) noexcept;

  /** Removes one owner's registrations of a service that the query asks for (its `whose` is not used). How many. */
  [[nodiscard]] Result<unsigned> remove_matching(std::string_view owner, Query const &query) noexcept;

  /** Makes a listener of `service`'s changes, or with "" of the whole registry's. bad_name. */
  [[nodiscard]] Answer<fifodir::Subscription> subscribe(std::string_view service) noexcept;
  /** The same for a user who has at most as many of them as he may have registrations: user_limit. */
  [[nodiscard]] Answer<fifodir::Subscription> subscribe_within(std::string_view service, uid_t uid,
                                                               Policy const &policy) noexcept;
  /** Ends a subscription by its name. */
  [[nodiscard]] Done unsubscribe(std::string_view service, std::string_view name) noexcept;

  /** Tests everything under one service, but rows; unlinks what is dead, and what writers that were killed left. How many entries went.
   * `announce`: waiters are told `d` for each that had been published. */
  [[nodiscard]] Result<unsigned> sweep_service(char const *service, bool announce = false) noexcept;
  /** Unlinks the rows of an owner that nobody can hold any more, and directories without any. */
  [[nodiscard]] Result<unsigned> sweep_rows(char const *owner) noexcept;
  /** The same for owner/UID of every owner, and for the registry's fifodir. */
  [[nodiscard]] Result<unsigned> sweep_owners() noexcept;
  /** The same for what was announced, and for the links to it. */
  [[nodiscard]] Result<unsigned> sweep_announcements() noexcept;

 private:
  Writer(Registry const &registry, Lock lock, mode_t umask) noexcept;

  [[nodiscard]] static OwnerName owner_of(Registrant const &who) noexcept;
  [[nodiscard]] static Result<Ticket> new_ticket(std::string_view service, std::string_view owner,
                                                 Registrant const &who) noexcept;
  [[nodiscard]] static Record record_of(Request const &request, Registrant const &who, Terms const &terms) noexcept;
  Done make_all(Registrant const &who, std::string_view owner, std::span<Request const> requests, Terms const &terms,
                Registration &made) noexcept;
  /** Takes back what make_all() made before it failed. */
  void take_back(Registration const &made) noexcept;
  /** Whether a directory is there, or could be made. */
  bool has_directory(Path const &path) noexcept;
  Done make_directories(std::string_view service) noexcept;
  /** Whether others may listen with FIFOs of their own making, without the lock. */
  Result<bool> has_group() noexcept;
  Done make_entry(Ticket const &ticket, Record const &record, bool reserve, char const *first_token, Fd &token) noexcept;
  /** An owner's that a query asks for, alive or not; counts them. */
  Done remove_rows(std::string_view owner, Query const &query, unsigned &removed) noexcept;
  Done link_row(Path const &path, std::string_view owner, std::string_view service) noexcept;
  /** Whether nobody has registered under a service's name, nor waits for it, or could. */
  Result<bool> is_idle(std::string_view service) noexcept;
  Done link_announcement(Ticket const &ticket, pid_t pid) noexcept;
  Done link_exclusive(Ticket const &ticket, Record const &record) noexcept;
  Done write_file(char const *path, Record const &record) noexcept;
  /** `idle`: as is_idle() says of the service. */
  Done open_listeners(std::string_view service, bool idle, fifodir::Listeners &listeners) noexcept;
  /** Renames the temporary record into place, with the event that belongs to it. */
  Done commit(Ticket const &ticket, std::string_view event) noexcept;

  /** Visits a service's living instances of one owner, reserved ones too. */
  Done each_living(std::string_view service, std::string_view owner,
                   Callback<Done(Ticket const &, Record const &)> visit) noexcept;
  Result<bool> conflicts(std::string_view owner, Request const &request) noexcept;
  Answer<void> check_limits(std::string_view owner, pid_t pid, size_t more, Policy const &policy) noexcept;

  Result<bool> prepare(Ticket const &ticket, std::string_view exe, bool deleted) noexcept;
  Result<bool> erase(Ticket const &ticket, bool announce) noexcept;
  /** Whether any of them was there. */
  Result<bool> unlink_each(std::initializer_list<char const *> paths) noexcept;
  Done unlink_exclusives(Ticket const &ticket) noexcept;
  Done unlink_exclusive(Ticket const &ticket, Record const &record) noexcept;
  Result<bool> same_token(char const *a, char const *b) noexcept;
  /** Unlinks an entry that is dead or was left by a killed writer; whether it did. */
  Result<bool> sweep_entry(Ticket const &ticket, bool whole, bool announce) noexcept;
  Result<unsigned> sweep_instances(std::string_view service, std::string_view owner, bool whole, bool announce = false) noexcept;
  Result<unsigned> sweep_owner(std::string_view owner, bool whole) noexcept;
  Result<unsigned> sweep_listeners(std::string_view owner, bool whole) noexcept;
  Result<unsigned> sweep_announcement_links(bool whole) noexcept;
  /** Where others may wait for services that are not there: unlinks what a few of those left who wait no more. */
  void sweep_idle_services() noexcept;
  /** Removes directories that have become empty, from the instance's up; whether the service's own was the last. */
  bool prune(std::string_view service, std::string_view owner) noexcept;

  Answer<void> check_listeners(std::string_view owner, Policy const &policy) noexcept;
  Done count_listener(std::string_view service, std::string_view owner, std::string_view fifo) noexcept;

  int dir_;
  Lock lock_;
  mode_t umask_;
  std::string_view spared_;
  bool alone_ = false, idle_ = false;
  bool active_ = true;
};

/** Sweeps a whole registry, taking the lock anew for each service so that others get their turn. How many entries went. */
[[nodiscard]] Result<unsigned> sweep(Registry const &registry, Deadline deadline, bool announce = false) noexcept;

} // namespace pm::registry

#endif
