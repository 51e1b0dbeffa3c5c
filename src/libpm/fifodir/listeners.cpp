#include "libpm/fifodir/listeners.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <algorithm>
#include <utility>
#include "libpm/fifodir/token.h"
#include "libpm/os/directory.h"
#include "libpm/os/sys.h"

namespace pm::fifodir {

namespace {

constexpr std::string_view prefixes[] = {"ftrig1:", "pm1:"};
/** `@`, 24 digits, `:` and 6 characters. */
constexpr size_t label_length = 32;

} // namespace

std::string_view prefix(ListenerKind kind) noexcept {
  return prefixes[static_cast<size_t>(kind)];
}

std::optional<ListenerKind> listener_kind(std::string_view name) noexcept {
  for (auto const kind : {ListenerKind::bytes, ListenerKind::lines}) {
    auto const before = prefix(kind);
    if (name.starts_with(before) && name.size() == before.size() + label_length && name[before.size()] == '@') return kind;
  }
  return std::nullopt;
}

Listeners::~Listeners() {
  close();
}

void Listeners::close() noexcept {
  for (auto *fds : {&byte_fds_, &line_fds_}) {
    for (int const fd : *fds) sys::close(fd);
    fds->clear();
  }
  limit_.restore();
}

Result<int> Listeners::open_one(int fifodir, char const *name) noexcept {
  for (;;) {
    auto fifo = open_token(fifodir, name);
    if (fifo) return fifo->release();
    if (fifo.error().code != EMFILE || !limit_.raise()) return fail(fifo);
  }
}

/** Descriptors have run out: closes some of the FIFOs, so that the change itself finds a few. send() opens them again. */
Done Listeners::run_short(int code) noexcept {
  constexpr int for_the_change = 8;
  is_short_ = true;
  if (byte_fds_.empty() && line_fds_.empty()) return failed("open the listeners", code);
  for (int i = 0; i < for_the_change; ++i) {
    auto &fds = byte_fds_.empty() ? line_fds_ : byte_fds_;
    if (fds.empty()) break;
    sys::close(fds[fds.size() - 1]);
    fds.truncate(fds.size() - 1);
  }
  return {};
}

Done Listeners::open(int dir, char const *path, std::string_view except, bool whole) noexcept {
  constexpr char const *doing = "open the listeners";
  bool is_noted = false;
  auto const note = [&]() noexcept {
    dir_ = dir;
    if (!except.empty()) except_ = except;
    return std::exchange(is_noted, true) || append(paths_, {path, strlen(path) + 1});
  };
  return each_entry(
      dir, path,
      [&](int fifodir, char const *name, unsigned char type) noexcept -> Done {
        auto const kind = listener_kind(name);
        if (!kind || !may_be_fifo(type) || name == except) return {};
        if (!note()) return failed(doing, ENOMEM);
        if (is_short_) return {};
        auto const fd = open_one(fifodir, name);
        if (fd && (*kind == ListenerKind::lines ? line_fds_ : byte_fds_).append(*fd)) return {};
        if (fd) {
          sys::close(*fd);
          return failed(doing, ENOMEM);
        }
        switch (fd.error().code) {
          case ENXIO: sys::unlinkat(fifodir, name, 0); return {};
          case EMFILE:
          case ENFILE: return run_short(fd.error().code);
          case ENOMEM: return failed(doing, ENOMEM);
          default: return {}; // removed meanwhile, or not a listener's FIFO, in a shared fifodir
        }
      },
      whole);
}

/** Opens and serves, one after another, the listeners that were not open. */
unsigned Listeners::send_to_rest(NoSigpipe &guard, std::string_view event, std::string_view line) noexcept {
  unsigned reached = 0;
  for (char const *path = paths_.begin(); path != paths_.end(); path += strlen(path) + 1) {
    // A listener that cannot be reached now misses the event, as one whose FIFO is full.
    (void)each_entry(dir_, path, [&](int fifodir, char const *name, unsigned char type) noexcept -> Done {
      auto const kind = listener_kind(name);
      if (!kind || !may_be_fifo(type) || name == except_) return {};
      auto const fifo = open_token(fifodir, name);
      struct stat st;
      if (!fifo || sys::fstat(fifo->get(), &st) < 0) return {};
      if (std::find(served_.begin(), served_.end(), st.st_ino) != served_.end()) return {};
      auto const text = *kind == ListenerKind::lines ? line : event;
      if (!text.empty() && guard.write(fifo->get(), text) == static_cast<ssize_t>(text.size())) ++reached;
      return {};
    });
  }
  return reached;
}

unsigned Listeners::send(std::string_view event, std::string_view line) noexcept {
  unsigned reached = 0;
  if (!byte_fds_.empty() || !line_fds_.empty() || is_short_) {
    NoSigpipe guard;
    auto const send_to = [&](List<int> &fds, std::string_view text) noexcept {
      // Close each at once: then the event and the hang-up wake the listener once, not twice.
      for (int const fd : fds) {
        struct stat st;
        // Without memory for its number, a listener gets the event twice.
        if (is_short_ && sys::fstat(fd, &st) == 0) (void)served_.append(st.st_ino);
        if (!text.empty() && guard.write(fd, text) == static_cast<ssize_t>(text.size())) ++reached;
        sys::close(fd);
      }
      fds.clear();
    };
    send_to(line_fds_, line);
    send_to(byte_fds_, event);
    if (is_short_) reached += send_to_rest(guard, event, line);
    is_short_ = false;
    paths_.clear();
    served_.clear();
  }
  limit_.restore();
  return reached;
}

Done clean(int dir, char const *path) noexcept {
  auto const fifodir = open_directory(dir, path);
  if (!fifodir) return fail(fifodir);
  struct stat st;
  if (sys::fstat(fifodir->get(), &st) < 0) return failed("read a directory");
  // A process that was killed while it subscribed left a hidden name. In a fifodir that the group can write to, another process
  // may be subscribing now, so hidden names stay.
  bool const hidden_too = !(st.st_mode & S_IWGRP);
  return each_entry(fifodir->get(), ".", [hidden_too](int own, char const *name, unsigned char type) noexcept -> Done {
    bool const hidden = hidden_too && *name == '.';
    if (!listener_kind(name + hidden) || !may_be_fifo(type)) return {};
    auto const state = life(own, name);
    if (!state && state.error().code == EACCES) return {}; // a member of the group may deny access to a FIFO
    if (!state) return fail(state);
    if (*state == Life::dead) sys::unlinkat(own, name, 0);
    return {};
  });
}

} // namespace pm::fifodir
