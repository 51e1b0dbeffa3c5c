#include "libpm/rpc/row_index.h"

#include <stdlib.h>
#include <string.h>

namespace pm::rpc {

std::optional<RowId> row_id(std::string_view id) noexcept {
  if (!registry::pid_in(id)) return std::nullopt;
  auto const [pid, rest, has_start] = cut(id, '.');
  auto const [start, digits, has_digits] = cut(rest, '.');
  RowId out{*number<uint64_t>(start), *number<pid_t>(pid), 0};
  for (char const c : digits) out.digits = out.digits << 4 | static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  return out;
}

registry::Id text_of(RowId const &id) noexcept {
  registry::Id text;
  text << id.pid << '.' << id.start << '.';
  append_hexadecimal(text, id.digits, 8);
  return text;
}

SockAddr PortmapRow::sock_addr() const noexcept {
  return netid == Netid::local ? SockAddr() : SockAddr::of_ip(family_of(netid), host, port);
}

AddressText PortmapRow::universal() const noexcept {
  return path ? AddressText(path) : sock_addr().universal();
}

Address PortmapRow::address() const noexcept {
  if (!path) return Address::of_ip(netid, host, port);
  return Address::parse((AddressText("local:") << path).view()).value_or(Address());
}

bool PortmapRow::same_address(PortmapRow const &other) const noexcept {
  if (path || other.path) return path && other.path && strcmp(path, other.path) == 0;
  return port == other.port && memcmp(host, other.host, sizeof host) == 0;
}

bool set_address(PortmapRow &row, Address const &address) noexcept {
  row.netid = address.netid();
  row.port = address.port();
  row.path = nullptr;
  memset(row.host, 0, sizeof row.host);
  if (row.netid == Netid::local) {
    row.path = ::strndup(address.path().data(), address.path().size());
    return row.path;
  }
  auto const at = SockAddr::of(address);
  if (!at.is_ip()) return false;
  memcpy(row.host, at.host_bytes().data(), at.host_bytes().size());
  return true;
}

namespace {

/** Fibonacci hashing. */
uint64_t mix(uint64_t key) noexcept {
  key *= 0x9e3779b97f4a7c15U;
  return key ^ key >> 29;
}
uint64_t transport_key(uint32_t program, Netid netid) noexcept {
  return uint64_t{program} << 3 | static_cast<uint64_t>(netid);
}
uint64_t row_key(uint32_t program, uint32_t version, Netid netid) noexcept {
  return mix(transport_key(program, netid)) + version;
}

constexpr size_t least_buckets = 64;

} // namespace

RowIndex::~RowIndex() {
  for (PortmapRow &row : rows_) {
    if (!row.live) continue;
    ::free(const_cast<char *>(row.path));
    if (row.token >= 0) sys::close(row.token);
  }
}

uint32_t *RowIndex::bucket(List<uint32_t> &heads, uint64_t key) noexcept {
  return heads.begin() + (mix(key) >> 16 & (heads.size() - 1));
}

void RowIndex::link(uint32_t i) noexcept {
  PortmapRow &row = rows_[i];
  uint32_t *const key = bucket(keys_, row_key(row.program, row.version, row.netid));
  row.next_key = *key;
  *key = i;
  uint32_t *const transport = bucket(transports_, transport_key(row.program, row.netid));
  row.next_transport = *transport;
  *transport = i;
}

/** Drops the removed rows, and makes as many buckets that each has about one row. */
bool RowIndex::rebuild() noexcept {
  size_t buckets = least_buckets;
  while (buckets < 2 * (count_ + 1)) buckets *= 2;
  if (!keys_.resize(buckets) || !transports_.resize(buckets)) return false;
  std::fill(keys_.begin(), keys_.end(), none);
  std::fill(transports_.begin(), transports_.end(), none);
  size_t kept = 0;
  for (PortmapRow const &row : rows_)
    if (row.live) rows_[kept++] = row;
  rows_.truncate(kept);
  for (uint32_t i = 0; i < kept; ++i) link(i);
  return true;
}

PortmapRow *RowIndex::add(PortmapRow const &row) noexcept {
  bool const crowded = keys_.size()<count_ + 1, littered = rows_.size()> 2 * count_ + least_buckets;
  if (((crowded || littered) && !rebuild()) || !rows_.append(row)) {
    ::free(const_cast<char *>(row.path));
    if (row.token >= 0) sys::close(row.token);
    return nullptr;
  }
  auto const i = static_cast<uint32_t>(rows_.size() - 1);
  rows_[i].live = true;
  rows_[i].serial = ++last_serial_;
  ++count_;
  link(i);
  return &rows_[i];
}

void RowIndex::remove(PortmapRow &row) noexcept {
  auto const i = static_cast<uint32_t>(&row - rows_.begin());
  auto const unlink = [&](uint32_t *at, uint32_t PortmapRow::*next) noexcept {
    while (*at != i) at = &(rows_[*at].*next);
    *at = row.*next;
  };
  unlink(bucket(keys_, row_key(row.program, row.version, row.netid)), &PortmapRow::next_key);
  unlink(bucket(transports_, transport_key(row.program, row.netid)), &PortmapRow::next_transport);
  ::free(const_cast<char *>(row.path));
  if (row.token >= 0) sys::close(row.token);
  row.path = nullptr;
  row.token = -1;
  row.live = false;
  --count_;
}

PortmapRow *RowIndex::same_key(uint32_t program, uint32_t version, Netid netid, PortmapRow *row) noexcept {
  if (keys_.empty()) return nullptr;
  for (uint32_t i = row ? row->next_key : *bucket(keys_, row_key(program, version, netid)); i != none; i = rows_[i].next_key)
    if (rows_[i].program == program && rows_[i].version == version && rows_[i].netid == netid) return &rows_[i];
  return nullptr;
}

PortmapRow *RowIndex::with_id(PortmapRow const &row) noexcept {
  PortmapRow *found = nullptr;
  while ((found = same_key(row.program, row.version, row.netid, found)))
    if (found->id == row.id) return found;
  return nullptr;
}

PortmapRow const *RowIndex::find(uint32_t program, uint32_t version, Netid netid, bool exact, RowFilter const *filter) noexcept {
  if (keys_.empty()) return nullptr;
  PortmapRow const *best = nullptr;
  for (PortmapRow *row = nullptr; (row = same_key(program, version, netid, row));)
    if ((!best || row->rank <= best->rank) && (!filter || (*filter)(*row))) best = row;
  if (best && best->rank != Rank::unnamed) return best;
  PortmapRow const *last = nullptr;
  for (uint32_t i = *bucket(transports_, transport_key(program, netid)); i != none; i = rows_[i].next_transport) {
    if (rows_[i].program != program || rows_[i].netid != netid || (filter && !(*filter)(rows_[i]))) continue;
    if (!last || rows_[i].rank < last->rank) last = &rows_[i];
    if (last->rank == Rank::root) break;
  }
  bool const unnamed_only = last && last->rank == Rank::unnamed;
  if (best && unnamed_only) return best;
  return exact ? nullptr : last;
}

bool RowIndex::is_hidden(PortmapRow const &row) noexcept {
  if (row.rank == Rank::root) return false;
  for (PortmapRow *other = nullptr; (other = same_key(row.program, row.version, row.netid, other));)
    if (other->rank < row.rank) return true;
  return false;
}

PortmapRow *RowIndex::after(uint64_t after) noexcept {
  // The rows are in the order of their serial numbers.
  PortmapRow *const at =
      std::upper_bound(rows_.begin(), rows_.end(), after, [](uint64_t n, PortmapRow const &row) { return n < row.serial; });
  for (PortmapRow *row = at; row != rows_.end(); ++row)
    if (row->live) return row;
  return nullptr;
}

} // namespace pm::rpc
