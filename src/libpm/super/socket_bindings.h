/** The sockets that a command line names. */
#pragma once

#include "libpm/net/listen.h"
#include "libpm/net/listen_fds.h"
#include "libpm/util/callback.h"

namespace pm::super {

/** Up to listen_fds_max sockets. bind() binds all of them or none. */
class SocketBindings {
 public:
  [[nodiscard]] bool full() const noexcept { return size_ == listen_fds_max; }

  // Do not call these when full():
  /**
   * Adds a socket to bind. `name`: empty for the only socket. `written`: its address as on the command line. Borrows both texts.
   */
  void add(std::string_view name, SockAddr const &address, char const *written) noexcept;
  /** Adds the next socket of LISTEN_FDS under another name. bind() fails unless all sockets of LISTEN_FDS are added. */
  void add_inherited(std::string_view name) noexcept;
  /** Adds a bound Unix socket, and owns it afterwards. remove_paths() also removes its path. Errors as find_file(). */
  [[nodiscard]] Done adopt(SockAddr const &address, int fd) noexcept;

  /**
   * Binds the sockets of add(), and takes those of LISTEN_FDS. EINVAL: LISTEN_FDS has more or fewer sockets than were added.
   * After an error none is bound.
   */
  [[nodiscard]] Done bind(BindOptions const &options) noexcept {
    return bind(options, [](SysError, std::string_view) noexcept { return false; });
  }
  /**
   * The same. `goes_on` is called for a socket that could not be bound, with its address as written; if it returns true, the others are bound
   * without it. The last error: none is left.
   */
  [[nodiscard]] Done bind(BindOptions const &options, Callback<bool(SysError, std::string_view)> goes_on) noexcept;
  /**
   * The address with which bind() failed, as written on the command line, `the sockets of LISTEN_FDS`, or `any of the sockets`; empty:
   * LISTEN_FDS is invalid.
   */
  [[nodiscard]] std::string_view failed_at() const noexcept { return failed_at_; }
  /** Removes the paths of the bound and adopted sockets, as remove_path(). */
  void remove_paths() noexcept;
  /** After bind(): one line for each socket, ADDRESS or NAME=ADDRESS. ENOMEM. */
  [[nodiscard]] Result<List<char>> addresses() const noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] Fd &fd(size_t i) noexcept { return sockets_[i].bound.fd; }
  [[nodiscard]] std::span<std::string_view const> names() const noexcept { return {names_, size_}; }

 private:
  struct BindingSocket {
    SockAddr address;              /**< none: the socket is inherited */
    char const *written = nullptr; /**< null: the socket is inherited or adopted */
    BoundSocket bound;
    bool has_path = false; /**< remove_paths() removes its path */
  };
  [[nodiscard]] Done take_inherited() noexcept;
  void remove(size_t i) noexcept;

  BindingSocket sockets_[listen_fds_max];
  std::string_view names_[listen_fds_max];
  size_t size_ = 0, inherited_ = 0;
  std::string_view failed_at_;
};

} // namespace pm::super
