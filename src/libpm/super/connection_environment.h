/** The environment of the programs that a super-server starts. */
#pragma once

#include <pm/types.h>
#include "libpm/super/accepted_connection.h"

namespace pm::super {

/** The variables of this process, and the variables that describe one connection or socket at a time. */
class ConnectionEnvironment {
 public:
  /**
   * Copies environ, without the variables that describe another connection or that are for this process only. Makes inherited
   * tokens close-on-exec. ENOMEM.
   */
  [[nodiscard]] Done make() noexcept;

  // Each replaces the previous description.
  void describe(AcceptedConnection const &connection) noexcept;
  /** Describes a datagram socket. */
  void describe(ServedSocket const &socket) noexcept;
  void describe_nothing() noexcept { used_ = before_ucspi_ = 0; }

  /** All variables, NULL-terminated. Valid until the next description. */
  [[nodiscard]] char const *const *all() noexcept {
    variables_[fixed_ + used_] = nullptr;
    return variables_.begin();
  }
  /** The UCSPI variables only, PROTO first. Valid until the next description. */
  [[nodiscard]] std::span<char const *const> ucspi() const noexcept {
    return {variables_.begin() + fixed_ + before_ucspi_, used_ - before_ucspi_};
  }

 private:
  /**
   * The largest number of variables of a connection: PM_LISTEN_NAME, PROTO, path or addresses with ports, credentials, number.
   */
  static constexpr size_t slots = 10;

  /** `name`: with the equals sign. */
  template <class Value>
  void set(char const *name, Value const &value) noexcept {
    auto &text = texts_[used_];
    text.clear();
    text << name << value;
    variables_[fixed_ + used_++] = text.c_str();
  }
  void set_ip(char const *host_name, char const *port_name, SockAddr const &ip) noexcept;
  void begin(ServedSocket const &socket, char const *protocol) noexcept;

  List<char const *> variables_;
  size_t fixed_ = 0;        /**< the number of variables of this process; the variables of the connection follow */
  size_t used_ = 0;         /**< the number of variables of the connection */
  size_t before_ucspi_ = 0; /**< the number of these before the UCSPI variables */
  Text<288> texts_[slots];
};

} // namespace pm::super
