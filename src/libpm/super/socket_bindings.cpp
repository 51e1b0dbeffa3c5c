#include "libpm/super/socket_bindings.h"

#include <fcntl.h>
#include <utility>

namespace pm::super {

void SocketBindings::add(std::string_view name, SockAddr const &address, char const *written) noexcept {
  sockets_[size_].address = address;
  sockets_[size_].written = written;
  names_[size_++] = name;
}

void SocketBindings::add_inherited(std::string_view name) noexcept {
  names_[size_++] = name;
  ++inherited_;
}

Done SocketBindings::adopt(SockAddr const &address, int fd) noexcept {
  auto &socket = sockets_[size_];
  socket.address = address;
  socket.bound.fd.reset(fd);
  if (auto const found = find_file(socket.bound, address); !found) return found;
  socket.has_path = true;
  ++size_;
  return {};
}

/** Moves the sockets of LISTEN_FDS above the numbers that place_fds() gives to all sockets later. */
Done SocketBindings::take_inherited() noexcept {
  failed_at_ = {};
  auto const given = ListenFds::own();
  if (!given) return fail(given);
  failed_at_ = "the sockets of LISTEN_FDS";
  if (given->size() != inherited_) return failed("name each of", EINVAL);
  size_t next = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (!sockets_[i].address.is_none()) continue;
    int const moved = sys::fcntl(given->fd(next++), F_DUPFD_CLOEXEC, listen_fds_start + static_cast<int>(size_));
    if (moved < 0) return failed("get descriptors for");
    sockets_[i].bound.fd.reset(moved);
  }
  for (size_t i = 0; i < inherited_; ++i) sys::close(given->fd(i));
  return {};
}

void SocketBindings::remove(size_t i) noexcept {
  for (--size_; i < size_; ++i) {
    sockets_[i] = std::move(sockets_[i + 1]);
    names_[i] = names_[i + 1];
  }
}

Done SocketBindings::bind(BindOptions const &options, Callback<bool(SysError, std::string_view)> goes_on) noexcept {
  if (inherited_)
    if (auto const taken = take_inherited(); !taken) return taken;
  for (size_t i = 0; i < size_;) {
    auto &[address, written, bound, has_path] = sockets_[i];
    auto made = address.is_none() ? Result<BoundSocket>(std::move(bound)) : bind_socket(address, options);
    if (made) {
      bound = std::move(*made);
      has_path = address.is_local();
      ++i;
      continue;
    }
    failed_at_ = written;
    if (!goes_on(made.error(), written)) {
      remove_paths();
      return fail(made);
    }
    remove(i);
    failed_at_ = "any of the sockets";
    if (!size_) return fail(made);
  }
  return {};
}

void SocketBindings::remove_paths() noexcept {
  for (size_t i = 0; i < size_; ++i)
    if (sockets_[i].has_path) remove_path(sockets_[i].bound, sockets_[i].address);
}

Result<List<char>> SocketBindings::addresses() const noexcept {
  List<char> lines;
  for (size_t i = 0; i < size_; ++i) {
    Text<256> line(names_[i]);
    if (line.size()) line << '=';
    line << socket_text(sockets_[i].bound.fd.get()).view() << '\n';
    if (!append(lines, line.view())) return failed("allocate memory for", ENOMEM);
  }
  return lines;
}

} // namespace pm::super
