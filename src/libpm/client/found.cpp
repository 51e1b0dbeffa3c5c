#include "libpm/client/found.h"

#include <algorithm>
#include <utility>
#include "libpm/registry/announced.h"
#include "libpm/registry/connect.h"

namespace pm::client {

namespace {

template <class T>
bool passes(std::span<T const> set, std::type_identity_t<T> const &value) noexcept {
  return set.empty() || std::find(set.begin(), set.end(), value) != set.end();
}

registry::TrustedUsers trusted_users(Trust trust) noexcept {
  switch (trust.kind) {
    case 0: return registry::TrustedUsers::usual();
    case 1: return registry::TrustedUsers::user(trust.uid);
    default: return registry::TrustedUsers::anyone();
  }
}

} // namespace

bool list(Handle *handle, Sets const &sets, Limit limit, FoundRegistrations *&found, Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  List<registry::OwnerName> names;
  List<std::string_view> owners;
  auto made = make_box<FoundRegistrations>();
  bool fits = made != nullptr;
  for (size_t i = 0; fits && i < sets.uids.size(); ++i) fits = names.append(registry::owner_name(sets.uids[i]));
  for (auto const &name : names) fits = fits && owners.append(name.view());
  if (!fits) return fail_with(Error::system, ENOMEM, "list", error);
  registry::Filter const filter = {
      .services = sets.services, .owners = {owners.begin(), owners.size()}, .pids = sets.pids, .wants_exe = true};
  if (auto const listed = registry::list(handle->tree, filter, made->registrations); !listed)
    return fail(*handle, listed.error(), error);
  for (size_t i = 0; i < made->registrations.size(); ++i) {
    auto const registration = made->registrations[i];
    if (!passes(sets.versions, registration.record.version)) continue;
    if (!passes(sets.netids, registration.record.netid)) continue;
    if (!made->chosen.append(i)) return fail_with(Error::system, ENOMEM, "list", error);
  }
  found = made.release();
  return true;
}

size_t size(FoundRegistrations const *found) noexcept {
  return found->chosen.size();
}

void view(FoundRegistrations const *found, size_t i, RegistrationView &out) noexcept {
  auto const registration = found->registrations[found->chosen[i]];
  auto const &r = registration.record;
  out = {r.service, r.netid, r.address, registration.owner, r.exe, r.id, r.version, r.pid, r.exclusive, r.is_public, r.deleted};
}

void destroy(FoundRegistrations *found) noexcept {
  Box<FoundRegistrations> const last(found);
}

namespace {
/** Makes a query of a question. False: the question is invalid, and `error` has the reason. */
bool read_query(Question const &question, registry::Query &query, Error &error) noexcept {
  if (!registry::is_service_name(question.service)) return fail_with(Error::bad_name, 0, "", error);
  query.service = question.service;
  query.trust = trusted_users(question.trust);
  query.wants_exe = true;
  if (question.version) query.version = *question.version;
  if (!question.netid.empty() && !(query.netid = pm::netid(question.netid))) return fail_with(Error::bad_address, 0, "", error);
  return true;
}
} // namespace

bool find(Handle *handle, Question const &question, Limit limit, FoundRegistrations *&found, Error &error) noexcept {
  constexpr char const *doing = "look up";
  registry::Query query;
  if (!begin(handle, limit, error) || !read_query(question, query, error)) return false;
  auto made = make_box<FoundRegistrations>();
  if (!made) return fail_with(Error::system, ENOMEM, doing, error);
  if (auto const looked = registry::lookup(handle->tree, query, made->registrations); !looked)
    return fail(*handle, looked.error(), error);
  for (size_t i = 0; i < made->registrations.size(); ++i)
    if (!made->chosen.append(i)) return fail_with(Error::system, ENOMEM, doing, error);
  found = made.release();
  return true;
}

bool connect(Handle *handle, Question const &question, Limit limit, int &fd, FoundRegistrations *&found, Error &error) noexcept {
  constexpr char const *doing = "connect to";
  registry::Query query;
  if (!begin(handle, limit, error) || !read_query(question, query, error)) return false;
  auto made = make_box<FoundRegistrations>();
  if (!made) return fail_with(Error::system, ENOMEM, doing, error);
  auto reached = registry::connect(handle->tree, query, limit, made->registrations);
  if (!reached) {
    auto const *server = std::get_if<registry::UntrustedServer>(&reached.error());
    if (!server) return fail(*handle, *std::get_if<SysError>(&reached.error()), error);
    (void)fail_with(Error::not_trusted, 0, "", error);
    error.server_uid = server->uid;
    error.owner_uid = number<uid_t>(made->registrations[server->registration].owner).value_or(server->uid);
    return false;
  }
  if (!*reached) return fail_with(Error::not_found, 0, "", error);
  if (!made->chosen.append((*reached)->registration)) return fail_with(Error::system, ENOMEM, doing, error);
  fd = (*reached)->socket.release();
  found = made.release();
  return true;
}

bool executable(Handle *handle, pid_t pid, Limit limit, char *path, size_t room, size_t &size, bool &deleted,
                Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  auto const known = registry::announced(handle->tree, pid);
  if (!known) return fail(*handle, known.error(), error);
  size = 0;
  deleted = *known && (*known)->deleted;
  if (!*known) return true;
  size = std::min((*known)->path.size(), room);
  memcpy(path, (*known)->path.c_str(), size);
  return true;
}

} // namespace pm::client
