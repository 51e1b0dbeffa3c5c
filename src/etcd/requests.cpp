#include "etcd/requests.h"

namespace pm::etcd {

namespace {
/** Keys in an answer, at first. */
constexpr uint32_t page_max = 512;

Text<24> text_of(uint64_t number) noexcept {
  return Text<24>() << number;
}

Json range_request(std::string_view begin, std::string_view end) noexcept {
  return Json(json_pack("{s:o,s:o}", "key", json_bytes(begin).release(), "range_end", json_bytes(end).release()));
}

Json lease_request(uint64_t lease) noexcept {
  return Json(json_pack("{s:s}", "ID", text_of(lease).c_str()));
}
} // namespace

std::optional<KeyValue> KeyValueReader::read(json_t const *json) noexcept {
  key_.clear();
  value_.clear();
  if (!bytes_member(key_, json, "key") || !bytes_member(value_, json, "value")) return std::nullopt;
  return KeyValue{view(key_), view(value_), number_member(json, "lease"), number_member(json, "mod_revision")};
}

KeyRange KeyRange::below(std::string_view prefix) noexcept {
  Key const begin(prefix);
  return {begin, Key(prefix.substr(0, prefix.size() - 1)) << static_cast<char>(prefix.back() + 1)};
}

KeyRange KeyRange::of(std::string_view key) noexcept {
  return {Key(key), Key(key) << '\0'};
}

Reply<uint64_t> read_range(Gateway &gateway, KeyRange const &range, VisitKey visit, int stop) noexcept {
  List<char> next;
  if (!append(next, range.begin.view())) return no_memory();
  KeyValueReader reader;
  uint64_t revision = 0;
  for (uint32_t most = page_max;;) {
    Json request = range_request(view(next), range.end.view());
    if (!request || json_object_set_new(request.get(), "limit", json_integer(most)) < 0 ||
        (revision && json_object_set_new(request.get(), "revision", json_string(text_of(revision).c_str())) < 0))
      return no_memory();
    auto const answer = gateway.call("/v3/kv/range", request, stop);
    if (!answer && answer.error().is_too_long && most > 1) {
      most /= 2;
      continue;
    }
    if (!answer) return fail(answer);
    if (!revision) revision = number_member(member(answer->get(), "header"), "revision");
    json_t *const values = member(answer->get(), "kvs");
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value) {
      auto const pair = reader.read(value);
      if (!pair) return malformed();
      if (auto const visited = visit(*pair); !visited) return fail(visited);
      next.clear();
      if (!append(next, pair->key) || !next.append('\0')) return no_memory();
    }
    if (!json_is_true(member(answer->get(), "more")) || !json_array_size(values)) return revision;
  }
}

Reply<void> confirm(Gateway &gateway, KeyRange const &range, int stop) noexcept {
  Json request = range_request(range.begin.view(), range.end.view());
  if (request && json_object_set_new(request.get(), "count_only", json_true()) < 0) return no_memory();
  auto const answer = gateway.call("/v3/kv/range", request, stop);
  return answer ? Reply<void>() : fail(answer);
}

Reply<void> grant(Gateway &gateway, uint64_t lease, uint32_t ttl, int stop) noexcept {
  Json const request(json_pack("{s:s,s:s}", "ID", text_of(lease).c_str(), "TTL", text_of(ttl).c_str()));
  auto const answer = gateway.call("/v3/lease/grant", request, stop);
  return answer ? Reply<void>() : fail(answer);
}

Reply<bool> keep_alive(Gateway &gateway, uint64_t lease, int stop) noexcept {
  auto const answer = gateway.call("/v3/lease/keepalive", lease_request(lease), stop);
  if (!answer) return fail(answer);
  json_t const *const result = member(answer->get(), "result");
  if (!result) return malformed();
  // The answer for a lease that has ended is no error, but has no TTL.
  return number_member(result, "TTL") > 0;
}

Reply<void> revoke(Gateway &gateway, uint64_t lease, int stop) noexcept {
  auto const answer = gateway.call("/v3/lease/revoke", lease_request(lease), stop);
  if (answer || (answer.error().kind == GatewayError::Kind::refused && answer.error().code == grpc_not_found)) return {};
  return fail(answer);
}

KeyTransaction::KeyTransaction() noexcept : request_(json_pack("{s:[],s:[]}", "compare", "success")) {
  conditions_ = member(request_.get(), "compare");
  operations_ = member(request_.get(), "success");
}

void KeyTransaction::add(json_t *list, json_t *made) noexcept {
  if (!made || json_array_append_new(list, made) < 0) is_complete_ = false;
}

void KeyTransaction::if_missing(std::string_view key) noexcept {
  add(conditions_, json_pack("{s:s,s:s,s:o,s:s}", "target", "CREATE", "result", "EQUAL", "key", json_bytes(key).release(),
                             "create_revision", "0"));
}

void KeyTransaction::if_lease(std::string_view key, uint64_t lease) noexcept {
  add(conditions_, json_pack("{s:s,s:s,s:o,s:s}", "target", "LEASE", "result", "EQUAL", "key", json_bytes(key).release(), "lease",
                             text_of(lease).c_str()));
}

void KeyTransaction::put(std::string_view key, std::string_view value, uint64_t lease) noexcept {
  add(operations_, json_pack("{s:{s:o,s:o,s:s}}", "request_put", "key", json_bytes(key).release(), "value",
                             json_bytes(value).release(), "lease", text_of(lease).c_str()));
}

void KeyTransaction::remove(std::string_view key) noexcept {
  add(operations_, json_pack("{s:{s:o}}", "request_delete_range", "key", json_bytes(key).release()));
}

Reply<bool> KeyTransaction::run(Gateway &gateway, int stop) noexcept {
  if (!is_complete_) return no_memory();
  auto const answer = gateway.call("/v3/kv/txn", request_, stop);
  if (!answer) return fail(answer);
  return json_is_true(member(answer->get(), "succeeded"));
}

} // namespace pm::etcd
