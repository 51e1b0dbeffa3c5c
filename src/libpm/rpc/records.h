/** Record marking, RFC 5531, section 11: how messages are divided on a stream. */
#pragma once

#include <pm/types.h>
#include <stdint.h>
#include <string_view>

namespace pm::rpc {

/** Bytes of the mark before each fragment. Its highest bit is set before the last fragment of a record. */
inline constexpr size_t mark_size = 4;
inline constexpr uint32_t last_fragment = 0x80000000;

/** Appends a mark. To begin a fragment whose size is not known yet, append a mark of size 0 and call end_fragment() later. */
[[nodiscard]] bool append_mark(List<char> &out, uint32_t size, bool last) noexcept;
/** Ends the fragment whose mark is at `mark`: it is all that was appended since. */
void end_fragment(List<char> &out, size_t mark, bool last) noexcept;

/**
 * Reads records from a stream that arrives in arbitrary pieces. It allocates memory only for received bytes, whatever size a mark
 * has.
 */
class Records {
 public:
  /** The most bytes of a record, and the most fragments. */
  Records(size_t most, unsigned most_fragments) noexcept : most_(most), most_fragments_(most_fragments) {}

  enum class Taken : uint8_t {
    record,    /**< a record is complete */
    need_more, /**< all bytes were taken, and no record is complete */
    too_long,  /**< a record is too long or has too many fragments: the stream cannot be read any further */
    no_memory
  };
  /**
   * Takes bytes from the front until a record is complete. The record is valid until the next call, and as long as `bytes` is.
   */
  [[nodiscard]] Taken next(std::string_view &bytes, std::string_view &record) noexcept;
  /** Whether a record has begun and is not complete. */
  [[nodiscard]] bool within() const noexcept { return marked_ || in_mark_ || fragments_; }
  /** The number of its bytes that are kept. */
  [[nodiscard]] size_t held() const noexcept { return record_.size(); }

 private:
  [[nodiscard]] bool take_mark(std::string_view &bytes) noexcept;

  size_t most_;
  unsigned most_fragments_;
  List<char> record_;
  char mark_[mark_size];
  uint8_t in_mark_ = 0;    /**< received bytes of a mark */
  bool marked_ = false;    /**< the mark of a fragment was received */
  bool last_ = false;      /**< and the fragment is the last */
  bool taken_ = false;     /**< record_ was returned, and is to be cleared */
  uint32_t left_ = 0;      /**< bytes of the fragment that are missing */
  unsigned fragments_ = 0; /**< complete fragments of this record */
};

} // namespace pm::rpc
