/** Requests to etcd: its JSON gateway, API v3, https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ */
#pragma once

#include <span>
#include "etcd/http_client.h"
#include "etcd/json_text.h"
#include "libpm/util/line_splitter.h"
#include "libpm/util/log.h"

namespace pm::etcd {

/** Why etcd did not do what was requested. */
struct GatewayError {
  enum class Kind : uint8_t {
    cancelled,   /**< the stop descriptor was readable */
    unreachable, /**< no answer came, or an answer that etcd does not send */
    refused,     /**< etcd's answer is an error */
    no_memory,
  };
  Kind kind = Kind::unreachable;
  long code = 0; /**< of `refused`: gRPC's status code */
  bool is_too_long = false;
  Text<320> reason;
};

/** Status codes of gRPC, https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
inline constexpr long grpc_not_found = 5, grpc_unauthenticated = 16;

template <class T>
using Reply = tl::expected<T, GatewayError>;

struct GatewaySettings {
  List<std::string_view> endpoints;          /**< URLs without a slash at the end */
  std::string_view user = {}, password = {}; /**< empty: etcd needs no authentication */
  TlsFiles tls;
};

/** One endpoint at a time. After an error, next_endpoint() takes another one. */
class Gateway {
 public:
  /** Borrows both. */
  Gateway(HttpClient &client, GatewaySettings const &settings) noexcept
      : client_(&client), settings_(&settings), call_(client, answer_max) {}

  /** The most bytes of an answer, and of a line of a stream. */
  static constexpr size_t answer_max = size_t{16} << 20;

  /**
   * Sends a request to `path`, such as /v3/kv/range, and returns the answer. It logs in if there is a user, and again if etcd does not
   * know the token any more. `stop`: a descriptor that ends the call when it is readable; -1: none. No call takes longer than
   * Gateway::call_ms, or twice that with a login.
   */
  [[nodiscard]] Reply<Json> call(char const *path, Json const &request, int stop) noexcept;
  static constexpr uint32_t call_ms = 2000;

  /** Starts a request whose answer is a stream of lines, and does not end: /v3/watch. */
  [[nodiscard]] Reply<void> start_stream(HttpExchange &stream, char const *path, Json const &request, int stop) noexcept;

  void next_endpoint() noexcept;
  [[nodiscard]] std::string_view endpoint() const noexcept { return settings_->endpoints[endpoint_]; }
  [[nodiscard]] size_t endpoint_count() const noexcept { return settings_->endpoints.size(); }
  [[nodiscard]] HttpClient &client() const noexcept { return *client_; }

 private:
  [[nodiscard]] Reply<Json> call_once(char const *path, Json const &request, int stop) noexcept;
  [[nodiscard]] Reply<void> log_in(int stop) noexcept;

  HttpClient *client_;
  GatewaySettings const *settings_;
  HttpExchange call_;
  size_t endpoint_ = 0;
  List<char> authorization_; /**< a line of HTTP with the token, and a NUL; empty: no login yet */
};

/** The error in an answer of etcd, also in a line of a stream; nothing: it has none. */
[[nodiscard]] std::optional<GatewayError> error_in(json_t const *answer) noexcept;
[[nodiscard]] tl::unexpected<GatewayError> no_memory() noexcept;
/** An answer that is not of the form that etcd's have. */
[[nodiscard]] tl::unexpected<GatewayError> malformed() noexcept;

} // namespace pm::etcd
