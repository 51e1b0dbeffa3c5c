#include <pm/registry/writer.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/fifodir/listeners.h>
#include <pm/fifodir/token.h>
#include <utility>

namespace pm::registry {

Writer::Writer(Registry const &registry, Lock lock, mode_t umask) noexcept
    : dir_(registry.dir()), lock_(std::move(lock)), umask_(umask) {}

Writer::Writer(Writer &&other) noexcept
    : dir_(other.dir_),
      lock_(std::move(other.lock_)),
      umask_(other.umask_),
      spared_(other.spared_),
      alone_(other.alone_),
      idle_(other.idle_),
      active_(other.active_) {
  other.active_ = false;
}

Writer::~Writer() {
  if (active_) sys::umask(umask_);
}

Result<Writer> Writer::begin(Registry const &registry, Deadline deadline, int stop) noexcept {
  if (!registry.is_mine()) return failed("write as another than its owner", EPERM);
  auto lock = Lock::take(registry.dir(), layout::lock, deadline, stop);
  if (!lock) return fail(lock);
  return Writer(registry, std::move(*lock), sys::umask(0));
}

Result<Writer> Writer::begin_again(Registry const &registry, Fd file, Deadline deadline) noexcept {
  if (!file.valid()) return begin(registry, deadline);
  auto lock = Lock::take(std::move(file), deadline);
  if (!lock) return fail(lock);
  return Writer(registry, std::move(*lock), sys::umask(0));
}

bool Writer::has_directory(Path const &path) noexcept {
  return sys::mkdirat(dir_, path.c_str(), 0755) == 0 || errno == EEXIST;
}

/** service/NAME and its fifodir, which gets the mode that the registry's own has. */
Done Writer::make_directories(std::string_view service) noexcept {
  constexpr char const *doing = "make a service's directories";
  struct stat st;
  if (sys::fstatat(dir_, layout::event, &st, AT_SYMLINK_NOFOLLOW) < 0) return failed(doing);
  // mkdir takes no setgid bit; where there is a group, service/ has it and hands it down.
  mode_t const mode = st.st_mode & 01777;
  if (!has_directory(layout::service(service))) return failed(doing);
  if (sys::mkdirat(dir_, layout::service_event(service).c_str(), mode) < 0 && errno != EEXIST) return failed(doing);
  return {};
}

Done Writer::each_living(std::string_view service, std::string_view owner,
                         Callback<Done(Ticket const &, Record const &)> visit) noexcept {
  List<char> text;
  auto const path = layout::instances(service, owner);
  return each_entry(dir_, path.c_str(), [&](int dir, char const *name, unsigned char) noexcept -> Done {
    std::string_view id = name;
    if (id.ends_with(layout::reserved)) id.remove_suffix(layout::reserved.size());
    if (!pid_in(id)) return {};
    // Life first: what a killed writer left half written is dead, and no record.
    auto const life = fifodir::life(dir, (Text<64>(id) << layout::token).c_str());
    if (!life) return fail(life);
    if (*life != fifodir::Life::alive) return {};
    auto const record = read_record(dir, name, text);
    if (!record) return fail(record);
    return visit(make_ticket(service, owner, id), *record);
  });
}

Done Writer::write_file(char const *path, Record const &record) noexcept {
  constexpr char const *doing = "write a record";
  auto const text = format(record);
  if (!text) return fail(text);
  Fd const file(sys::openat(dir_, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.valid()) return failed(doing);
  ssize_t const n = sys::write(file.get(), text->begin(), text->size());
  if (n < 0) return failed(doing);
  if (static_cast<size_t>(n) != text->size()) return failed(doing, ENOSPC);
  return {};
}

/** Those of the service, and those of the registry. */
Done Writer::open_listeners(std::string_view service, bool idle, fifodir::Listeners &listeners) noexcept {
  auto const opened = idle ? Done() : listeners.open(dir_, layout::service_event(service).c_str());
  return opened && !alone_ ? listeners.open(dir_, layout::event, spared_) : opened;
}

Done Writer::commit(Ticket const &ticket, std::string_view event) noexcept {
  fifodir::Listeners listeners;
  if (auto const opened = open_listeners(ticket.service.view(), false, listeners); !opened) return opened;
  auto const from = layout::file(ticket, layout::temporary), to = layout::file(ticket, layout::published);
  if (sys::renameat(dir_, from.c_str(), dir_, to.c_str()) < 0) return failed("publish a record");
  listeners.send(event);
  return {};
}

/** Writes what a reservation will be published as, beside it; false if there is none (any more, or it is published). */
Result<bool> Writer::prepare(Ticket const &ticket, std::string_view exe, bool deleted) noexcept {
  List<char> text;
  auto record = read_record(dir_, layout::file(ticket, layout::reserved).c_str(), text);
  if (!record && record.error().code == ENOENT) return false;
  if (!record) return fail(record);
  record->since = boottime();
  if (!exe.empty()) {
    record->exe = exe;
    record->deleted = deleted;
  }
  if (auto const written = write_file(layout::file(ticket, layout::temporary).c_str(), *record); !written) return fail(written);
  return true;
}

Answer<void> Writer::publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept {
  // All that takes space first, so that a full disk publishes all or none.
  size_t there = 0;
  for (Ticket const &ticket : tickets) {
    auto const prepared = prepare(ticket, exe, deleted);
    if (!prepared) return fail(prepared);
    struct stat st;
    if (*prepared || sys::fstatat(dir_, layout::file(ticket, layout::published).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) ++there;
    else if (errno != ENOENT) return failed("publish a record");
  }
  if (there == 0) return refuse(Refusal::not_found);
  for (Ticket const &ticket : tickets) {
    auto const reserved = layout::file(ticket, layout::reserved);
    struct stat st;
    if (sys::fstatat(dir_, reserved.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) continue;
      return failed("publish a record");
    }
    if (auto const committed = commit(ticket, "u"); !committed) return fail(committed);
    // Killed before this, the reservation stays beside its record: readers do not look at it, removal takes both.
    if (sys::unlinkat(dir_, reserved.c_str(), 0) < 0) return failed("publish a record");
  }
  return {};
}

} // namespace pm::registry
