// All the sockets of a command line.

#include <fcntl.h>
#include <pm/base/say.h>
#include <pm/base/stream.h>
#include <pm/super/bind.h>
#include <utility>

namespace pm::super {

void Bindings::add(std::string_view name, SocketAddress const &address, char const *written) noexcept {
  addresses_[size_] = address;
  names_[size_] = name;
  written_[size_++] = written;
}

void Bindings::add_outer(std::string_view name) noexcept {
  names_[size_] = name;
  written_[size_++] = outer_;
  ++outers_;
  take_outer_sockets_ = &Bindings::take_outer;
}

Done Bindings::adopt(SocketAddress const &address, int fd) noexcept {
  addresses_[size_] = address;
  sockets_[size_].fd.reset(fd);
  if (auto const found = find_file(sockets_[size_], addresses_[size_].local()); !found) return found;
  bound_ = ++size_;
  return {};
}

/** Out of the way of the numbers that they are given again. */
Done Bindings::take_outer() noexcept {
  auto const given = ListenFds::own();
  if (!given) return fail(given);
  if (given->size() != outers_) return failed("give as many names as there are to", EINVAL);
  size_t next = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (written_[i] != outer_) continue;
    int const moved = sys::fcntl(given->fd(next++), F_DUPFD_CLOEXEC, listen_fds_start + static_cast<int>(size_));
    if (moved < 0) return failed("have descriptors for");
    sockets_[i].fd.reset(moved);
  }
  for (size_t i = 0; i < outers_; ++i) sys::close(given->fd(i));
  return {};
}

Done Bindings::bind(BindOptions const &options) noexcept {
  List<char> said;
  if (take_outer_sockets_)
    if (auto const taken = (this->*take_outer_sockets_)(); !taken) {
      written_[bound_] = taken.error().code == EINVAL || taken.error().code == EMFILE ? outer_ : "";
      return taken;
    }
  for (bound_ = 0; bound_ < size_; ++bound_) {
    if (written_[bound_] != outer_) {
      auto &address = addresses_[bound_];
      auto made = address.is_local() ? bind_local(address.local(), options) : bind_ip(address, options);
      if (!made) {
        remove_paths();
        return fail(made);
      }
      sockets_[bound_] = std::move(*made);
    }
    if (!options.say_address) continue;
    Text<256> line(names_[bound_]);
    if (line.size()) line << '=';
    line << address_of(sockets_[bound_].fd.get()).view() << '\n';
    if (!append(said, line.view())) die_no_memory();
  }
  if (said.empty()) return {};
  if (auto const printed = write_all(1, {said.begin(), said.size()}, Deadline()); !printed) {
    remove_paths();
    bound_ = size_, written_[bound_] = "standard output";
    return failed("write to", printed.error().code);
  }
  return {};
}

void Bindings::remove_paths() noexcept {
  for (size_t i = 0; i < bound_; ++i)
    if (written_[i] != outer_ && addresses_[i].is_local()) remove_path(sockets_[i], addresses_[i].local());
}

} // namespace pm::super
