#include <pm/registry/lookup.h>

#include <pm/base/callback.h>
#include <pm/base/directory.h>
#include <pm/base/sort.h>
#include <pm/fifodir/token.h>
#include <pm/registry/row.h>
#include <unistd.h>
#include <algorithm>

namespace pm::registry {

using fifodir::Life;

Instance Instances::operator[](size_t i) const noexcept {
  Entry const &e = entries_[i];
  Instance instance{{bytes_.begin() + e.at, e.owner}, id(i), {}, text(i), e.is_row};
  auto const record = parse(instance.text);
  if (!record) bug("a record that was read once cannot be read again");
  instance.record = *record;
  return instance;
}

std::string_view Instances::id(size_t i) const noexcept {
  Entry const &e = entries_[i];
  return {bytes_.begin() + e.at + e.owner, e.id};
}

std::string_view Instances::text(size_t i) const noexcept {
  Entry const &e = entries_[i];
  return {bytes_.begin() + e.at + e.owner + e.id, e.text};
}

void Instances::clear() noexcept {
  bytes_.clear();
  entries_.clear();
}

bool Instances::add(std::string_view owner, std::string_view id, std::string_view text, uint64_t since, bool is_row) noexcept {
  size_t const at = bytes_.size();
  auto const length = [](std::string_view s) noexcept { return static_cast<uint32_t>(s.size()); };
  return append(bytes_, owner) && append(bytes_, id) && append(bytes_, text) &&
         entries_.append(Entry{since, at, length(owner), length(id), length(text), is_row});
}

void Instances::sort_oldest_first(size_t first) noexcept {
  sort(std::span(entries_.begin() + first, entries_.end()), [this](Entry const &a, Entry const &b) noexcept {
    if (a.since != b.since) return a.since < b.since;
    char const *const s = bytes_.begin();
    return std::string_view(s + a.at + a.owner, a.id) < std::string_view(s + b.at + b.owner, b.id);
  });
}

Path Instance::token() const noexcept {
  return is_row ? layout::row(owner, id, record) : layout::file(make_ticket(record.service, owner, id), layout::token);
}

namespace {

template <class T>
bool passes(std::span<T const> set, T const &value) noexcept {
  return set.empty() || std::find(set.begin(), set.end(), value) != set.end();
}

/** What one instance must be to be given, once its ID and its record are known. */
struct Criteria {
  std::optional<uint32_t> version;
  std::optional<Netid> netid;
  std::span<pid_t const> pids;
  bool whole; /**< as Registry::reads_whole */

  [[nodiscard]] bool allows(Record const &r) const noexcept {
    return (!version || r.version == *version) && (!netid || r.netid == name(*netid));
  }
};

/** The living instances that are asked for, of one owner, in the directory `path` under `above`; none if it is not there. */
Done gather(int above, char const *path, std::string_view owner, Criteria const &criteria, Instances &out) noexcept {
  return each_entry(
      above, path,
      [&](int dir, char const *id, unsigned char) noexcept -> Done {
        auto const pid = pid_in(id);
        if (!pid || !passes(criteria.pids, *pid)) return {};

        // The token first: an ID is never used twice, so a record found after it is its own.
        auto const life = fifodir::life(dir, (Text<64>(id) << layout::token).c_str());
        if (!life) return fail(life);
        if (*life != Life::alive) return {};
        char text[record_max + 1];
        auto const size = read_record_text(dir, id, text);
        if (!size && size.error().code == ENOENT) return {};
        if (!size) return fail(size);
        auto const record = parse({text, *size});
        if (!record) return fail(record);
        if (criteria.allows(*record) && !out.add(owner, id, {text, *size}, record->since)) return failed("look up", ENOMEM);
        return {};
      },
      criteria.whole);
}

/** The living rows of a service that are asked for, of one owner. */
Done gather_rows(Registry const &registry, std::string_view owner, std::string_view service, Criteria const &criteria,
                 Instances &out) noexcept {
  return each_row(
      registry.dir(), owner, service,
      [&](int dir, char const *name, RowName const &row) noexcept -> Done {
        if (!passes(criteria.pids, row.record.pid) || !criteria.allows(row.record)) return {};
        auto const life = fifodir::life(dir, name);
        if (!life) return fail(life);
        if (*life != Life::alive) return {};
        auto const text = format(row.record);
        if (!text) return fail(text);
        bool const fits = out.add(owner, row.id, {text->begin(), text->size()}, row.record.since, true);
        return fits ? Done() : failed("look up", ENOMEM);
      },
      criteria.whole);
}

/** The uids that a lookup believes: three at most. */
struct Believed {
  uid_t uids[3];
  size_t count = 0;

  explicit Believed(Registry const &registry) noexcept {
    for (uid_t const uid : {uid_t{0}, registry.owner(), ::geteuid()})
      if (!has(uid)) uids[count++] = uid;
  }
  [[nodiscard]] bool has(uid_t uid) const noexcept { return std::find(uids, uids + count, uid) != uids + count; }
};

/** Most owners of a service whose names are read rather than asked for. */
constexpr nlink_t few_owners = 16;

/**
 * The believed instances of the service whose directory is open. To ask for a directory that is not there costs more than
 * to open one that is (a tmpfs remembers no absences), so where there are few, their names are read. Where strangers have
 * made them many, it asks after all: what a lookup costs has a bound that they cannot move.
 */
Done gather_believed(int dir, Believed const &believed, Criteria const &criteria, Instances &out) noexcept {
  struct stat st;
  if (sys::fstat(dir, &st) < 0) return failed("read a directory");
  // A directory has two links and one for each directory in it, or on some file systems just one.
  if (st.st_nlink < 3 || st.st_nlink > 3 + few_owners) {
    for (size_t i = 0; i < believed.count; ++i) {
      auto const owner = owner_name(believed.uids[i]);
      if (auto const done = gather(dir, owner.c_str(), owner.view(), criteria, out); !done) return done;
    }
    return {};
  }
  Entries entries(dir, criteria.whole);
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    auto const uid = number<uid_t>(*name);
    if (!uid || !believed.has(*uid)) continue;
    if (auto const done = gather(dir, *name, *name, criteria, out); !done) return done;
  }
}

Done gather_instances(Registry const &registry, Query const &query, Believed const &believed, Criteria const &criteria,
                      Instances &out) noexcept {
  auto const one = [&](std::string_view owner) noexcept {
    return gather(registry.dir(), layout::instances(query.service, owner).c_str(), owner, criteria, out);
  };
  switch (query.whose.kind) {
    case Whose::Kind::user: return one(owner_name(query.whose.uid).view());
    case Whose::Kind::anyone:
      return each_entry(registry.dir(), layout::service(query.service).c_str(),
                        [&](int, char const *name, unsigned char) noexcept { return is_owner_name(name) ? one(name) : Done(); });
    case Whose::Kind::believed: break;
  }
  if (believed.count == 1) return one(owner_name(believed.uids[0]).view());
  auto const opened = open_directory(registry.dir(), layout::service(query.service).c_str());
  if (!opened && opened.error().code == ENOENT) return {};
  if (!opened) return fail(opened);
  return gather_believed(opened->get(), believed, criteria, out);
}

Done gather_all_rows(Registry const &registry, Query const &query, Believed const &believed, Criteria const &criteria,
                     Instances &out) noexcept {
  if (!may_have_rows(query.service)) return {};
  auto const one = [&](std::string_view owner) noexcept { return gather_rows(registry, owner, query.service, criteria, out); };
  switch (query.whose.kind) {
    case Whose::Kind::user: return one(owner_name(query.whose.uid).view());
    case Whose::Kind::anyone:
      return each_entry(registry.dir(), layout::rows,
                        [&](int, char const *name, unsigned char) noexcept { return is_owner_name(name) ? one(name) : Done(); });
    case Whose::Kind::believed: break;
  }
  for (size_t i = 0; i < believed.count; ++i)
    if (auto const done = one(owner_name(believed.uids[i]).view()); !done) return done;
  return {};
}

} // namespace

Done lookup(Registry const &registry, Query const &query, Instances &out) noexcept {
  size_t const first = out.size();
  Believed const believed(registry);
  Criteria const criteria{query.version, query.netid, query.pid ? std::span(&query.pid, 1) : std::span<pid_t const>(),
                          registry.reads_whole()};
  auto done = gather_instances(registry, query, believed, criteria, out);
  if (done) done = gather_all_rows(registry, query, believed, criteria, out);
  out.sort_oldest_first(first);
  return done;
}

Done list(Registry const &registry, Filter const &filter, Instances &out) noexcept {
  Criteria const criteria{{}, {}, filter.pids, registry.reads_whole()};
  Believed const believed(registry);
  auto const allows = [&](std::string_view owner) noexcept {
    if (!is_owner_name(owner) || !passes(filter.owners, owner)) return false;
    if (filter.whose.kind == Whose::Kind::anyone) return true;
    auto const uid = number<uid_t>(owner);
    return uid && (filter.whose.kind == Whose::Kind::user ? *uid == filter.whose.uid : believed.has(*uid));
  };
  auto const one_service = [&](std::string_view service) noexcept -> Done {
    size_t const first = out.size();
    auto done =
        each_entry(registry.dir(), layout::service(service).c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
          if (!allows(name)) return {};
          return gather(registry.dir(), layout::instances(service, name).c_str(), name, criteria, out);
        });
    if (done && may_have_rows(service))
      done = each_entry(registry.dir(), layout::rows, [&](int, char const *name, unsigned char) noexcept {
        return allows(name) ? gather_rows(registry, name, service, criteria, out) : Done();
      });
    out.sort_oldest_first(first);
    return done;
  };

  List<char> names;
  List<size_t> starts;
  auto const add_name = [&](std::string_view name) noexcept -> Done {
    if (!is_service_name(name) || !passes(filter.services, name)) return {};
    if (!starts.append(names.size()) || !append(names, name) || !append(names, {"", 1})) return failed("list", ENOMEM);
    return {};
  };
  auto read =
      each_entry(registry.dir(), layout::services, [&](int, char const *name, unsigned char) noexcept { return add_name(name); });
  if (read)
    read = each_row(registry.dir(), [&](int, char const *, std::string_view, RowName const &row) noexcept {
      return add_name(row.record.service);
    });
  if (!read) return read;
  sort(std::span(starts.begin(), starts.end()),
       [&](size_t a, size_t b) noexcept { return strcmp(names.begin() + a, names.begin() + b) < 0; });
  std::string_view last;
  for (size_t const start : starts) {
    std::string_view const service = names.begin() + start;
    if (service == last) continue; // it has rows, and others
    if (auto const done = one_service(service); !done) return done;
    last = service;
  }
  return {};
}

} // namespace pm::registry
