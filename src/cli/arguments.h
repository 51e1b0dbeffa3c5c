/** Readers of option arguments and operands. Each function ends the program with 100 if the text is invalid. */
#pragma once

#include <sys/types.h>
#include "cli/command_line.h"
#include "libpm/net/server_users.h"
#include "libpm/net/sock_addr.h"

namespace pm {

[[nodiscard]] uint32_t number_from(Argument const &argument, uint32_t least, uint32_t most) noexcept;
template <uint32_t least = 0, uint32_t most = UINT32_MAX>
void as_number(Argument const &argument, uint32_t &number) noexcept {
  number = number_from(argument, least, most);
}
/** 1 to 65535. */
void as_port(Argument const &argument, uint16_t &port) noexcept;
void as_text(Argument const &argument, char const *&text) noexcept;
/** Permissions, in octal, 0 to 777. */
void as_mode(Argument const &argument, mode_t &mode) noexcept;
/** A user: a number, or otherwise a name. */
void as_user(Argument const &argument, uid_t &user) noexcept;
void as_group(Argument const &argument, gid_t &group) noexcept;
/** Groups with commas between them. An empty text gives an empty list. */
void as_groups(Argument const &argument, List<gid_t> &groups) noexcept;
void as_pid(Argument const &argument, pid_t &pid) noexcept;
void as_netid(Argument const &argument, Netid &netid) noexcept;
void as_descriptor(Argument const &argument, int &fd) noexcept;
/** N/MS: N events in MS milliseconds. N is 1 to `most`, MS is at least 1. */
void as_rate(Argument const &argument, uint32_t &number, uint32_t &ms, uint32_t most) noexcept;

/**
 * An address in the registry's spelling, or fd:N for the address of socket N. Ends the program with 111 if descriptor N has no
 * address.
 */
void as_address(Argument const &argument, Address &address) noexcept;

/**
 * Reads tcp:HOST:PORT, tcp6:[HOST]:PORT, udp:HOST:PORT, udp6:[HOST]:PORT, local:PATH, local:@NAME or PATH. `least_port`: 0 if the
 * kernel may choose the port, otherwise 1.
 */
[[nodiscard]] SockAddr socket_address(Argument const &argument, uint16_t least_port) noexcept;
/** The same, for Unix sockets only: local:PATH, local:@NAME or PATH. */
[[nodiscard]] SockAddr local_address(Argument const &argument) noexcept;
void as_socket_address(Argument const &argument, SockAddr &address) noexcept;
void as_local_address(Argument const &argument, SockAddr &address) noexcept;

/** The option -e of programs that execute PROG on sockets. It sets a bool that says whether the sockets block. */
template <auto... Path>
consteval auto nonblocking_option() noexcept {
  return sets<false, Path...>('e', "PROG's sockets do not block: where a call would wait, it fails with EAGAIN");
}

/** The option of the clients that send a secret, a connection or a descriptor, or get one. It sets a ServerUsers. */
template <auto... Path>
consteval auto server_users_option(char letter, char const *help) noexcept {
  return option<as_user, Path..., &ServerUsers::others>(letter, "USER", help).as(Form::repeated);
}

} // namespace pm
