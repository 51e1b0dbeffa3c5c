#include "libpm/handover/store_save.h"

#include <fcntl.h>
#include <unistd.h>
#include "libpm/message/xdr.h"
#include "libpm/os/sys.h"

namespace pm::handover {

namespace {

constexpr char const *saving = "save the names of descriptors for";
constexpr uint32_t format = 1;

struct SavedDescriptor {
  StoredName name;
  uint32_t owner = 0, number = 0;
  uint64_t since = 0, until = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.owner, m.number, m.since, m.until); }
};

struct SavedStore {
  uint32_t version = format;
  xdr::Array<SavedDescriptor, stored_max> all;
  static auto fields(auto &m) noexcept { return std::tie(m.version, m.all); }
};

bool set_one(int fd, bool inherited) noexcept {
  return sys::fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC) == 0;
}

} // namespace

Done set_inherited(DescriptorTable const &table, int socket, bool inherited) noexcept {
  bool all = set_one(socket, inherited);
  for (auto const &stored : table.all()) all = set_one(stored.fd, inherited) && all;
  if (!all) return failed(saving);
  return {};
}

Result<Fd> save_table(DescriptorTable const &table) noexcept {
  SavedStore saved;
  for (auto const &stored : table.all())
    if (!saved.all.elements.append(
            {StoredName(stored.name.view()), stored.owner, static_cast<uint32_t>(stored.fd), stored.since, stored.until}))
      return failed(saving, ENOMEM);
  List<char> bytes;
  if (!xdr::Encoder(bytes)(saved)) return failed(saving, ENOMEM);
  Fd file(sys::memfd_create("pm-fdstored", 0));
  if (!file.valid()) return failed(saving);
  for (size_t written = 0; written < bytes.size();) {
    ssize_t const n = sys::write(file.get(), bytes.begin() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR) return failed(saving);
    if (n > 0) written += static_cast<size_t>(n);
  }
  return file;
}

Done restore_table(DescriptorTable &table, Fd file) noexcept {
  constexpr char const *restoring = "take over the descriptors of";
  struct stat st;
  if (sys::fstat(file.get(), &st) < 0) return failed(restoring);
  List<char> bytes;
  if (st.st_size <= 0 || st.st_size > (1 << 20) || !bytes.resize(static_cast<size_t>(st.st_size)))
    return failed(restoring, EPROTO);
  for (size_t have = 0; have < bytes.size();) {
    ssize_t const n = sys::pread(file.get(), bytes.begin() + have, bytes.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed(restoring, n < 0 ? errno : EPROTO);
    have += static_cast<size_t>(n);
  }
  SavedStore saved;
  if (!xdr::decode({bytes.begin(), bytes.size()}, saved) || saved.version != format) return failed(restoring, EPROTO);
  for (auto const &one : saved.all.elements) {
    int const fd = static_cast<int>(one.number);
    if (!is_word(one.name, stored_name_max) || table.find(one.name) || !set_one(fd, false)) return failed(restoring, EPROTO);
    StoredDescriptor const stored = {Text<stored_name_max + 1>(one.name), one.owner, one.since, one.until, fd, false};
    if (auto const restored = table.restore(stored); !restored) return restored;
  }
  return {};
}

} // namespace pm::handover
