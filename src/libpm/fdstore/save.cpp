// From one version of the program to the next: the descriptors stay open, and a file says what they are called.

#include <fcntl.h>
#include <pm/base/say.h>
#include <pm/fdstore/server.h>
#include <unistd.h>

namespace pm::fdstore {

namespace {

constexpr uint32_t format = 1;

struct Saved {
  Name name;
  uint32_t owner = 0, number = 0;
  uint64_t since = 0, until = 0;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.owner, self.number, self.since, self.until);
  }
};

struct State {
  uint32_t version = format;
  xdr::Array<Saved, entries_max> all;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.version, self.all);
  }
};

bool set_one(int fd, bool inherited) noexcept {
  return sys::fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC) == 0;
}

} // namespace

bool Server::set_inherited(bool inherited) noexcept {
  bool all = set_one(socket_, inherited);
  for (auto const &entry : store_.entries()) all = set_one(entry.fd, inherited) && all;
  return all;
}

Result<Fd> Server::save() noexcept {
  constexpr char const *saving = "save the names of descriptors for";
  State state;
  for (auto const &entry : store_.entries())
    if (!state.all.elements.append(
            {Name(entry.name.view()), entry.owner, static_cast<uint32_t>(entry.fd), entry.since, entry.until}))
      return failed(saving, ENOMEM);
  List<char> bytes;
  if (!xdr::Encoder(bytes)(state)) return failed(saving, ENOMEM);
  Fd file(sys::memfd_create("pm-fdstored", 0));
  if (!file.valid()) return failed(saving);
  for (size_t written = 0; written < bytes.size();) {
    ssize_t const n = sys::write(file.get(), bytes.begin() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR) return failed(saving);
    if (n > 0) written += static_cast<size_t>(n);
  }
  // Who is connected asks again: what was answered is on its way, what was not asked wholly is not done.
  for (auto &one : clients_) one.reset();
  for (auto &one : offerers_) one.reset();
  if (!set_inherited(true)) {
    int const code = errno;
    undo_save();
    return failed(saving, code);
  }
  return file;
}

Done Server::restore(int state) noexcept {
  constexpr char const *restoring = "take over the descriptors of";
  if (auto const made = store_.make(); !made) return made;
  if (state < 0) return {};
  Fd const file(state);
  struct stat st;
  if (sys::fstat(state, &st) < 0) return failed(restoring);
  List<char> bytes;
  if (st.st_size <= 0 || st.st_size > (1 << 20) || !bytes.resize(static_cast<size_t>(st.st_size)))
    return failed(restoring, EPROTO);
  for (size_t have = 0; have < bytes.size();) {
    ssize_t const n = sys::pread(state, bytes.begin() + have, bytes.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed(restoring, n < 0 ? errno : EPROTO);
    have += static_cast<size_t>(n);
  }
  State saved;
  if (!xdr::decode({bytes.begin(), bytes.size()}, saved) || saved.version != format) return failed(restoring, EPROTO);
  for (auto const &one : saved.all.elements) {
    int const fd = static_cast<int>(one.number);
    if (!is_word(one.name, name_max) || store_.find(one.name) || !set_one(fd, false)) return failed(restoring, EPROTO);
    Entry const entry = {Text<name_max + 1>(one.name), one.owner, one.since, one.until, fd, false};
    if (auto const restored = store_.restore(entry); !restored) return restored;
  }
  return {};
}

} // namespace pm::fdstore
