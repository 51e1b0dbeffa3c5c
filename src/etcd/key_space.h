/** The keys in etcd, and what their values say: pm-cluster(7). */
#pragma once

#include <optional>
#include "etcd/json_text.h"
#include "libpm/net/address.h"
#include "libpm/registry/record.h"

namespace pm::etcd {

inline constexpr size_t prefix_max = 128;
/** Room for each key. The longest is dns_key()'s: /skydns/, a domain of 253 bytes and a slash, a service, a host and an ID. */
using Key = Text<8 + 254 + registry::service_name_max + 1 + registry::origin_max + 1 + registry::entry_name_max + 1>;

/** Below which keys everything is: PREFIX/HOST/SERVICE/ID, and PREFIX/HOST/.host for the claim of a host. */
class KeySpace {
 public:
  /** Whether keys may begin with it: `/`, then words with one slash between them; a slash at the end makes no difference. */
  [[nodiscard]] static bool is_prefix(std::string_view text) noexcept;
  explicit KeySpace(std::string_view prefix = "/pm/") noexcept;

  /** With a slash at the end. */
  [[nodiscard]] std::string_view prefix() const noexcept { return prefix_.view(); }
  /** What all keys of a host begin with. */
  [[nodiscard]] Key host(std::string_view host) const noexcept;
  [[nodiscard]] Key claim(std::string_view host) const noexcept;
  [[nodiscard]] Key registration(std::string_view host, std::string_view service, std::string_view id) const noexcept;

  /** The parts of a registration's key. They view it. */
  struct Parts {
    std::string_view host, service, id;
  };
  /** Nothing: the key is not that of a registration. */
  [[nodiscard]] std::optional<Parts> parts(std::string_view key) const noexcept;
  /** Whether the key is a host's claim. */
  [[nodiscard]] bool is_claim(std::string_view key) const noexcept;

 private:
  Text<prefix_max + 2> prefix_;
};

/** What is published of a registration. */
struct Published {
  std::string_view host, service, id;
  uint32_t version = 0;
  Address address; /**< tcp, tcp6, udp or udp6 */
};

/** The value of a registration's key. Its member Addr is what gRPC's resolver for etcd reads. Null: out of memory. */
[[nodiscard]] Json registration_value(Published const &published) noexcept;
/** Reads such a value. The host and the service are those of the key, whatever the value says. Nothing: it is malformed. */
[[nodiscard]] std::optional<Published> read_registration(KeySpace::Parts const &key, std::string_view value) noexcept;

/** The key of a registration in a view for gRPC's resolver: PATH/SERVICE/HOST:ID. */
[[nodiscard]] Key grpc_key(std::string_view path, Published const &published) noexcept;
/** The key of a registration in SkyDNS's layout, of SERVICE.DOMAIN: /skydns/ and the labels from the last to the first. */
[[nodiscard]] Key dns_key(std::string_view domain, Published const &published) noexcept;
/** The value of such a key: the host's address and the port. Null: out of memory. */
[[nodiscard]] Json dns_value(Published const &published) noexcept;
/** Whether it is a domain: labels of letters, digits and dashes, with dots between them, 253 bytes at most. */
[[nodiscard]] bool is_domain(std::string_view text) noexcept;

} // namespace pm::etcd
