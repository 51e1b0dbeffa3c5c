#include "etcd/watch_stream.h"

namespace pm::etcd {

namespace {
tl::unexpected<GatewayError> ended(std::string_view reason) noexcept {
  GatewayError error;
  error.reason << reason;
  return tl::unexpected<GatewayError>(error);
}
} // namespace

Reply<void> WatchStream::start(KeyRange const &range, uint64_t revision, int stop) noexcept {
  lines_.clear();
  Json const request(json_pack("{s:{s:o,s:o,s:s,s:b}}", "create_request", "key", json_bytes(range.begin.view()).release(),
                               "range_end", json_bytes(range.end.view()).release(), "start_revision",
                               (Text<24>() << revision).c_str(), "fragment", 1));
  return gateway_->start_stream(exchange_, "/v3/watch", request, stop);
}

void WatchStream::stop() noexcept {
  exchange_.stop();
  lines_.clear();
}

Reply<void> WatchStream::read(Visit visit) noexcept {
  List<char> &bytes = exchange_.bytes();
  if (!lines_.add(view(bytes))) return no_memory();
  bytes.clear();
  using Found = LineSplitter::Found;
  std::string_view line;
  for (Found found; (found = lines_.next(line)) != Found::nothing;) {
    if (found == Found::too_long) return ended("a line of the watch is too long");
    if (auto const read = read_line(line, visit); !read) return read;
  }
  if (!exchange_.is_done()) return {};
  return ended(exchange_.error().empty() ? "the watch has ended" : exchange_.error());
}

Reply<void> WatchStream::read_line(std::string_view line, Visit visit) noexcept {
  if (line.empty()) return {};
  Json const answer = read_json(line);
  if (!answer) return malformed();
  if (auto const error = error_in(answer.get())) return tl::unexpected<GatewayError>(*error);
  json_t const *const result = member(answer.get(), "result");
  if (!result) return malformed();
  if (json_is_true(member(result, "canceled"))) {
    std::string_view const reason = text_member(result, "cancel_reason");
    return ended(number_member(result, "compact_revision") ? "the changes since then were compacted"
                 : reason.empty()                          ? "the watch was cancelled"
                                                           : reason);
  }
  size_t i;
  json_t *event;
  json_array_foreach(member(result, "events"), i, event) {
    auto const pair = reader_.read(member(event, "kv"));
    if (!pair) return malformed();
    if (auto const visited = visit({*pair, text_member(event, "type") == "DELETE"}); !visited) return visited;
  }
  return {};
}

} // namespace pm::etcd
