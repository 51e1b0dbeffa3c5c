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

bool may_be_fifo(Entries const &entries) noexcept {
  return entries.type() == DT_FIFO || entries.type() == DT_UNKNOWN;
}

} // namespace

bool is_listener(char const *name) noexcept {
  return strncmp(name, "ftrig1:@", 8) == 0 && strlen(name) == listener_name_length;
}

Listeners::~Listeners() {
  close();
}

void Listeners::close() noexcept {
  for (int const fd : fds_) sys::close(fd);
  fds_.clear();
  if (raised_) sys::setrlimit(RLIMIT_NOFILE, &limit_);
  raised_ = false;
}

/** Raises the soft limit of descriptors to the hard one, once; whether there is more room now. */
bool Listeners::raise_limit() noexcept {
  if (raised_ || sys::getrlimit(RLIMIT_NOFILE, &limit_) < 0 || limit_.rlim_cur == limit_.rlim_max) return false;
  struct rlimit const hard = {limit_.rlim_max, limit_.rlim_max};
  raised_ = sys::setrlimit(RLIMIT_NOFILE, &hard) == 0;
  return raised_;
}

Result<int> Listeners::open_one(int fifodir, char const *name) noexcept {
  for (;;) {
    auto fifo = open_token(fifodir, name);
    if (fifo) return fifo->release();
    if (fifo.error().code != EMFILE || !raise_limit()) return fail(fifo);
  }
}

Done Listeners::open(int dir, char const *path) noexcept {
  auto const fifodir = open_directory(dir, path);
  if (!fifodir && fifodir.error().code == ENOENT) return {};
  if (!fifodir) return fail(fifodir);
  Entries entries(fifodir->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    if (!is_listener(*name) || !may_be_fifo(entries)) continue;
    auto const fd = open_one(fifodir->get(), *name);
    if (fd && fds_.append(*fd)) continue;
    if (fd) {
      sys::close(*fd);
      return failed("open the listeners", ENOMEM);
    }
    switch (fd.error().code) {
      case ENXIO: sys::unlinkat(fifodir->get(), *name, 0); break;
      case EMFILE:
      case ENFILE:
      case ENOMEM: return failed("open the listeners", fd.error().code);
      default: break; // gone meanwhile, or something in a shared fifodir that is nobody's listener
    }
  }
}

unsigned Listeners::send(std::string_view event) noexcept {
  unsigned reached = 0;
  if (!fds_.empty()) {
    NoSigpipe guard;
    for (int const fd : fds_)
      if (guard.write(fd, event) == static_cast<ssize_t>(event.size())) ++reached;
  }
  close();
  return reached;
}

Done clean(int dir, char const *path) noexcept {
  auto const fifodir = open_directory(dir, path);
  if (!fifodir) return fail(fifodir);
  struct stat st;
  if (sys::fstat(fifodir->get(), &st) < 0) return failed("read a directory");
  // One that was killed while subscribing left a hidden name. Where others may be subscribing just now, it is left alone.
  bool const hidden_too = !(st.st_mode & S_IWGRP);
  Entries entries(fifodir->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    bool const hidden = hidden_too && **name == '.';
    if (!is_listener(*name + hidden) || !may_be_fifo(entries)) continue;
    auto const state = life(fifodir->get(), *name);
    if (!state && state.error().code == EACCES) continue; // a group's member may keep his FIFO from us
    if (!state) return fail(state);
    if (*state == Life::dead) sys::unlinkat(fifodir->get(), *name, 0);
  }
}

} // namespace pm::fifodir
