/** The state of a pm_watch. */
#pragma once

#include <pm.h>
#include "libpm/client/forks.h"
#include "libpm/client/offers.h"
#include "libpm/client/registrations.h"
#include "libpm/registry/fifodir_waiter.h"
#include "libpm/registry/watch.h"

namespace pm::client {

/** One source of events. Only one of the three is there. */
struct Source {
  Box<registry::RegistryWatch> services;
  Box<registry::FifodirWaiter> fifodir;
  Box<Offers> offers;
  registry::Tree const *tree = nullptr; /**< of the services */
  [[nodiscard]] int fd() const noexcept { return services ? services->fd() : fifodir ? fifodir->fd() : offers->fd(); }
};

/** A change of a registration that the caller has not seen yet. Its registration is in the same place of `queued`. */
struct QueuedChange {
  int kind, source;
};

} // namespace pm::client

struct pm_watch {
  explicit pm_watch(pm::Epoll events) noexcept
      : epoll(static_cast<pm::Epoll &&>(events)),
        open([](void *watch) noexcept { static_cast<pm_watch *>(watch)->forget(); }, this) {}
  ~pm_watch() {
    for (auto *source : sources) pm::Box<pm::client::Source>{source};
    for (auto *tree : trees) pm::Box<pm::registry::Tree>{tree};
  }

  /** In a forked child: closes what would keep a listener alive after the parent has ended. */
  void forget() noexcept;

  pm::Epoll epoll;
  pm::List<pm::client::Source *> sources; /**< owned */
  pm::List<pm::registry::Tree *> trees;   /**< owned: the registries of the sources */
  pm::List<int> numbers;                  /**< by descriptor: the source */

  pm::List<pm::client::QueuedChange> changes; /**< with the registrations in `queued` */
  pm::client::CopiedRegistrations queued;
  size_t next = 0;                   /**< of `changes` */
  pm_registry *pending_in = nullptr; /**< the handle in which a pm_watch_services() is pending; null: none */
  int last = -1;                     /**< a fifodir or a socket that may have another event without being readable; -1: none */

  struct pm_registration registration = {}; /**< of the last event */
  pm::List<char> text;                      /**< the same: the bytes, or the variables */
  pm::List<char const *> variables;
  pm::client::OpenHandle open;
};
