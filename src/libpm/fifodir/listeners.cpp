#include <pm/fifodir/listeners.h>

#include <dirent.h>
#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/sigpipe.h>
#include <pm/base/sys.h>
#include <pm/fifodir/token.h>

namespace pm::fifodir {

namespace {

constexpr size_t listener_name_length = 39;

bool may_be_fifo(unsigned char type) noexcept {
  return type == DT_FIFO || type == DT_UNKNOWN;
}

} // namespace

bool is_listener(char const *name) noexcept {
  std::string_view const text = name;
  return text.starts_with("ftrig1:@") && text.size() == listener_name_length;
}

Listeners::~Listeners() {
  close();
}

void Listeners::close() noexcept {
  for (int const fd : fds_) sys::close(fd);
  fds_.clear();
  limit_.restore();
}

Result<int> Listeners::open_one(int fifodir, char const *name) noexcept {
  for (;;) {
    auto fifo = open_token(fifodir, name);
    if (fifo) return fifo->release();
    if (fifo.error().code != EMFILE || !limit_.raise()) return fail(fifo);
  }
}

Done Listeners::open(int dir, char const *path, std::string_view except) noexcept {
  return each_entry(dir, path, [this, except](int fifodir, char const *name, unsigned char type) noexcept -> Done {
    if (!is_listener(name) || !may_be_fifo(type) || name == except) return {};
    auto const fd = open_one(fifodir, name);
    if (fd && fds_.append(*fd)) return {};
    if (fd) {
      sys::close(*fd);
      return failed("open the listeners", ENOMEM);
    }
    switch (fd.error().code) {
      case ENXIO: sys::unlinkat(fifodir, name, 0); return {};
      case EMFILE:
      case ENFILE:
      case ENOMEM: return failed("open the listeners", fd.error().code);
      default: return {}; // gone meanwhile, or something in a shared fifodir that is nobody's listener
    }
  });
}

unsigned Listeners::send(std::string_view event) noexcept {
  unsigned reached = 0;
  if (!fds_.empty()) {
    NoSigpipe guard;
    // Each is closed at once: to be written to and to be hung up on is then one awakening, and not two.
    for (int const fd : fds_) {
      if (guard.write(fd, event) == static_cast<ssize_t>(event.size())) ++reached;
      sys::close(fd);
    }
  }
  fds_.clear();
  limit_.restore();
  return reached;
}

Done clean(int dir, char const *path) noexcept {
  auto const fifodir = open_directory(dir, path);
  if (!fifodir) return fail(fifodir);
  struct stat st;
  if (sys::fstat(fifodir->get(), &st) < 0) return failed("read a directory");
  // One that was killed while subscribing left a hidden name. Where others may be subscribing just now, it is left alone.
  bool const hidden_too = !(st.st_mode & S_IWGRP);
  return each_entry(fifodir->get(), ".", [hidden_too](int own, char const *name, unsigned char type) noexcept -> Done {
    bool const hidden = hidden_too && *name == '.';
    if (!is_listener(name + hidden) || !may_be_fifo(type)) return {};
    auto const state = life(own, name);
    if (!state && state.error().code == EACCES) return {}; // a group's member may keep his FIFO from us
    if (!state) return fail(state);
    if (*state == Life::dead) sys::unlinkat(own, name, 0);
    return {};
  });
}

} // namespace pm::fifodir
