#include "libpm/registry/lookup.h"

#include <limits.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/fifodir/token.h"
#include "libpm/os/directory.h"
#include "libpm/util/sort.h"

namespace pm::registry {

using fifodir::Life;

LiveRegistration LiveRegistrations::operator[](size_t i) const noexcept {
  auto registration = positions_[i].lengths.read(bytes_.begin() + positions_[i].at);
  registration.reserved = positions_[i].reserved;
  return registration;
}

std::string_view LiveRegistrations::name(size_t i) const noexcept {
  return positions_[i].lengths.name(bytes_.begin() + positions_[i].at);
}

void LiveRegistrations::clear() noexcept {
  bytes_.clear();
  positions_.clear();
}

bool LiveRegistrations::add(LiveRegistration const &registration) noexcept {
  size_t const at = bytes_.size();
  for (auto const text : TextLengths::texts_of(registration))
    if (!append(bytes_, text)) return false;
  return positions_.append({LookupOrder(registration.record), at, TextLengths(registration), registration.reserved});
}

void LiveRegistrations::sort_oldest_first(size_t first) noexcept {
  sort(std::span(positions_.begin() + first, positions_.end()), [this](Position const &a, Position const &b) noexcept {
    if (a.order != b.order) return a.order < b.order;
    char const *const texts = bytes_.begin();
    return a.lengths.name(texts + a.at) < b.lengths.name(texts + b.at);
  });
}

TrustedUids::TrustedUids(Tree const &tree, TrustedUsers users) noexcept : anyone_(users.kind() == TrustedUsers::Kind::anyone) {
  auto const add = [&](uid_t uid) noexcept {
    if (std::find(uids_, uids_ + count_, uid) == uids_ + count_ && !tree.is_overflow_user(uid)) uids_[count_++] = uid;
  };
  for (uid_t const uid : users.uids()) add(uid);
  if (users.kind() != TrustedUsers::Kind::usual) return;
  for (uid_t const uid : {uid_t{0}, tree.owner(), ::geteuid()}) add(uid);
}

bool TrustedUids::covers(std::string_view owner) const noexcept {
  auto const uid = number<uid_t>(owner);
  if (anyone_) return uid || owner == unnamed_owner;
  return uid && std::find(uids_, uids_ + count_, *uid) != uids_ + count_;
}

Result<std::string_view> read_executable(int dir, char const *link, std::span<char> buffer) noexcept {
  ssize_t const n = sys::readlinkat(dir, link, buffer.data(), buffer.size());
  if (n < 0) return errno == ENOENT ? Result<std::string_view>(std::string_view()) : failed("read a registration's executable");
  return std::string_view(buffer.data(), static_cast<size_t>(n));
}

Result<std::optional<FoundEntry>> find_entry(int dir, Ticket const &ticket) noexcept {
  std::optional<FoundEntry> found;
  auto const directory = layout::registrations(ticket.service.view(), ticket.owner.view());
  auto const read = each_entry(dir, directory.c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
    bool const reserved = *name == layout::hidden;
    auto const [id, fields, is_entry] = cut(name + reserved, ':');
    if (is_entry && id == ticket.id.view()) found = FoundEntry{EntryName(name + reserved), reserved};
    return {};
  });
  if (!read) return fail(read);
  return found;
}

Done each_living(int dir, std::string_view service, std::string_view owner, VisitLiving visit) noexcept {
  auto const path = layout::registrations(service, owner);
  return each_entry(dir, path.c_str(), [&](int directory, char const *name, unsigned char type) noexcept -> Done {
    Record record;
    char const *const entry = name + (*name == layout::hidden);
    if (!fifodir::may_be_fifo(type) || !read_entry_name(entry, record, nullptr)) return {};
    auto const life = fifodir::life(directory, name);
    if (!life) return fail(life);
    return *life == Life::alive ? visit(entry, record) : Done();
  });
}

namespace {

template <class T>
bool passes(std::span<T const> set, T const &value) noexcept {
  return set.empty() || std::find(set.begin(), set.end(), value) != set.end();
}

/** Reads the registrations of a service that match. */
class Gatherer {
 public:
  LookupQuery const &query;
  std::string_view service;
  std::span<pid_t const> pids; /**< one of these, too */
  bool wants_exe, wants_reserved;
  bool whole; /**< as Tree::reads_whole */
  LiveRegistrations &out;

  /** Appends those of one owner, in the directory `path` under `above`, which may be missing. */
  Done gather(int above, char const *path, std::string_view owner) const noexcept {
    return each_entry(
        above, path,
        [&](int dir, char const *name, unsigned char type) noexcept -> Done {
          Record record;
          bool const reserved = wants_reserved && *name == layout::hidden;
          if (!fifodir::may_be_fifo(type) || !read_entry_name(name + reserved, record, nullptr) || !allows(record)) return {};
          auto const life = fifodir::life(dir, name);
          if (!life) return fail(life);
          return *life == Life::alive ? add(dir, {owner, name + reserved, {}, reserved}) : Done();
        },
        whole);
  }

 private:
  [[nodiscard]] bool allows(Record const &r) const noexcept {
    return (!query.version || r.version == *query.version) && (!query.netid || r.netid == pm::name(*query.netid)) &&
           query.allows_process(r) && passes(pids, r.pid) && (!query.origin || r.origin == *query.origin);
  }
  Done add(int dir, LiveRegistration one) const noexcept {
    AddressInName address;
    if (!read_entry_name(one.name, one.record, &address)) return {};
    one.record.service = service;
    char buffer[PATH_MAX];
    if (wants_exe && one.record.is_public) {
      auto const exe = read_executable(dir, (Text<64>(one.record.id) << ".exe").c_str(), buffer);
      if (!exe) return fail(exe);
      one.record.exe = *exe;
    }
    return out.add(one) ? Done() : failed("look up", ENOMEM);
  }
};

/** With at most this many owners, a lookup reads the names in the service's directory. */
constexpr nlink_t few_owners = 16;

/**
 * Appends the trusted users' registrations of the service whose directory is open. To open a missing directory costs more than to open an
 * existing one (a tmpfs does not cache missing names), so with few owners it reads their names. With many it opens each user's directory,
 * so that other users cannot raise the cost of a lookup above a limit.
 */
Done gather_trusted(int dir, TrustedUids const &trust, Gatherer const &gatherer) noexcept {
  struct stat st;
  if (sys::fstat(dir, &st) < 0) return failed("read a directory");
  // A directory has two links, and one for each directory in it. On some file systems it has only one.
  if (st.st_nlink < 3 || st.st_nlink > 3 + few_owners) {
    for (uid_t const uid : trust.uids()) {
      auto const owner = owner_name(uid);
      if (auto const done = gatherer.gather(dir, owner.c_str(), owner.view()); !done) return done;
    }
    return {};
  }
  Entries entries(dir, gatherer.whole);
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    if (!trust.covers(*name)) continue;
    if (auto const done = gatherer.gather(dir, *name, *name); !done) return done;
  }
}

Done gather_service(Tree const &tree, TrustedUids const &trust, Gatherer const &gatherer) noexcept {
  auto const one = [&](std::string_view owner) noexcept {
    return gatherer.gather(tree.dir(), layout::registrations(gatherer.service, owner).c_str(), owner);
  };
  auto const directory = layout::service(gatherer.service);
  if (trust.is_anyone())
    return each_entry(tree.dir(), directory.c_str(), [&](int dir, char const *name, unsigned char) noexcept {
      return trust.covers(name) ? gatherer.gather(dir, name, name) : Done();
    });
  // Of two, one has no directory as a rule. To miss it takes no more than to open the service's directory and read its names (CPU time
  // against that of one user: 1.46 and 1.6), and other users cannot raise it.
  if (trust.uids().size() <= 2) {
    for (uid_t const uid : trust.uids())
      if (auto const done = one(owner_name(uid).view()); !done) return done;
    return {};
  }
  auto const opened = open_directory(tree.dir(), directory.c_str());
  if (!opened && opened.error().code == ENOENT) return {};
  if (!opened) return fail(opened);
  return gather_trusted(opened->get(), trust, gatherer);
}

} // namespace

Done lookup(Tree const &tree, LookupQuery const &query, LiveRegistrations &out) noexcept {
  size_t const first = out.size();
  auto const done = gather_service(tree, TrustedUids(tree, query.trust),
                                   {query, query.service, {}, query.wants_exe, false, tree.reads_whole(), out});
  out.sort_oldest_first(first);
  return done;
}

Done list(Tree const &tree, Filter const &filter, LiveRegistrations &out) noexcept {
  TrustedUids const trust(tree, filter.trust);
  LookupQuery const any;
  auto const one_service = [&](std::string_view service) noexcept {
    size_t const first = out.size();
    Gatherer const gatherer{any, service, filter.pids, filter.wants_exe, filter.wants_reserved, tree.reads_whole(), out};
    auto const done =
        each_entry(tree.dir(), layout::service(service).c_str(), [&](int dir, char const *name, unsigned char) noexcept {
          return trust.covers(name) && passes(filter.owners, std::string_view(name)) ? gatherer.gather(dir, name, name) : Done();
        });
    out.sort_oldest_first(first);
    return done;
  };

  List<char> names;
  List<size_t> starts;
  auto const read = each_entry(tree.dir(), layout::services, [&](int, char const *name, unsigned char) noexcept -> Done {
    if (!is_service_name(name) || !passes(filter.services, std::string_view(name))) return {};
    bool const fits = starts.append(names.size()) && append(names, name) && append(names, {"", 1});
    return fits ? Done() : failed("list", ENOMEM);
  });
  if (!read) return read;
  sort(std::span(starts.begin(), starts.end()),
       [&](size_t a, size_t b) noexcept { return strcmp(names.begin() + a, names.begin() + b) < 0; });
  for (size_t const start : starts)
    if (auto const done = one_service(names.begin() + start); !done) return done;
  return {};
}

} // namespace pm::registry
