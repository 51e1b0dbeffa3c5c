/** XDR, RFC 4506: the only binary encoding of pm-tools. A struct lists its fields once; that list serves writing and reading. */
#ifndef PM_XDR_H
#define PM_XDR_H

#include <pm/types.h>
#include <stdint.h>
#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/**
 * A struct that is a message, or part of one, lists its fields in their order on the wire:
 *
 *     struct Ticket {
 *       xdr::String<127> service;
 *       uint64_t since;
 *       static auto fields(auto &m) noexcept { return std::tie(m.service, m.since); }
 *     };
 *
 * The strings of a decoded struct view the bytes that it was read from; they are not copied. A field may be a descriptor, an Fd:
 * the bytes have a bool, whether there is a descriptor, and the descriptors themselves travel beside the bytes, in the order of
 * the fields. So descriptor 0 needs no special case, an unset Fd is encoded as such, and standard input can be sent without a
 * dup(2).
 */
namespace pm::xdr {

/**
 * string<Max> or opaque<Max>, sections 4.10 and 4.11: at most Max bytes of any value. The reader decides whether they are text.
 */
template <uint32_t Max>
struct String : std::string_view {
  String() noexcept = default;
  String(std::string_view s) noexcept : std::string_view(s) {}
};

/** T<Max>, section 4.13: at most Max elements, which it owns. */
template <class T, uint32_t Max>
struct Array {
  List<T> elements;
};

/** A linked list, section 4.19: a true before each element, and a false after the last. At most Max elements, which it owns. */
template <class T, uint32_t Max>
struct Chain {
  List<T> elements;
};

/** At most Max descriptors, which it owns. */
template <uint32_t Max>
struct FdArray {
  Fd elements[Max];
  uint32_t size = 0;
};

template <class T>
concept Enum = std::is_enum_v<T>;

template <class T>
concept Struct = requires(T &value) {
  T::fields(value);
};

/** The most descriptors that a T may have. */
template <class T>
struct DescriptorsIn {
  static constexpr uint64_t most = 0;
};
template <>
struct DescriptorsIn<Fd> {
  static constexpr uint64_t most = 1;
};
template <uint32_t Max>
struct DescriptorsIn<FdArray<Max>> {
  static constexpr uint64_t most = Max;
};
template <template <class, uint32_t> class Elements, class T, uint32_t Max>
struct DescriptorsIn<Elements<T, Max>> {
  static constexpr uint64_t most = Max * DescriptorsIn<T>::most;
};
template <class... Fields>
struct DescriptorsIn<std::tuple<Fields &...>> {
  static constexpr uint64_t most = (0 + ... + DescriptorsIn<Fields>::most);
};
template <Struct T>
struct DescriptorsIn<T> : DescriptorsIn<decltype(T::fields(std::declval<T &>()))> {};

/** Appends values to a buffer. False: there is no memory, or a value is longer than its type allows. */
class Encoder {
 public:
  /** `descriptors` receives the numbers of the descriptors that travel beside the bytes. If it is null, a value may have none. */
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
  template <Struct T>
  bool put(T const &value) noexcept {
    return std::apply(*this, T::fields(value));
  }
  bool put_bytes(std::string_view bytes) noexcept;

  List<char> *out_;
  List<int> *descriptors_;
};

/** Which bytes may follow a string to complete a group of four: zeros, section 4.10, or any, which libtirpc accepts. */
enum class Padding : uint8_t { zeros, any };

/**
 * Reads values, until the first one that is invalid; then false. Invalid are: too few bytes, a length above its bound, other
 * padding than it accepts, a bool or an enum without such a value. It reads no byte twice, and allocates memory only for elements whose
 * bytes are there.
 */
class Decoder {
 public:
  /** `descriptors`: those that arrived beside the bytes. When one is read, the field owns it, and -1 takes its place. */
  explicit Decoder(std::string_view bytes, std::span<int> descriptors = {}, Padding padding = Padding::zeros) noexcept
      : left_(bytes), descriptors_(descriptors), padding_(padding) {}

  template <class... Values>
  [[nodiscard]] bool operator()(Values &...values) noexcept {
    return (get(values) && ...);
  }
  /** The bytes that were not read yet. */
  [[nodiscard]] std::string_view rest() const noexcept { return left_; }
  /** Whether all bytes and descriptors were read. */
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
  /** The values of an enum go from 0 to last_of(E), a function that is defined beside the enum. */
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
    // Each element has at least four bytes, so this refuses a count that is too high before it allocates memory.
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
  template <Struct T>
  bool get(T &value) noexcept {
    return std::apply(*this, T::fields(value));
  }
  bool get_bytes(std::string_view &bytes, uint32_t most) noexcept;

  std::string_view left_;
  std::span<int> descriptors_;
  Padding padding_;
};

} // namespace pm::xdr

#endif
