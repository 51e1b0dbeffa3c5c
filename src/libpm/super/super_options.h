/** The options of the server, which pm-super and pm-superd read from their command lines. */
#pragma once

#include <stdint.h>

namespace pm::super {

struct SuperOptions {
  char const *name = "";                  /**< the program's name, for messages to refused clients */
  uint32_t verbosity = 1;                 /**< 0: errors; 1: and warnings; 2: and a line for each start and end */
  uint32_t most = 40;                     /**< the limit of connections at a time */
  uint32_t most_of_one = 0;               /**< the limit for one user or IP address; 0: as `most` */
  uint32_t wait = 0;                      /**< how many connections of one client wait; 0: they are refused */
  int ready = -1;                         /**< the descriptor that gets a newline when the server is ready; -1: none */
  bool credentials = true;                /**< get the credentials of a Unix socket's client */
  bool outer = false;                     /**< serve the sockets of LISTEN_FDS, not descriptor 0 */
  bool own = false;                       /**< no other process serves the sockets: when they close, their queues are lost */
  bool tell = false;                      /**< send refused clients the reason */
  bool blocking = true;                   /**< PROG's descriptors 0 and 1 block */
  char const *banner = nullptr;           /**< sent to each client first; null: nothing */
  uint32_t idle = 0;                      /**< end after this time without connections, ms; 0: never */
  uint32_t starts = 0, starts_ms = 0;     /**< at most `starts` starts in `starts_ms` ms; 0: no limit */
  uint32_t failures = 0, failures_ms = 0; /**< give up after `failures` in `failures_ms` ms; 0: never */
};

} // namespace pm::super
