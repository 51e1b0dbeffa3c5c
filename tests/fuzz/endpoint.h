/** An endpoint of etcd in a fuzz target, in place of http_client.cpp and libcurl: its answers arrive in pieces. */
#ifndef PM_TESTS_ENDPOINT_H
#define PM_TESTS_ENDPOINT_H

#include "fuzz.h"

#include "etcd/gateway.h"

namespace {

using namespace pm;
using namespace pm::etcd;

enum Flags : uint8_t { is_refused = 1, stays_open = 2, breaks = 4, logs_in = 8 };

struct Input {
  unsigned sizes, flags;
  std::string_view answers, stream;
};

/** The sizes of the pieces in which an answer arrives. */
struct Pieces {
  size_t least, most;
  uint64_t state = 0;
  size_t next() noexcept {
    state = state * 6364136223846793005 + 1442695040888963407;
    return least + (state >> 33) % (most - least + 1);
  }
};

/** Stands in for libcurl and etcd. It answers a watch with `stream`, and each other request with the next line. */
struct Endpoint : HttpClient {
  static constexpr std::string_view prefix = "/pm/"; /**< of the first request for keys */

  Endpoint(Input const &input, Pieces const &sizes) noexcept
      : HttpClient(TlsFiles()), answers(input.answers), stream(input.stream), flags(input.flags), pieces(sizes) {
    EXPECT(settings.endpoints.append("http://etcd") && append(next_key, prefix));
    if (flags & logs_in) settings.user = settings.password = "user";
  }
  void take_request(std::string_view url, std::string_view body) noexcept;
  /** Whether something more arrives. */
  [[nodiscard]] bool has_more() const noexcept { return receiver && (!left.empty() || !is_watch || !(flags & stays_open)); }

  GatewaySettings settings;
  std::string_view answers, stream, left;
  unsigned flags;
  Pieces pieces;
  HttpExchange *receiver = nullptr;
  curl_slist headers = {};
  List<char> requests;                /**< all URLs and texts */
  List<char> next_key;                /**< from which the next request for keys goes on */
  uint64_t limit = 512, revision = 0; /**< of the next request for keys; 0: any */
  size_t pair_count = 0;              /**< in the answers with keys */
  bool is_watch = false, is_too_long = false;
};

void Endpoint::take_request(std::string_view url, std::string_view body) noexcept {
  EXPECT(append(requests, url) && append(requests, " ") && append(requests, body) && append(requests, "\n"));
  Json const request = read_json(body);
  EXPECT(json_is_object(request.get()));
  is_watch = url == "http://etcd/v3/watch";
  left = stream;
  if (is_watch) return;
  Cut const answer = cut(answers, '\n');
  is_too_long = answer.head == "long";
  left = answers.empty() ? "{}" : answer.head;
  answers = answer.tail;
  if (url != "http://etcd/v3/kv/range" || !member(request.get(), "limit")) return;

  List<char> key;
  EXPECT(bytes_member(key, request.get(), "key") && view(key) == view(next_key));
  EXPECT(number_member(request.get(), "limit") == limit && limit > 0);
  uint64_t const at = number_member(request.get(), "revision");
  EXPECT(!revision || at == revision);
  revision = at;
  if (is_too_long) limit /= 2;
  Json const json = read_json(left);
  json_t const *const pairs = member(json.get(), "kvs");
  size_t const count = json_array_size(pairs);
  if (!count || member(json.get(), "error")) return;
  pair_count += count;
  next_key.clear();
  (void)bytes_member(next_key, json_array_get(pairs, count - 1), "key");
  EXPECT(next_key.append('\0'));
}

} // namespace

namespace pm::etcd {

HttpClient::~HttpClient() = default;

void HttpClient::wait(std::span<struct pollfd const>, int) noexcept {
  perform();
}

/** One piece more arrives. The end comes with the last piece, or after it. */
void HttpClient::perform() noexcept {
  auto &from = static_cast<Endpoint &>(*this);
  if (!from.has_more()) return;
  HttpExchange &to = *from.receiver;
  auto const piece = from.left.substr(0, from.pieces.next());
  from.left.remove_prefix(piece.size());
  EXPECT(append(to.bytes_, piece));
  bool const ends = !from.is_watch || !(from.flags & stays_open);
  if (!ends || !from.left.empty() || (!piece.empty() && from.pieces.next() % 2)) return;
  to.is_done_ = true;
  to.is_too_long_ = from.is_too_long;
  to.headers_ = nullptr;
  if (from.is_too_long) to.error_ = "the answer is too long";
  else if ((from.flags & breaks) && from.answers.empty()) to.error_ = "the connection was reset";
  from.receiver = nullptr;
}

HttpExchange::~HttpExchange() {
  stop();
}

void HttpExchange::stop() noexcept {
  auto &endpoint = static_cast<Endpoint &>(*client_);
  if (endpoint.receiver == this) endpoint.receiver = nullptr;
  headers_ = nullptr;
  bytes_.clear();
  is_done_ = is_too_long_ = false;
  error_ = "";
}

void HttpExchange::start(char const *url, std::string_view body, std::initializer_list<std::string_view> headers,
                         Deadline) noexcept {
  stop();
  auto &endpoint = static_cast<Endpoint &>(*client_);
  for (auto const header : headers) EXPECT(header.empty() || (!has_control(header) && !header.data()[header.size()]));
  endpoint.take_request(url, body);
  endpoint.receiver = this;
  headers_ = &endpoint.headers;
}

long HttpExchange::status() const noexcept {
  return static_cast<Endpoint &>(*client_).flags & is_refused ? 503 : 200;
}

} // namespace pm::etcd

#endif
