/** Record marking, RFC 5531, section 11: messages on a stream. */
#ifndef PM_RPC_RECORDS_H
#define PM_RPC_RECORDS_H

#include <pm/base/list.h>
#include <stdint.h>
#include <string_view>

namespace pm::onc {

/** Bytes of the mark before each fragment; its highest bit says that it is a record's last. */
inline constexpr size_t mark_size = 4;
inline constexpr uint32_t last_fragment = 0x80000000;

/** Appends a mark. */
[[nodiscard]] bool append_mark(List<char> &out, uint32_t size, bool last) noexcept;
/** Writes a mark over four bytes. */
void write_mark(char *bytes, uint32_t size, bool last) noexcept;

/** Takes records off a stream, whatever pieces it comes in. Nothing is kept of a length but what has come of it. */
class Records {
 public:
  /** Most bytes of a record, and fragments of one that has several. */
  Records(size_t most, unsigned most_fragments) noexcept : most_(most), most_fragments_(most_fragments) {}

  enum class Taken : uint8_t {
    record,    /**< one is whole */
    need_more, /**< all was taken, and there is none yet */
    too_long,  /**< this stream's records cannot be read any more: one is too long, or in too many pieces */
    no_memory
  };
  /** Takes from the front of `bytes` until there is a record; it is good until the next call, as long as `bytes`' own are. */
  [[nodiscard]] Taken next(std::string_view &bytes, std::string_view &record) noexcept;
  /** Whether a record has begun and has not ended. */
  [[nodiscard]] bool within() const noexcept { return marked_ || in_mark_ || fragments_; }
  /** How many bytes are kept of it. */
  [[nodiscard]] size_t held() const noexcept { return record_.size(); }

 private:
  [[nodiscard]] bool take_mark(std::string_view &bytes) noexcept;

  size_t most_;
  unsigned most_fragments_;
  List<char> record_;
  char mark_[mark_size];
  uint8_t in_mark_ = 0;    /**< bytes of a mark that have come */
  bool marked_ = false;    /**< the mark of a fragment has come */
  bool last_ = false;      /**< and it is the last */
  bool taken_ = false;     /**< record_ was given away, and is to be forgotten */
  uint32_t left_ = 0;      /**< bytes of the fragment that have not come */
  unsigned fragments_ = 0; /**< of this record, before the one that is being read */
};

} // namespace pm::onc

#endif
