#include "libpm/message/incoming.h"

namespace pm::message {

namespace {
constexpr char const *receiving = "receive a message";
}

/** Appends a fragment. The first one has the descriptors of the message. */
Done Incoming::join(Message &fragment) noexcept {
  if (!joining_) {
    bytes_.clear();
    whole_.type = fragment.type;
    fragment.descriptors.give(fragment.descriptors.size(), whole_.descriptors);
  } else if (fragment.type != whole_.type || fragment.descriptors.size()) {
    return failed(receiving, EPROTO);
  }
  // Refuse empty fragments: a peer could send them without end.
  if (fragment.payload.empty() || bytes_.size() + fragment.payload.size() > Connection::message_max)
    return failed(receiving, EPROTO);
  if (!append(bytes_, fragment.payload)) return failed(receiving, ENOMEM);
  joining_ = frames_.is_fragment();
  return {};
}

Result<Message *> Incoming::next() noexcept {
  if (!joining_) whole_.descriptors.clear();
  for (;;) {
    auto const frame = frames_.next();
    if (!frame && frame.error().code == EINTR) continue;
    if (!frame && frame.error().code == EPROTO && frames_.is_cut_short()) return failed(receiving, ECONNRESET);
    if (!frame) return frame;
    if (!*frame) return joining_ ? Result<Message *>(failed(receiving, ECONNRESET)) : frame;
    if (!joining_ && !frames_.is_fragment()) return frame;
    if (auto const joined = join(**frame); !joined) return fail(joined);
    if (joining_) continue;
    whole_.payload = {bytes_.begin(), bytes_.size()};
    return &whole_;
  }
}

} // namespace pm::message
