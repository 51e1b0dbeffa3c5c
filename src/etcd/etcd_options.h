/** The options that pm-etcd-publish and pm-etcd-follow share. */
#pragma once

#include "cli/registry_options.h"
#include "etcd/gateway.h"
#include "etcd/key_space.h"

namespace pm::etcd {

struct EtcdSettings {
  GatewaySettings gateway;
  std::optional<std::string_view> host;
  KeySpace keys;
  char credentials[512];
};

void as_endpoints(Argument const &argument, EtcdSettings &settings) noexcept;
void as_prefix(Argument const &argument, EtcdSettings &settings) noexcept;
/** Reads USER:PASSWORD from the first line of a file that other users cannot read. */
void as_credentials(Argument const &argument, EtcdSettings &settings) noexcept;

/** Ends the program with 100 unless -e and -n were given. */
void check_etcd(EtcdSettings const &settings) noexcept;
/** The options -e, -n, -f, -u, -C, -c and -k. They set an EtcdSettings, the member `etcd` of S. */
template <class S>
consteval auto etcd_options() noexcept {
  return options(
      option<as_endpoints, &S::etcd>(
          'e', "URLS", "etcd's endpoints, with commas between them, such as http://10.9.0.1:2379; one at a time is used")
          .as(Form::required),
      option<registry::as_origin, &S::etcd, &EtcdSettings::host>('n', "HOST", "the name of this host").as(Form::required),
      option<as_prefix, &S::etcd>('f', "PREFIX", "the beginning of all keys (default: /pm/)"),
      option<as_credentials, &S::etcd>('u', "FILE", "log in with USER:PASSWORD, the first line of FILE"),
      option<as_text, &S::etcd, &EtcdSettings::gateway, &GatewaySettings::tls, &TlsFiles::authorities>(
          'C', "FILE", "trust the authorities in FILE (PEM) only"),
      option<as_text, &S::etcd, &EtcdSettings::gateway, &GatewaySettings::tls, &TlsFiles::certificate>(
          'c', "FILE", "the certificate of this client (PEM)")
          .needs('k'),
      option<as_text, &S::etcd, &EtcdSettings::gateway, &GatewaySettings::tls, &TlsFiles::key>('k', "FILE", "its key (PEM)")
          .needs('c'));
}

} // namespace pm::etcd
