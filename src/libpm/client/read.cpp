// pm::Registry: what it finds.

#include <pm/client/handle.h>
#include <pm/registry/announced.h>
#include <pm/registry/connect.h>
#include <unistd.h>
#include <algorithm>
#include <utility>

namespace pm::client {

struct Found {
  registry::Instances instances;
  List<size_t> chosen; /**< which of them are shown */
};

namespace {

bool fail_reading(Handle &handle, SysError failure, Error &error) noexcept {
  return fail_with(handle, failure, error);
}

template <class T>
bool passes(T const *set, size_t count, T const &value) noexcept {
  return count == 0 || std::find(set, set + count, value) != set + count;
}

registry::Whose whose(Whom whom) noexcept {
  switch (whom.kind) {
    case 0: return registry::Whose::believed();
    case 1: return registry::Whose::user(whom.uid);
    default: return registry::Whose::anyone();
  }
}

} // namespace

bool list(Handle *handle, Sets const &sets, Limits limits, Found *&found, Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  List<registry::OwnerName> names;
  List<std::string_view> owners;
  auto made = make_box<Found>();
  bool fits = made != nullptr;
  for (size_t i = 0; fits && i < sets.uid_count; ++i) fits = names.append(registry::owner_name(sets.uids[i]));
  for (auto const &name : names) fits = fits && owners.append(name.view());
  if (!fits) return fail_with(Why::system, ENOMEM, "list", error);
  registry::Filter const filter = {
      {sets.services, sets.service_count}, {owners.begin(), owners.size()}, {sets.pids, sets.pid_count}};
  if (auto const listed = registry::list(handle->directory, filter, made->instances); !listed)
    return fail_reading(*handle, listed.error(), error);
  for (size_t i = 0; i < made->instances.size(); ++i) {
    auto const instance = made->instances[i];
    if (!passes(sets.versions, sets.version_count, instance.record.version)) continue;
    if (!passes(sets.netids, sets.netid_count, instance.record.netid)) continue;
    if (!made->chosen.append(i)) return fail_with(Why::system, ENOMEM, "list", error);
  }
  found = made.release();
  return true;
}

size_t size(Found const *found) noexcept {
  return found->chosen.size();
}

void view(Found const *found, size_t i, View &out) noexcept {
  auto const instance = found->instances[found->chosen[i]];
  auto const &r = instance.record;
  out = {r.service, r.netid, r.address,   instance.owner, r.exe,    instance.id,
         r.version, r.pid,   r.exclusive, r.is_public,    r.deleted};
}

void release(Found *found) noexcept {
  Box<Found> const last(found);
}

namespace {
/** What find() and connect() are asked for; false: why not, in `error`. */
bool read_query(std::string_view service, Whom whom, uint32_t const *version, std::string_view netid, registry::Query &query,
                Error &error) noexcept {
  if (!registry::is_service_name(service)) return fail_with(Why::bad_name, 0, "", error);
  query.service = service;
  query.whose = whose(whom);
  if (version) query.version = *version;
  if (!netid.empty() && !(query.netid = pm::netid(netid))) return fail_with(Why::bad_address, 0, "", error);
  return true;
}
} // namespace

bool find(Handle *handle, std::string_view service, Whom whom, uint32_t const *version, std::string_view netid, Limits limits,
          Found *&found, Error &error) noexcept {
  registry::Query query;
  if (!begin(*handle, limits, error) || !read_query(service, whom, version, netid, query, error)) return false;
  auto made = make_box<Found>();
  if (!made) return fail_with(Why::system, ENOMEM, "look up", error);
  if (auto const looked = handle->finder.lookup(query, made->instances); !looked)
    return fail_reading(*handle, looked.error(), error);
  for (size_t i = 0; i < made->instances.size(); ++i)
    if (!made->chosen.append(i)) return fail_with(Why::system, ENOMEM, "look up", error);
  found = made.release();
  return true;
}

bool connect(Handle *handle, std::string_view service, Whom whom, uint32_t const *version, std::string_view netid, Limits limits,
             int &fd, Found *&found, size_t &which, Error &error) noexcept {
  registry::Query query;
  if (!begin(*handle, limits, error) || !read_query(service, whom, version, netid, query, error)) return false;
  auto made = make_box<Found>();
  if (!made) return fail_with(Why::system, ENOMEM, "connect to", error);
  auto reached = registry::connect(handle->directory, query, Deadline::in(limits.timeout), limits.stop, made->instances);
  if (!reached && reached.error().code == EPERM && reached.error().doing == registry::not_believed)
    return fail_with(Why::not_believed, EPERM, reached.error().doing, error);
  if (!reached) return fail_reading(*handle, reached.error(), error);
  if (!*reached) return fail_with(Why::not_found, 0, "", error);
  if (!made->chosen.append((*reached)->instance)) return fail_with(Why::system, ENOMEM, "connect to", error);
  fd = (*reached)->socket.release();
  which = 0;
  found = made.release();
  return true;
}

bool executable(Handle *handle, pid_t pid, Limits limits, char *path, size_t room, size_t &size, bool &deleted,
                Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  auto const known = registry::announced(handle->directory, pid);
  if (!known) return fail_reading(*handle, known.error(), error);
  size = 0;
  deleted = *known && (*known)->deleted;
  if (!*known) return true;
  size = std::min((*known)->path.size(), room);
  memcpy(path, (*known)->path.c_str(), size);
  return true;
}

} // namespace pm::client
