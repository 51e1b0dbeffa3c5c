/** What PROG is told about its connection. */
#ifndef PM_SUPER_CONNECTION_ENVIRONMENT_H
#define PM_SUPER_CONNECTION_ENVIRONMENT_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/super/listener.h>

namespace pm::super {

/** What is said of one connection is written over by the next. */
class ConnectionEnvironment {
 public:
  /** Of what is in environ now, without what is said of other connections, and what a super-server keeps for itself. ENOMEM. */
  [[nodiscard]] Done make() noexcept;

  /** A new connection, of that listener: PROTO, and what all of its connections have. */
  void begin(Listener const &listener) noexcept;
  /** Of no connection: for a program that is to have many. */
  void begin_none() noexcept { used_ = others_ = 0; }
  /** NAME=, and its value. */
  template <class Value>
  void set(char const *name_is, Value const &value) noexcept {
    auto &text = texts_[used_];
    text.clear();
    text << name_is << value;
    variables_[fixed_ + used_++] = text.c_str();
  }
  void set_ip(char const *name_is_host, char const *name_is_port, IpName const &ip) noexcept;
  /** All, NULL-terminated, good until the next connection. */
  [[nodiscard]] char const *const *all() noexcept {
    variables_[fixed_ + used_] = nullptr;
    return variables_.begin();
  }
  /** What UCSPI says of the connection alone, PROTO first. */
  [[nodiscard]] std::span<char const *const> said() const noexcept {
    return {variables_.begin() + fixed_ + others_, used_ - others_};
  }

 private:
  /** PROTO, PM_LISTEN_NAME, path or addresses with their ports, credentials, number. */
  static constexpr size_t slots = 10;

  List<char const *> variables_;
  size_t fixed_ = 0;             /**< of variables_: these stay, the connection's come after them */
  size_t used_ = 0, others_ = 0; /**< these, of used_, are no words of UCSPI's */
  Text<288> texts_[slots];
};

} // namespace pm::super

#endif
