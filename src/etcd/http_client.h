/** HTTP requests over connections that are used again: libcurl. */
#pragma once

#include <curl/curl.h>
#include <pm/types.h>
#include <poll.h>
#include <initializer_list>
#include <span>
#include "libpm/util/text.h"

namespace pm::etcd {

/** Names of PEM files for TLS. Null: the authorities that libcurl knows, and no certificate of this client. */
struct TlsFiles {
  char const *authorities = nullptr, *certificate = nullptr, *key = nullptr;
};

/** The connections of a process. Make one at most. */
class HttpClient {
 public:
  /** Borrows the names. */
  explicit HttpClient(TlsFiles const &tls) noexcept : tls_(tls) {}
  HttpClient(HttpClient const &) = delete;
  HttpClient &operator=(HttpClient const &) = delete;
  ~HttpClient();

  /** Initializes libcurl. False: it refuses, or there is no memory. */
  [[nodiscard]] bool open() noexcept;

  /**
   * Sends and receives for all exchanges. Waits until something has arrived for one of them, until one of `others` has one of its events
   * (only POLLIN), or for `ms` milliseconds at most; -1: no limit.
   */
  void wait(std::span<struct pollfd const> others, int ms) noexcept;

 private:
  friend class HttpExchange;
  void perform() noexcept;

  TlsFiles tls_;
  CURLM *multi_ = nullptr;
};

/** A POST request, and what has arrived of its answer. One object can be used for one request after another. */
class HttpExchange {
 public:
  /** `most`: the bytes of an answer that may be kept; more is an error. Borrows the client. */
  HttpExchange(HttpClient &client, size_t most) noexcept : client_(&client), most_(most) {}
  HttpExchange(HttpExchange const &) = delete;
  HttpExchange &operator=(HttpExchange const &) = delete;
  ~HttpExchange();

  /**
   * Sends a request with a JSON text; an earlier one is stopped. `headers`: lines of HTTP, each with a NUL after it; an empty one is left
   * out. An error is found in error().
   */
  void start(char const *url, std::string_view body, std::initializer_list<std::string_view> headers, Deadline deadline) noexcept;
  /** Forgets the request and closes its connection if the answer is not whole. */
  void stop() noexcept;

  /** Whether a request was started and not stopped. */
  [[nodiscard]] bool is_started() const noexcept { return headers_ || is_done_; }
  /** Whether the answer is whole, or an error has ended it. */
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  /** Why there is no whole answer; empty: no error. */
  [[nodiscard]] std::string_view error() const noexcept { return error_; }
  /** Whether more than the most arrived. */
  [[nodiscard]] bool is_too_long() const noexcept { return is_too_long_; }
  /** The status of HTTP; 0: it has not arrived. */
  [[nodiscard]] long status() const noexcept;
  /** The bytes that have arrived. What is erased from the front makes room for more. */
  [[nodiscard]] List<char> &bytes() noexcept { return bytes_; }

 private:
  friend class HttpClient;
  static size_t receive(char const *bytes, size_t size, size_t count, void *exchange) noexcept;
  void end(CURLcode code) noexcept;
  void set(char const *url, std::string_view body, Deadline deadline) noexcept;

  HttpClient *client_;
  size_t most_;
  CURL *easy_ = nullptr;
  curl_slist *headers_ = nullptr;
  List<char> bytes_;
  bool is_done_ = false, is_too_long_ = false;
  char const *error_ = "";
  char buffer_[CURL_ERROR_SIZE] = "";
};

} // namespace pm::etcd
