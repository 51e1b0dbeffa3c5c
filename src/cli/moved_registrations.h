/** Registrations that follow a service to another process. */
#pragma once

#include "libpm/notify/service_process.h"
#include "libpm/registry/change.h"

namespace pm::notify {

/** A process by its number and its start time. */
struct ProcessName {
  pid_t pid;
  uint64_t start;
};

/**
 * Registers process `to` as `from` is registered by this process's user, and removes the registrations of `from`; with `reserved`
 * also those that are not published yet. Not those that were imported or announced. Returns the token that keeps the new ones
 * alive; invalid: there were none. Exclusive registrations are removed before the new ones are made: if that fails, they are
 * lost.
 */
[[nodiscard]] registry::Answer<Fd> move_registrations(registry::Tree const &tree, ProcessName const &from,
                                                      ServiceProcess const &to, bool reserved, Limit limit) noexcept;

} // namespace pm::notify
