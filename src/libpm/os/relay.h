/** Copies between a connection and two other descriptors, such as standard input and output. */
#pragma once

#include "libpm/util/result.h"

namespace pm {

/** How a relay has ended. */
enum class RelayEnd : uint8_t {
  server_closed, /**< all that the server sent was written */
  reader_gone,   /**< the reader of `out` has gone */
};

/**
 * Copies from `in` to `connection`, a stream socket that no other process uses, and from `connection` to `out`. Neither direction waits
 * for the other. Each holds at most 64 KiB, and reads no more before that was written. The connection becomes non-blocking. The modes
 * of `in` and `out` do not change, because other processes may share them.
 *
 * - At the end of `in`, also if `in` is not open for reading, the sending side of the connection is shut down.
 * - At the end of the connection the relay ends, whether or not `in` has ended.
 * - If the server takes no more, `in` is not read any more, and what the server still sends is copied. Then a reset is an error,
 *   but EPIPE, after which the server has ended its sending in order, is not.
 * - If the reader of `out` goes, the relay ends: at once if the server has sent more, otherwise after it has sent what `in` had.
 *
 * The caller ignores SIGPIPE. Errors: those of read(2), write(2), recv(2), send(2) and splice(2).
 */
[[nodiscard]] Result<RelayEnd> relay(int in, Fd connection, int out) noexcept;

} // namespace pm
