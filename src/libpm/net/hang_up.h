/** Ends a connection that is not served. */
#pragma once

namespace pm {

/**
 * Shuts a connection down in both directions, and discards the bytes that have arrived, at most 1 MB. The caller closes it
 * afterwards. If bytes were unread at the close, the client would read ECONNRESET instead of the end of file. Bytes that reach a
 * TCP connection later reset it; a client on Linux still reads the end of file, because that arrives first. Does not wait: it
 * stops at the first message with descriptors, because closing these may wait (os/interrupter.h). A process that exits closes
 * them without waiting.
 */
void hang_up(int connection) noexcept;

} // namespace pm
