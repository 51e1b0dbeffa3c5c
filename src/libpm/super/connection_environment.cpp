// What PROG is told about its connection.

#include <pm/fifodir/inherited.h>
#include <pm/super/server.h>
#include <unistd.h>
#include <algorithm>

namespace pm::super {

namespace {

/** What a super-server says, and what it keeps for itself: none of it is passed on from outside. */
constexpr std::string_view ours[] = {"PROTO",         "IPCREMOTEEUID", "IPCREMOTEEGID", "IPCREMOTEPID",
                                     "IPCREMOTEPATH", "IPCLOCALPATH",  "IPCCONNNUM",    fifodir::inherited_variable};

bool is_ours(char const *variable) noexcept {
  std::string_view const name = cut(variable, '=').head;
  return std::find(std::begin(ours), std::end(ours), name) != std::end(ours);
}

/** Behind the fixed ones: uid, gid, pid, number, path, and the end. */
constexpr size_t slots = 6;

} // namespace

Done ConnectionEnvironment::make(std::string_view local) noexcept {
  bool fits = true;
  for (char const *const *variable = environ; *variable; ++variable)
    if (!is_ours(*variable)) fits = fits && variables_.append(*variable);
  fits = fits && variables_.append("PROTO=IPC");
  local_ << "IPCLOCALPATH=" << local;
  if (!local.empty()) fits = fits && variables_.append(local_.c_str());
  fixed_ = variables_.size();
  for (size_t i = 0; i < slots; ++i) fits = fits && variables_.append(nullptr);
  if (!fits) return failed("have memory for", ENOMEM);
  return {};
}

char const *const *ConnectionEnvironment::of(struct ucred const &peer, uint32_t number, std::string_view remote) noexcept {
  char const **slot = variables_.begin() + fixed_;
  auto const set = [&](auto &text, char const *variable, auto value) noexcept {
    text.clear();
    text << variable << value;
    *slot++ = text.c_str();
  };
  set(uid_, "IPCREMOTEEUID=", peer.uid);
  set(gid_, "IPCREMOTEEGID=", peer.gid);
  set(pid_, "IPCREMOTEPID=", peer.pid);
  set(number_, "IPCCONNNUM=", number);
  if (!remote.empty()) set(remote_, "IPCREMOTEPATH=", remote);
  *slot = nullptr;
  return variables_.begin();
}

char const *const *ConnectionEnvironment::of_unknown(std::string_view remote) noexcept {
  char const **slot = variables_.begin() + fixed_;
  *slot++ = "IPCCONNNUM=";
  remote_.clear();
  remote_ << "IPCREMOTEPATH=" << remote;
  if (!remote.empty()) *slot++ = remote_.c_str();
  *slot = nullptr;
  return variables_.begin();
}

} // namespace pm::super
