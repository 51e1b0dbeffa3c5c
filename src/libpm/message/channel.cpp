#include <pm/message/channel.h>

#include <linux/sockios.h>
#include <pm/base/stream.h>
#include <string.h>
#include <sys/ioctl.h>
#include <algorithm>

namespace pm::message {

namespace {
constexpr char const *receiving = "receive a message", *sending = "send a message";
}

Result<Message *> Channel::finish(Header const &header, std::string_view payload) noexcept {
  if (payload.size() != header.size || message_.descriptors.size() != header.descriptors) return failed(receiving, EPROTO);
  message_.type = header.type;
  message_.payload = payload;
  return &message_;
}

/** 0, or what is wrong. The mark of a fragment is taken off, where there may be fragments. */
int Channel::read_header(std::string_view bytes, Header &header) noexcept {
  xdr::Decoder decoder(bytes);
  if (!decoder(header)) return EPROTO;
  message_.more = (header.descriptors & fragments_) != 0;
  header.descriptors &= ~fragments_;
  return header.size > payload_most_ || header.descriptors > descriptors_max ? EMSGSIZE : 0;
}

/** A packet is a message, whole or not at all. */
Result<Message *> Channel::receive_packet() noexcept {
  message_.descriptors.clear();
  if (!buffer_.resize(header_size + payload_max)) return failed(receiving, ENOMEM);
  auto const got = receive_once(in_, {buffer_.begin(), buffer_.size()}, message_.descriptors, sender_);
  if (!got) return fail(got);
  // Nothing is the end of a connection; of a datagram it is an empty one, even if descriptors came with it.
  if (*got == 0 && kind_ == SOCK_SEQPACKET && message_.descriptors.size() == 0) return nullptr;
  std::string_view const bytes(buffer_.begin(), *got);
  Header header;
  if (int const wrong = read_header(bytes, header)) return failed(receiving, wrong);
  return finish(header, bytes.substr(header_size));
}

Result<Message *> Channel::receive_now() noexcept {
  if (kind_ == 0) {
    socklen_t size = sizeof kind_;
    if (sys::getsockopt(in_, SOL_SOCKET, SO_TYPE, &kind_, &size) < 0) return failed(receiving);
  }
  auto const received = kind_ == SOCK_STREAM ? receive_frame() : receive_packet();
  // What there is of a frame stays until the rest of it has come; of what is none, nothing does.
  if (!received && received.error().code != EAGAIN && received.error().code != EINTR) message_.descriptors.clear();
  return received;
}

/** A frame of a stream: what came of it is kept from one call to the next. */
Result<Message *> Channel::receive_frame() noexcept {
  if (have_ == 0) message_.descriptors.clear();
  // Only as much as was announced is read: what follows belongs to the next message, with its descriptors.
  size_t wanted = header_size;
  for (;;) {
    if (have_ >= header_size) {
      Header header;
      if (int const wrong = read_header({buffer_.begin(), header_size}, header)) return failed(receiving, wrong);
      wanted = header_size + header.size;
      if (have_ == wanted) {
        have_ = 0;
        return finish(header, {buffer_.begin() + header_size, header.size});
      }
    }
    if (!buffer_.resize(wanted)) return failed(receiving, ENOMEM);
    auto const got = receive_once(in_, {buffer_.begin() + have_, wanted - have_}, message_.descriptors, sender_);
    if (!got) return fail(got);
    if (*got == 0 && have_ == 0 && message_.descriptors.size() == 0) return nullptr;
    if (*got == 0) return failed(receiving, EPROTO);
    have_ += *got;
  }
}

Result<Message *> Channel::receive_ahead() noexcept {
  constexpr size_t room = 4096;
  message_.descriptors.clear();
  for (;;) {
    size_t wanted = header_size;
    if (have_ - used_ >= header_size) {
      Header header;
      if (int const wrong = read_header({buffer_.begin() + used_, header_size}, header)) return failed(receiving, wrong);
      wanted += header.size;
      if (have_ - used_ >= wanted) {
        std::string_view const payload(buffer_.begin() + used_ + header_size, header.size);
        used_ += wanted;
        // They are in the order of the frames. With the last byte that is here, none can be left for a frame that follows.
        if (came_.size() < header.descriptors || (used_ == have_ && came_.size() > header.descriptors))
          return failed(receiving, EPROTO);
        came_.give(header.descriptors, message_.descriptors);
        return finish(header, payload);
      }
    }
    if (used_) memmove(buffer_.begin(), buffer_.begin() + used_, have_ - used_);
    have_ -= used_;
    used_ = 0;
    if (!buffer_.resize(std::max(wanted, room))) return failed(receiving, ENOMEM);
    auto const got = receive_once(in_, {buffer_.begin() + have_, buffer_.size() - have_}, came_, sender_);
    if (!got) {
      if (got.error().code != EAGAIN && got.error().code != EINTR) came_.clear();
      return fail(got);
    }
    if (*got == 0 && have_ == 0 && came_.size() == 0) return nullptr;
    if (*got == 0) {
      cut_short_ = true;
      return failed(receiving, EPROTO);
    }
    have_ += *got;
  }
}

Done Channel::wait(Deadline deadline, int stop) noexcept {
  auto const ready = wait_for(in_, POLLIN, deadline, stop);
  if (ready) return {};
  message_.descriptors.clear();
  return failed(receiving, ready.error().code);
}

Done Channel::send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Deadline deadline,
                   int stop) noexcept {
  if (payload.size() > payload_max || descriptors.size() > descriptors_max) return failed(sending, EMSGSIZE);
  List<char> bytes;
  xdr::Encoder encoder(bytes);
  Header const head = {type, static_cast<uint32_t>(payload.size()), static_cast<uint32_t>(descriptors.size())};
  if (!encoder(head) || !append(bytes, payload)) return failed(sending, ENOMEM);

  LocalName const to = {sender_.address, sender_.size};
  return send_all(out_, {bytes.begin(), bytes.size()}, descriptors, deadline, stop,
                  kind_ == SOCK_DGRAM && sender_.size > 0 ? &to : nullptr);
}

bool Channel::is_delivered() const noexcept {
  int unread = 0;
  return sys::ioctl(out_, SIOCOUTQ, &unread) == 0 && unread == 0;
}

} // namespace pm::message
