// Answers of etcd in pieces, whose sizes make no difference: no event or key is lost or made up, each request goes on where the
// last answer ended, and pm-mirror reads each line of the follower. The input: a byte for the sizes, one for flags, and lines: an
// answer each; the lines after an empty one, or else all, are a watch's.

#include "endpoint.h"

#include "etcd/base64.h"
#include "etcd/follower.h"
#include "libpm/registry/import_line.h"

namespace {

constexpr std::string_view prefix = Endpoint::prefix, own_host = "own";

/** What was read, as text, the same as JSON, and how it ended. */
struct Story {
  List<char> text, end;
  size_t count = 0;
  Json events = Json(json_array());

  void add(KeyValue const &pair, bool is_removal = false) noexcept {
    ++count;
    EXPECT(append(text, is_removal ? "removed " : "put ") && append_base64(text, pair.key) && append(text, " "));
    EXPECT(append_base64(text, pair.value));
    Text<24> lease, revision;
    lease << pair.lease;
    revision << pair.revision;
    EXPECT(append(text, (Text<64>() << ' ' << lease.view() << ' ' << revision.view() << '\n').view()));
    json_t *const event =
        json_pack("{s:s,s:{s:o,s:o,s:s,s:s}}", "type", is_removal ? "DELETE" : "PUT", "kv", "key", json_bytes(pair.key).release(),
                  "value", json_bytes(pair.value).release(), "lease", lease.c_str(), "mod_revision", revision.c_str());
    EXPECT(event && json_array_append_new(events.get(), event) == 0);
  }
  void add_end(GatewayError const &error) noexcept {
    EXPECT(error.kind != GatewayError::Kind::no_memory && error.reason.size());
    Text<400> line("error ");
    line << static_cast<int>(error.kind) << ' ' << error.code << ' ' << (error.is_too_long ? "long " : "") << error.reason.view();
    EXPECT(append(end, line.view()) && append(end, "\n"));
  }
  void add_end(uint64_t number) noexcept { EXPECT(append(end, (Text<24>() << number << '\n').view())); }
  void add_end(bool answer) noexcept { EXPECT(append(end, answer ? "yes\n" : "no\n")); }
  template <class T>
  void add_end(Reply<T> const &reply) noexcept {
    if (!reply) add_end(reply.error());
    else if constexpr (std::is_void_v<T>) EXPECT(append(end, "done\n"));
    else add_end(*reply);
  }
};

/** The events of a watch. `is_second`: what arrived of an earlier one was forgotten. */
Story watch(Endpoint &endpoint, bool is_second) noexcept {
  Gateway gateway(endpoint, endpoint.settings);
  WatchStream stream(gateway);
  Story story;
  // A login would take an answer more.
  if (is_second && !(endpoint.flags & logs_in)) {
    Pieces const pieces = endpoint.pieces;
    auto const ignored = [](WatchEvent const &) noexcept { return Reply<void>(); };
    EXPECT(stream.start(KeyRange::below(prefix), 1, -1));
    endpoint.wait({}, 0);
    if (stream.has_arrived()) (void)stream.read(ignored);
    endpoint.pieces = pieces;
    endpoint.requests.clear();
  }
  auto const add = [&](WatchEvent const &event) noexcept {
    story.add(event.pair, event.is_removal);
    return Reply<void>();
  };
  auto const started = stream.start(KeyRange::below(prefix), 1, -1);
  bool is_over = !started;
  if (is_over) story.add_end(started);
  while (!is_over && endpoint.has_more()) {
    endpoint.wait({}, 0);
    if (!stream.has_arrived()) continue;
    auto const read = stream.read(add);
    is_over = !read;
    if (is_over) story.add_end(read);
  }
  return story;
}

/** All keys, and answers of other requests. */
Story call_all(Endpoint &endpoint) noexcept {
  Gateway gateway(endpoint, endpoint.settings);
  Story story;
  auto const add = [&](KeyValue const &pair) noexcept {
    story.add(pair);
    return Reply<void>();
  };
  auto const range = KeyRange::below(prefix);
  auto const revision = read_range(gateway, range, add, -1);
  EXPECT(!revision || story.count == endpoint.pair_count);
  story.add_end(revision);
  story.add_end(keep_alive(gateway, 7, -1));
  KeyTransaction transaction;
  transaction.if_missing(prefix);
  transaction.put(prefix, "value", 7);
  story.add_end(transaction.run(gateway, -1));
  story.add_end(revoke(gateway, 7, -1));
  story.add_end(confirm(gateway, range, -1));
  return story;
}

/** Takes the errors of etcd, but not the keys that are left out: which of these are reported does depend on the pieces. */
class ErrorLog : public Log {
 public:
  explicit ErrorLog(Story &story) noexcept : story_(&story) {}
  void write(Level, std::span<std::string_view const> words) noexcept override {
    if (!words[0].starts_with("etcd at")) return;
    for (auto const word : words) EXPECT(append(story_->end, word));
    EXPECT(append(story_->end, "\n"));
  }

 private:
  Story *story_;
};

/** The lines of the follower. */
Story follow(Endpoint &endpoint) noexcept {
  Gateway gateway(endpoint, endpoint.settings);
  KeySpace const keys(prefix);
  Story story;
  ErrorLog log(story);
  Follower follower(gateway, keys, own_host, log);
  bool more = true;
  while (more && story.end.empty()) {
    follower.work(-1);
    EXPECT(append(story.text, view(follower.take_lines())));
    more = endpoint.has_more();
    endpoint.wait({}, 0);
  }
  return story;
}

/** Each line is one that pm-mirror reads, and of another host. */
void check_lines(std::string_view text) noexcept {
  EXPECT(text.empty() || (text.starts_with("begin\n") && text.ends_with('\n')));
  while (!text.empty()) {
    Cut const next = cut(text, '\n');
    text = next.tail;
    auto const line = registry::read_import_line(next.head);
    std::string_view const key = line ? line->key : line.error().key;
    EXPECT(line || std::string_view(line.error().reason).find("own host") != key.npos);
    EXPECT(key.empty() || cut(key, '/').head != own_host);
    if (line && line->word == registry::ImportLine::Word::up) {
      Key const whole = Key(prefix) << key;
      auto const parts = KeySpace(prefix).parts(whole.view());
      EXPECT(parts && parts->host == line->host && parts->service == line->service);
    }
  }
}

/** The events in the lines of a watch that are whole. */
size_t count_events(std::string_view lines) noexcept {
  size_t count = 0;
  for (Cut line = cut(lines, '\n'); line.found; line = cut(line.tail, '\n'))
    count += json_array_size(member(member(read_json(line.head).get(), "result"), "events"));
  return count;
}

/** What a reader makes of the input, whatever the pieces. */
template <class Read>
Story same(Input const &input, Read read) noexcept {
  Story first;
  Pieces const ways[] = {{1 << 20, 1 << 20}, {1, 1}, {1, size_t{1} + input.sizes, input.sizes}};
  for (Pieces const &pieces : ways) {
    Endpoint endpoint(input, pieces);
    Story story = read(endpoint);
    EXPECT(append(story.end, view(endpoint.requests)));
    if (&pieces == ways) first = std::move(story);
    EXPECT(&pieces == ways || (view(story.text) == view(first.text) && view(story.end) == view(first.end)));
  }
  return first;
}

void check_watch(Input const &input) noexcept {
  Story const story = same(input, [](Endpoint &endpoint) noexcept { return watch(endpoint, false); });
  Story const second = same(input, [](Endpoint &endpoint) noexcept { return watch(endpoint, true); });
  EXPECT(view(second.text) == view(story.text) && view(second.end) == view(story.end));

  // Without an end, only an error of etcd, or a line of another form, stops it before all whole lines are read.
  Endpoint endpoint({0, stays_open, {}, input.stream}, {1 << 20, 1 << 20});
  Story const open = watch(endpoint, false);
  EXPECT(!open.end.empty() || open.count == count_events(input.stream));
  EXPECT((input.flags & logs_in) || view(open.text) == view(story.text));

  // What was read, written on one line, is read again.

  List<char> written;
  Json const line(json_pack("{s:{s:O}}", "result", "events", open.events.get()));
  EXPECT(line && append_json_text(written, line.get()) && append(written, "\n"));
  Endpoint again({0, stays_open, {}, view(written)}, {1 << 20, 1 << 20});
  Story const reread = watch(again, false);
  EXPECT(view(reread.text) == view(open.text) && reread.end.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  if (size < 2) return 0;
  auto const text = input_of(data + 2, size - 2);
  size_t const end = text.find("\n\n");
  Input const input = {data[0], data[1], text.substr(0, end), end == text.npos ? text : text.substr(end + 2)};
  check_watch(input);
  (void)same(input, call_all);
  check_lines(view(same(input, follow).text));
  return 0;
}
