/** What pm-etcd-publish is told. */
#pragma once

#include "etcd/export_line.h"

namespace pm::etcd {

struct PublisherSettings {
  KeySpace keys;
  ExportPolicy policy;
  uint32_t ttl = 10;                /**< s */
  std::string_view grpc_path = {};  /**< of the view for gRPC's resolver; empty: none */
  std::string_view dns_domain = {}; /**< of the view for SkyDNS; empty: none */
  std::string_view nonce, boot;
};

} // namespace pm::etcd
