#include <pm/super/server.h>

namespace pm::super {

namespace {
/** Some 10 MB of tables, when they are used; a host has fewer processes by default. */
constexpr uint32_t most_connections = 100000;
} // namespace

bool read_server_option(Options const &options, int letter, ServerOptions &wanted) noexcept {
  switch (letter) {
    case '1': wanted.ready = 1; break;
    case 'N': wanted.ready = options.value_descriptor(); break;
    case 'p': wanted.credentials = true; break;
    case 'P': wanted.credentials = false; break;
    case 'c': wanted.most = options.value_number(1, most_connections); break;
    case 'C': wanted.most_of_one = options.value_number(1); break;
    case 'L': wanted.outer = true; break;
    case 'R': options.value_rate(wanted.starts, wanted.starts_ms, most_connections); break;
    case 'F': options.value_rate(wanted.failures, wanted.failures_ms, most_connections); break;
    case 'I': wanted.idle = options.value_number(1); break;
    case 'W': wanted.banner = options.value(); break;
    case 'X': wanted.tell = true; break;
    default: return false;
  }
  return true;
}

void check_server_options(Options const &options, ServerOptions const &wanted) noexcept {
  if (wanted.ready == 0) options.refuse("-N 0 is where connections come from");
  check_readiness(options, wanted.ready);
}

} // namespace pm::super
