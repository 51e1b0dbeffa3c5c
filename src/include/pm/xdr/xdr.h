/** XDR, RFC 4506: the one binary encoding. A struct lists its fields once, and that list both writes and reads it. */
#ifndef PM_XDR_XDR_H
#define PM_XDR_XDR_H

#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <stdint.h>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

/**
 * A struct that can be a message, or part of one, has a static function that hands its fields, in order, to a coder:
 *
 *     struct Ticket {
 *       xdr::String<127> service;
 *       uint64_t since;
 *       template <class Coder>
 *       static bool fields(Coder &coder, auto &self) noexcept { return coder(self.service, self.since); }
 *     };
 *
 * What was read views the bytes it was read from: strings are not copied. A field may be a descriptor, an Fd: in the bytes
 * it is a bool, whether there is one, and the descriptors go beside them, in the order of the fields. So 0 is one like any
 * other, and -1 is none: what is not set says so by itself, and nobody has to dup(2) his standard input to send it.
 */
namespace pm::xdr {

/** string<Max> or opaque<Max>, section 4.10, 4.11: at most Max bytes. Any bytes: what is text is for its reader to say. */
template <uint32_t Max>
struct String : std::string_view {
  String() noexcept = default;
  String(std::string_view s) noexcept : std::string_view(s) {}
};

/** T<Max>, section 4.13: at most Max elements, owned. */
template <class T, uint32_t Max>
struct Array {
  List<T> elements;
};

/** A linked list, section 4.19: each element after a true, and a false after the last. At most Max elements, owned. */
template <class T, uint32_t Max>
struct Chain {
  List<T> elements;
};

/** As many descriptors as there are, at most Max, owned. */
template <uint32_t Max>
struct FdArray {
  Fd elements[Max];
  uint32_t size = 0;
};

template <class T>
concept Enum = std::is_enum_v<T>;

/** Writes. Appends to a buffer; false when there is no memory, or something is longer than its type allows. */
class Encoder {
 public:
  /** `descriptors`: where the numbers of those that are to go beside the bytes are appended; null: there can be none. */
  explicit Encoder(List<char> &out, List<int> *descriptors = nullptr) noexcept : out_(&out), descriptors_(descriptors) {}

  template <class... Values>
  [[nodiscard]] bool operator()(Values const &...values) noexcept {
    return (put(values) && ...);
  }

 private:
  bool put(uint32_t n) noexcept;
  bool put(int32_t n) noexcept { return put(static_cast<uint32_t>(n)); }
  bool put(uint64_t n) noexcept { return put(static_cast<uint32_t>(n >> 32)) && put(static_cast<uint32_t>(n)); }
  bool put(bool b) noexcept { return put(uint32_t{b}); }
  bool put(Enum auto e) noexcept { return put(static_cast<uint32_t>(e)); }
  bool put(Fd const &fd) noexcept;
  template <uint32_t Max>
  bool put(FdArray<Max> const &array) noexcept {
    if (array.size > Max || !put(array.size)) return false;
    for (uint32_t i = 0; i < array.size; ++i)
      if (!put(array.elements[i])) return false;
    return true;
  }
  template <uint32_t Max>
  bool put(String<Max> const &s) noexcept {
    return s.size() <= Max && put_bytes(s);
  }
  template <class T, uint32_t Max>
  bool put(Array<T, Max> const &array) noexcept {
    if (array.elements.size() > Max || !put(static_cast<uint32_t>(array.elements.size()))) return false;
    for (T const &element : array.elements)
      if (!put(element)) return false;
    return true;
  }
  template <class T, uint32_t Max>
  bool put(Chain<T, Max> const &chain) noexcept {
    if (chain.elements.size() > Max) return false;
    for (T const &element : chain.elements)
      if (!put(true) || !put(element)) return false;
    return put(false);
  }
  template <class T>
  requires requires(Encoder &coder, T const &value) { T::fields(coder, value); }
  bool put(T const &value) noexcept { return T::fields(*this, value); }
  bool put_bytes(std::string_view bytes) noexcept;

  List<char> *out_;
  List<int> *descriptors_;
};

/**
 * Reads. False, and nothing after it is read, at the first thing that cannot be: too short, a length above its bound,
 * padding that is not zero, a bool or an enum of no such value. Reads no byte twice and allocates for no element that is not there.
 */
class Decoder {
 public:
  /** `descriptors`: those that came beside the bytes. One that is read is its reader's, and -1 in its place. */
  explicit Decoder(std::string_view bytes, std::span<int> descriptors = {}) noexcept : left_(bytes), descriptors_(descriptors) {}

  template <class... Values>
  [[nodiscard]] bool operator()(Values &...values) noexcept {
    return (get(values) && ...);
  }
  /** What was not read yet. */
  [[nodiscard]] std::string_view rest() const noexcept { return left_; }
  /** Whether all was read. */
  [[nodiscard]] bool at_end() const noexcept { return left_.empty() && descriptors_.empty(); }

 private:
  bool get(uint32_t &n) noexcept;
  bool get(int32_t &n) noexcept;
  bool get(uint64_t &n) noexcept;
  bool get(bool &b) noexcept;
  bool get(Fd &fd) noexcept;
  template <uint32_t Max>
  bool get(FdArray<Max> &array) noexcept {
    uint32_t count;
    for (; array.size; --array.size) array.elements[array.size - 1].reset();
    if (!get(count) || count > Max || count > left_.size() / 4) return false;
    for (; array.size < count; ++array.size)
      if (!get(array.elements[array.size])) return false;
    return true;
  }
  /** An enum says, beside its type, which is its last: `last_of(E)`, the first being 0. */
  template <Enum E>
  bool get(E &e) noexcept {
    uint32_t n;
    if (!get(n) || n > static_cast<uint32_t>(last_of(E{}))) return false;
    e = static_cast<E>(n);
    return true;
  }
  template <uint32_t Max>
  bool get(String<Max> &s) noexcept {
    return get_bytes(s, Max);
  }
  template <class T, uint32_t Max>
  bool get(Array<T, Max> &array) noexcept {
    uint32_t count;
    array.elements.clear();
    // Each element has at least four bytes: a count that there cannot be is refused before anything is done for it.
    if (!get(count) || count > Max || count > left_.size() / 4) return false;
    while (count--) {
      T element{};
      if (!get(element) || !array.elements.append(element)) return false;
    }
    return true;
  }
  template <class T, uint32_t Max>
  bool get(Chain<T, Max> &chain) noexcept {
    chain.elements.clear();
    for (bool more;;) {
      if (!get(more)) return false;
      if (!more) return true;
      T element{};
      if (chain.elements.size() == Max || !get(element) || !chain.elements.append(element)) return false;
    }
  }
  template <class T>
  requires requires(Decoder &coder, T &value) { T::fields(coder, value); }
  bool get(T &value) noexcept { return T::fields(*this, value); }
  bool get_bytes(std::string_view &bytes, uint32_t most) noexcept;

  std::string_view left_;
  std::span<int> descriptors_;
};

/** Reads the whole of `bytes` as a T, which views them. */
template <class T>
[[nodiscard]] bool decode(std::string_view bytes, T &value) noexcept {
  Decoder decoder(bytes);
  return decoder(value) && decoder.at_end();
}

} // namespace pm::xdr

#endif
