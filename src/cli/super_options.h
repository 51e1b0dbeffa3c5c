/** Options of the super-server's programs: the sockets to bind, the server, and the identity to take. */
#pragma once

#include "cli/arguments.h"
#include "libpm/super/process_identity.h"
#include "libpm/super/socket_bindings.h"
#include "libpm/super/super_options.h"
#include "libpm/super/worker_socket.h"

namespace pm::super {

inline constexpr char address_note[] =
    "ADDRESS: PATH local:PATH local:@NAME tcp:HOST:PORT tcp6:[HOST]:PORT udp:HOST:PORT udp6:[HOST]:PORT; port 0 is any\n";

/** Reads USER, USER:GROUP or :GROUP. */
void as_owner(Argument const &argument, BindOptions &options) noexcept;

/** A network interface: 1 to 15 bytes, without a slash and blanks. */
void as_interface(Argument const &argument, char const *&interface) noexcept;

struct BindSettings : BindOptions {
  bool print_addresses = false;
  bool some_may_fail = false; /**< of several sockets, those that cannot be bound are left out */
};

/** The options -d -D -S -m -r -4 -f -i -k -y -A -b -a -o. They set members of BindSettings. */
template <auto... Path>
consteval auto bind_options(char const *backlog = "connections that may wait to be accepted (default 128)") noexcept {
  return options(
      sets<true, Path..., &BindOptions::replace>('d', "replace a path that no server uses; set SO_REUSEADDR (default)"),
      sets<false, Path..., &BindOptions::replace>('D', "fail if the path exists; do not set SO_REUSEADDR").as(Form::alternative),
      sets<SOCK_SEQPACKET, Path..., &BindOptions::type>('S', "make Unix sockets seqpacket sockets"),
      sets<SOCK_DGRAM, Path..., &BindOptions::type>('m', "make Unix sockets datagram sockets").as(Form::alternative),
      flag<Path..., &BindOptions::share>('r', "share an IP port with other sockets that do the same (SO_REUSEPORT)"),
      sets<false, Path..., &BindOptions::only_v6>('4', "accept IPv4 on tcp6 and udp6 too"),
      flag<Path..., &BindOptions::freebind>('f', "bind also an IP address that this host does not have (IP_FREEBIND)"),
      option<as_interface, Path..., &BindOptions::interface>(
          'i', "INTERFACE", "IP sockets receive only what comes by this network interface (SO_BINDTODEVICE)"),
      option<as_number<0, 32767>, Path..., &BindOptions::keepalive>(
          'k', "SECONDS", "TCP connections: ask a client that is silent so long whether it is there (0: the host's default)"),
      flag<Path..., &BindSettings::some_may_fail>('y', "with several sockets: go on with those that can be bound"),
      flag<Path..., &BindSettings::print_addresses>('A', "print the addresses that were bound, one a line"),
      option<as_number<0, INT32_MAX>, Path..., &BindOptions::backlog>('b', "BACKLOG", backlog),
      option<as_mode, Path..., &BindOptions::mode>('a', "MODE", "the permissions of a path, in octal (default 777)"),
      option<as_owner, Path...>('o', "OWNER", "the owner of a path: USER, USER:GROUP or :GROUP (default: as for new files)"));
}

/**
 * Binds all sockets, and prints their addresses if `print_addresses` is set. Ends the program with 111 if it fails; no path is
 * left. `warns`: warns of each socket that is left out.
 */
void bind_or_die(SocketBindings &sockets, BindSettings const &settings, bool warns = true) noexcept;

/** Adds the socket of the operand ADDRESS. `name`: its name for PROG; empty for the only socket. */
void add_socket(SocketBindings &sockets, Argument const &address, std::string_view name = {}) noexcept;
/** Adds the socket of -n NAME=ADDRESS. */
void add_named_socket(Argument const &argument, SocketBindings &sockets) noexcept;
/** Adds the next socket of LISTEN_FDS: -L NAME. */
void add_inherited_socket(Argument const &argument, SocketBindings &sockets) noexcept;

/**
 * Reads the operand ADDRESS of a worker. A Unix address: binds a socket to it, non-blocking and close-on-exec. fd:N: takes the
 * bound socket N, which its server makes close-on-exec with adopt_socket(). Ends the program with 100 or 111.
 */
[[nodiscard]] WorkerSocket worker_socket(Argument const &address, BindOptions const &binding) noexcept;

/** The highest limit of connections. Its tables take about 10 MB when they are used. A host allows fewer processes by default. */
inline constexpr uint32_t most_connections = 100000;
void as_starts(Argument const &argument, SuperOptions &options) noexcept;
/** N/MS, or N/MS/CODES: which exit codes are failures. */
void as_failures(Argument const &argument, SuperOptions &options) noexcept;

/** The options -1 -N -P -p -c -C -W -M -R -F -I -B -X -e. They set members of SuperOptions. */
template <auto... Path>
consteval auto server_options() noexcept {
  return options(
      sets<1, Path..., &SuperOptions::ready>('1', "write a newline to standard output, and close it, when ready"),
      option<as_descriptor, Path..., &SuperOptions::ready>('N', "FD", "write it to descriptor FD").as(Form::alternative),
      sets<false, Path..., &SuperOptions::credentials>('P', "do not look up the user of a Unix socket's client"),
      sets<true, Path..., &SuperOptions::credentials>('p', "look it up (default)").as(Form::alternative),
      option<as_number<1, most_connections>, Path..., &SuperOptions::most>(
          'c', "MAX", "connections at a time (default 40, at most 100000); more wait"),
      option<as_number<1>, Path..., &SuperOptions::most_of_one>(
          'C', "PERONE", "connections of one user or IP address at a time (default: as -c); more are closed, or wait with -W"),
      option<as_number<1>, Path..., &SuperOptions::wait>(
          'W', "N", "let N more connections of each user or IP address wait, and start them in turns among these"),
      option<as_number<1, 128>, Path..., &SuperOptions::prefixes, &PrefixLengths::v6>(
          'M', "BITS", "count an IPv6 network of BITS bits as one address (default 64)"),
      option<as_starts, Path...>('R', "RATE", "N/MS: start at most N programs in MS milliseconds; more connections wait"),
      option<as_failures, Path...>('F', "RATE", "N/MS or N/MS/CODES: exit 1 when N programs have failed in MS milliseconds"),
      option<as_number<1>, Path..., &SuperOptions::idle>('I', "MS", "exit 0 after MS milliseconds without a connection"),
      option<as_text, Path..., &SuperOptions::banner>('B', "TEXT", "send this to each client first"),
      flag<Path..., &SuperOptions::tell>('X', "tell refused clients the reason"),
      nonblocking_option<Path..., &SuperOptions::blocking>());
}
/**
 * Ends the program if the descriptor for readiness cannot be used: it is 0, or as check_readiness(). Call it before opening any
 * descriptor.
 */
void check_ready(SuperOptions const &options) noexcept;

/**
 * The option -U: sets the unset members from $UID, $GID and $GIDLIST, as s6-envuidgid writes them, and unsets these variables.
 */
void add_environment(ProcessIdentity &identity) noexcept;

} // namespace pm::super
