#include "etcd/http_client.h"

#include <limits.h>

namespace pm::etcd {

namespace {
/** How long a connection may take to be made, ms. */
constexpr long connect_ms = 2000;
/** As many as the programs have. */
constexpr size_t others_max = 4;
} // namespace

HttpClient::~HttpClient() {
  if (multi_) curl_multi_cleanup(multi_);
}

bool HttpClient::open() noexcept {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return false;
  multi_ = curl_multi_init();
  return multi_;
}

/** Lets libcurl work, and ends the exchanges that it says are done. */
void HttpClient::perform() noexcept {
  int running, left;
  (void)curl_multi_perform(multi_, &running);
  while (CURLMsg const *const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode const code = message->data.result;
    HttpExchange *exchange = nullptr;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    exchange->end(code);
  }
}

void HttpClient::wait(std::span<struct pollfd const> others, int ms) noexcept {
  struct curl_waitfd fds[others_max];
  unsigned count = 0;
  for (struct pollfd const &other : others)
    if (other.fd >= 0 && count < others_max) {
      fds[count].fd = other.fd;
      fds[count].events = other.events ? CURL_WAIT_POLLIN : 0;
      fds[count++].revents = 0;
    }
  (void)curl_multi_poll(multi_, fds, count, ms < 0 ? INT_MAX : ms, nullptr);
  perform();
}

HttpExchange::~HttpExchange() {
  stop();
  if (easy_) curl_easy_cleanup(easy_);
}

void HttpExchange::stop() noexcept {
  if (headers_) {
    (void)curl_multi_remove_handle(client_->multi_, easy_);
    curl_slist_free_all(std::exchange(headers_, nullptr));
  }
  bytes_.clear();
  is_done_ = is_too_long_ = false;
  error_ = "";
  *buffer_ = 0;
}

size_t HttpExchange::receive(char const *bytes, size_t size, size_t count, void *to) noexcept {
  auto &exchange = *static_cast<HttpExchange *>(to);
  exchange.is_too_long_ = exchange.bytes_.size() + size * count > exchange.most_;
  // Less than what came makes libcurl end the transfer.
  return !exchange.is_too_long_ && append(exchange.bytes_, {bytes, size * count}) ? size * count : 0;
}

void HttpExchange::end(CURLcode code) noexcept {
  (void)curl_multi_remove_handle(client_->multi_, easy_);
  curl_slist_free_all(std::exchange(headers_, nullptr));
  is_done_ = true;
  if (code == CURLE_OK) return;
  error_ = is_too_long_ ? "the answer is too long" : *buffer_ ? buffer_ : curl_easy_strerror(code);
}

long HttpExchange::status() const noexcept {
  long status = 0;
  if (easy_) (void)curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

void HttpExchange::set(char const *url, std::string_view body, Deadline deadline) noexcept {
  int const left = deadline.remaining();
  auto const put = [this](CURLoption option, auto value) noexcept { (void)curl_easy_setopt(easy_, option, value); };
  curl_easy_reset(easy_);
  put(CURLOPT_URL, url);
  put(CURLOPT_PRIVATE, this);
  put(CURLOPT_ERRORBUFFER, buffer_);
  put(CURLOPT_WRITEFUNCTION, receive);
  put(CURLOPT_WRITEDATA, this);
  put(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  put(CURLOPT_COPYPOSTFIELDS, body.data());
  put(CURLOPT_HTTPHEADER, headers_);
  put(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  put(CURLOPT_PROTOCOLS_STR, "http,https");
  put(CURLOPT_PROXY, "");
  put(CURLOPT_NOSIGNAL, 1L);
  put(CURLOPT_TCP_KEEPALIVE, 1L);
  put(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  if (left >= 0) put(CURLOPT_TIMEOUT_MS, left ? static_cast<long>(left) : 1L);
  if (client_->tls_.authorities) put(CURLOPT_CAINFO, client_->tls_.authorities);
  if (client_->tls_.certificate) put(CURLOPT_SSLCERT, client_->tls_.certificate);
  if (client_->tls_.key) put(CURLOPT_SSLKEY, client_->tls_.key);
}

void HttpExchange::start(char const *url, std::string_view body, std::initializer_list<std::string_view> headers,
                         Deadline deadline) noexcept {
  stop();
  if (!easy_) easy_ = curl_easy_init();
  // Without `Expect:`, libcurl would wait a second for a server that does not answer it.
  headers_ = easy_ ? curl_slist_append(nullptr, "Expect:") : nullptr;
  bool complete = headers_ && curl_slist_append(headers_, "Content-Type: application/json");
  for (std::string_view const header : headers)
    if (!header.empty()) complete = complete && curl_slist_append(headers_, header.data());
  if (complete) {
    set(url, body, deadline);
    if (curl_multi_add_handle(client_->multi_, easy_) == CURLM_OK) return client_->perform();
  }
  curl_slist_free_all(std::exchange(headers_, nullptr));
  is_done_ = true;
  error_ = "out of memory";
}

} // namespace pm::etcd
