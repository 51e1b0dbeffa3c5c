// What a super-server counts in: the tables against the plainest ones, and their bounds; and what a worker has answered.

#include "expect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pm/base/local_address.h>
#include <pm/base/time.h>
#include <pm/super/connections.h>
#include <pm/super/rate.h>
#include <pm/super/worker_queue.h>
#include <string.h>
#include <unistd.h>

using namespace pm;
using namespace pm::super;

namespace {

/** A generator of its own: the same numbers in each run. xorshift32. */
uint32_t next_number() noexcept {
  static uint32_t state = 2463534242U;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

void bounds() {
  for (uint32_t const most : {1U, 2U, 3U, 7U, 8U, 1000U}) {
    auto table = Table::make(most);
    EXPECT(table.has_value());
    for (uint32_t i = 0; i < most; ++i) {
      uint32_t *const value = table->insert(i * 4096);
      EXPECT(value && *value == 0);
      *value = i;
      EXPECT(table->size() == i + 1);
    }
    EXPECT(!table->insert(5) && table->size() == most);
    // One that is there is found all the same.
    EXPECT(table->insert(0) && !table->find(5) && !table->find(Table::no_key - 1));
    uint32_t seen = 0;
    table->each([&](uint32_t key, uint32_t value) noexcept {
      EXPECT(key == value * 4096);
      ++seen;
    });
    EXPECT(seen == most);
    table->remove(table->find(0));
    EXPECT(!table->find(0) && table->insert(Table::no_key - 1) && table->find(Table::no_key - 1));
  }
  EXPECT(!Table::make(1)->find(0));
}

/** Keys from so few that they come and go and collide, in a table that is full most of the time. */
void against_an_array(uint32_t most, uint32_t keys, uint32_t stride) {
  static uint32_t values[4096];
  static bool there[4096];
  memset(there, 0, sizeof there);
  auto table = Table::make(most);
  EXPECT(table.has_value());
  uint32_t count = 0;
  for (int step = 0; step < 200000; ++step) {
    uint32_t const i = next_number() % keys, key = i * stride + stride / 3;
    uint32_t *const found = table->find(key);
    EXPECT((found != nullptr) == there[i] && (!found || *found == values[i]));
    if (found && next_number() % 2) {
      table->remove(found);
      there[i] = false;
      --count;
    } else if (uint32_t *const value = table->insert(key)) {
      EXPECT(there[i] || *value == 0);
      *value = values[i] = next_number();
      count += !there[i];
      there[i] = true;
    } else {
      EXPECT(!there[i] && count == most);
    }
    EXPECT(table->size() == count);
    if (step % 1000) continue;
    uint32_t seen = 0;
    table->each([&](uint32_t, uint32_t) noexcept { ++seen; });
    EXPECT(seen == count);
    for (uint32_t j = 0; j < keys; ++j) EXPECT((table->find(j * stride + stride / 3) != nullptr) == there[j]);
  }
}

Source user(uid_t uid) {
  return Source::of_user(uid);
}

void who_is_connected() {
  auto made = Connections::make(100);
  EXPECT(made.has_value());
  auto &connections = *made;
  for (pid_t pid = 1; pid <= 100; ++pid) {
    EXPECT(!connections.full());
    connections.add(pid, user(pid % 10 == 0 ? UINT32_MAX - 1 : 0));
  }
  EXPECT(connections.full() && connections.count() == 100 && connections.count(user(0)) == 90);
  EXPECT(connections.count(user(UINT32_MAX - 1)) == 10 && connections.count(user(1)) == 0);
  EXPECT(!connections.remove(101) && !connections.remove(0) && connections.count() == 100);
  int children = 0;
  connections.each_child([&](pid_t pid) noexcept {
    EXPECT(pid >= 1 && pid <= 100);
    ++children;
  });
  EXPECT(children == 100);
  EXPECT(connections.remove(10) == user(UINT32_MAX - 1) && !connections.remove(10));
  EXPECT(connections.count(user(UINT32_MAX - 1)) == 9 && !connections.full());
  for (pid_t pid = 1; pid <= 100; ++pid) EXPECT(connections.remove(pid).has_value() == (pid != 10));
  EXPECT(connections.count() == 0 && connections.count(user(0)) == 0);
}

Source address(int family, char const *host) {
  SocketName name = {};
  name.any.sa_family = static_cast<sa_family_t>(family);
  EXPECT(::inet_pton(family, host, family == AF_INET ? static_cast<void *>(&name.v4.sin_addr) : &name.v6.sin6_addr) == 1);
  return Source::of_address(name);
}

void whom_it_counts_for() {
  EXPECT(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::ffff:127.0.0.1"));
  EXPECT(!(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::127.0.0.1")));
  EXPECT(address(AF_INET, "127.0.0.1").text().view() == "ip 127.0.0.1" && address(AF_INET6, "::1").text().view() == "ip ::1");
  EXPECT(user(7).text().view() == "uid 7" && Source::of_unknown().text().view() == "uid ?");
  // A user and an address are never the same.
  EXPECT(!(user(0) == Source::of_unknown()) && !(user(0) == address(AF_INET6, "::")));
}

/** Sources that come and go, counted against the plainest way. */
void sources_against_an_array(uint32_t most, uint32_t users) {
  static uint32_t counts[4096], entries[4096];
  memset(counts, 0, sizeof counts);
  auto made = Sources::make(most);
  EXPECT(made.has_value());
  uint32_t total = 0;
  for (int step = 0; step < 200000; ++step) {
    uint32_t const i = next_number() % users;
    // Neighbours, and such as differ in the last bytes only.
    Source const source = i % 2 ? user(i) : Source{Source::address, {0x20010db8, 0, 0, i}};
    EXPECT(made->count(source) == counts[i]);
    if (counts[i] && next_number() % 2) {
      EXPECT(made->remove(entries[i]) == source);
      --counts[i];
      --total;
    } else if (total < most) {
      uint32_t const entry = made->add(source);
      EXPECT(counts[i] == 0 || entry == entries[i]);
      entries[i] = entry;
      ++counts[i];
      ++total;
    }
    if (step % 1000) continue;
    for (uint32_t j = 0; j < users; ++j)
      EXPECT(made->count(j % 2 ? user(j) : Source{Source::address, {0x20010db8, 0, 0, j}}) == counts[j]);
  }
}

void how_often() {
  Rate none(0, 0), two(2, 3600000), quick(1, 1);
  EXPECT(!none.is_limited() && none.count() && none.wait() == 0);
  EXPECT(two.wait() == 0 && two.count() && two.wait() == 0 && two.count());
  EXPECT(two.wait() > 3590000 && two.wait() <= 3600000);
  for (int i = 0; i < 5; ++i) {
    EXPECT(quick.count());
    EXPECT(quick.wait() <= 1);
    uint64_t const end = boottime() + 1000000;
    while (boottime() < end) {
    }
    EXPECT(quick.wait() == 0);
  }
}

Text<local_path_max + 1> told(char const *bytes, size_t size, size_t path_size) {
  SocketName name = {};
  name.local.sun_family = AF_UNIX;
  memcpy(name.local.sun_path, bytes, size);
  return text_of(name, static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + path_size));
}

void names() {
  EXPECT(told("", 0, 0).size() == 0);
  EXPECT(told("/a", 2, 3).view() == "/a" && told("a", 1, 2).view() == "a");
  EXPECT(told("\0name", 5, 5).view() == "@name");
  // No abstract name is taken for a path, nor the other way round; nothing makes a second line or ends early.
  EXPECT(told("@a", 2, 3).size() == 0 && told("/a\nb", 4, 5).size() == 0 && told("/a\x7f", 3, 4).size() == 0);
  EXPECT(told("\0a\0b", 4, 4).size() == 0 && told("\0a\nb", 4, 4).size() == 0);
  char longest[local_path_max];
  memset(longest, 'x', sizeof longest);
  EXPECT(told(longest, sizeof longest, sizeof longest + 1).size() == sizeof longest);
  longest[0] = 0;
  EXPECT(told(longest, sizeof longest, sizeof longest).size() == sizeof longest);
}

/** However much a worker has answered before it closes, all of it is heard by who only hears of the end as he sends. */
void answers_before_the_end() {
  constexpr uint32_t count = 500;
  char const *const argv[] = {PROG, nullptr};
  auto const name = LocalAddress::argument(Options(1, argv, "", ""), (Text<64>("local:@pm-test.super.") << ::getpid()).view());
  Fd const listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT(::bind(listener.get(), reinterpret_cast<struct sockaddr const *>(&name.name().address), name.name().size) == 0);
  EXPECT(::listen(listener.get(), 1) == 0);
  WorkerQueue queue;
  EXPECT(queue.make(name, count + 1) && queue.connect());
  Fd worker(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char const *const said[] = {"PROTO=IPC"};
  auto const add = [&] { (void)queue.add(Fd(::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0)), said); };
  uint32_t heard = 0;
  auto const answered = [&](uint32_t ticket, int, std::string_view why) noexcept {
    ++heard;
    EXPECT(ticket == heard && why.empty());
  };
  List<char> answers;
  for (uint32_t i = 0; i < count; ++i) {
    char read[4096];
    add();
    EXPECT(queue.send(answered) && ::recv(worker.get(), read, sizeof read, 0) > 0);
    xdr::Encoder encode(answers);
    EXPECT(encode(message::Header{static_cast<uint32_t>(fdpass::HandOverType::taken), 0, 0}));
  }
  EXPECT(::send(worker.get(), answers.begin(), answers.size(), 0) == static_cast<ssize_t>(answers.size()));
  worker.reset();
  add();
  EXPECT(!queue.send(answered) && heard == count && !queue.is_connected() && queue.may_ask_anew() && queue.has_unsent());
}

} // namespace

int main() {
  PROG = "super";
  answers_before_the_end();
  bounds();
  against_an_array(7, 12, 1);
  against_an_array(100, 150, 1);
  // What a multiplication could spread badly: the same low bits, and neighbours of the multiplier's inverse.
  against_an_array(100, 150, 65536);
  against_an_array(500, 700, 340573321U);
  against_an_array(2000, 4096, 1U << 20);
  who_is_connected();
  whom_it_counts_for();
  sources_against_an_array(1, 3);
  sources_against_an_array(100, 150);
  sources_against_an_array(4000, 4096);
  how_often();
  names();
  return 0;
}
