// What a super-server counts in: the tables against the plainest ones, and their bounds; and what a worker has answered.

#include "expect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/time.h"
#include "libpm/super/client_counts.h"
#include "libpm/super/rate.h"
#include "libpm/super/worker_queue.h"
#include "libpm/util/skalibs.h"

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
    NumberedTable<uint32_t, uint32_t> table;
    EXPECT(table.make(most) && !table.find(0));
    for (uint32_t i = 0; i < most; ++i) EXPECT(table.insert(i * 4096, i) != table.none);
    uint32_t seen = 0;
    table.each_key([&](uint32_t key) noexcept {
      EXPECT(key == seen * 4096 && table.value(table.find(key)) == seen);
      ++seen;
    });
    EXPECT(seen == most && !table.find(5));
    table.remove(table.find(0));
    EXPECT(!table.find(0) && table.insert(UINT32_MAX, 1) == table.find(UINT32_MAX));
  }
}

/** Keys from so few that they come and go and collide, in a table that is full most of the time. */
void against_an_array(uint32_t most, uint32_t keys, uint32_t stride) {
  static uint32_t values[4096], numbers[4096];
  static bool there[4096];
  memset(there, 0, sizeof there);
  NumberedTable<uint32_t, uint32_t> table;
  EXPECT(table.make(most));
  uint32_t count = 0;
  for (int step = 0; step < 200000; ++step) {
    uint32_t const i = next_number() % keys, key = i * stride + stride / 3, found = table.find(key);
    EXPECT(there[i] ? found == numbers[i] && table.key(found) == key && table.value(found) == values[i] : !found);
    if (found && next_number() % 2) {
      table.remove(found);
      there[i] = false;
      --count;
    } else if (found) {
      table.value(found) = values[i] = next_number();
    } else if (count < most) {
      values[i] = next_number();
      numbers[i] = table.insert(key, values[i]);
      EXPECT(numbers[i] >= 1 && numbers[i] <= most);
      there[i] = true;
      ++count;
    }
    if (step % 1000) continue;
    uint32_t seen = 0;
    table.each_key([&](uint32_t) noexcept { ++seen; });
    EXPECT(seen == count);
    for (uint32_t j = 0; j < keys; ++j) EXPECT((table.find(j * stride + stride / 3) != table.none) == there[j]);
  }
}

ClientKey user(uid_t uid) {
  return ClientKey::of_user(uid);
}

void connections_of_clients() {
  ClientCounts counts;
  EXPECT(counts.make(100));
  ClientNumber numbers[101];
  for (uint32_t i = 1; i <= 100; ++i) {
    EXPECT(!counts.full());
    numbers[i] = counts.add(user(i % 10 == 0 ? UINT32_MAX - 1 : 0));
  }
  EXPECT(counts.full() && counts.count() == 100 && counts.count_of(user(0)) == 90);
  EXPECT(counts.count_of(user(UINT32_MAX - 1)) == 10 && counts.count_of(user(1)) == 0);
  EXPECT(numbers[1] == numbers[2] && numbers[10] != numbers[1]);
  EXPECT(counts.remove(numbers[10]) == user(UINT32_MAX - 1));
  EXPECT(counts.count_of(user(UINT32_MAX - 1)) == 9 && !counts.full());
  for (uint32_t i = 1; i <= 100; ++i)
    if (i != 10) EXPECT(counts.remove(numbers[i]) == user(i % 10 == 0 ? UINT32_MAX - 1 : 0));
  EXPECT(counts.count() == 0 && counts.count_of(user(0)) == 0);
}

ClientKey address(int family, char const *host) {
  unsigned char bytes[16];
  EXPECT(::inet_pton(family, host, bytes) == 1);
  return ClientKey::of_address(SockAddr::of_ip(family, bytes, 0));
}

void whom_it_counts_for() {
  EXPECT(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::ffff:127.0.0.1"));
  EXPECT(!(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::127.0.0.1")));
  EXPECT(address(AF_INET, "127.0.0.1").text().view() == "ip 127.0.0.1" && address(AF_INET6, "::1").text().view() == "ip ::1");
  EXPECT(user(7).text().view() == "uid 7" && ClientKey::of_unknown().text().view() == "uid ?");
  // A user and an address are never the same.
  EXPECT(!(user(0) == ClientKey::of_unknown()) && !(user(0) == address(AF_INET6, "::")));
}

/** Clients that come and go, counted against the plainest way. */
void clients_against_an_array(uint32_t most, uint32_t users) {
  static uint32_t counted[4096];
  static ClientNumber numbers[4096];
  memset(counted, 0, sizeof counted);
  ClientCounts counts;
  EXPECT(counts.make(most));
  // Neighbours, and such as differ in the last bytes only.
  auto const client = [](uint32_t i) { return i % 2 ? user(i) : ClientKey{ClientKey::address, {0x20010db8, 0, 0, i}}; };
  uint32_t total = 0;
  for (int step = 0; step < 200000; ++step) {
    uint32_t const i = next_number() % users;
    EXPECT(counts.count_of(client(i)) == counted[i] && counts.count() == total && counts.full() == (total == most));
    if (counted[i] && next_number() % 2) {
      EXPECT(counts.remove(numbers[i]) == client(i));
      --counted[i];
      --total;
    } else if (total < most) {
      auto const number = counts.add(client(i));
      EXPECT(counted[i] == 0 || number == numbers[i]);
      numbers[i] = number;
      ++counted[i];
      ++total;
    }
    if (step % 1000) continue;
    for (uint32_t j = 0; j < users; ++j) EXPECT(counts.count_of(client(j)) == counted[j]);
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

AddressText told(char const *bytes, size_t size, size_t path_size) {
  struct {
    struct sockaddr_un name;
    char end;
  } kernels = {};
  kernels.name.sun_family = AF_UNIX;
  memcpy(kernels.name.sun_path, bytes, size);
  return SockAddr::copy(&kernels, offsetof(struct sockaddr_un, sun_path) + path_size).local_name();
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
  auto const name = *SockAddr::of_path((Text<64>("@pm-test.super.") << ::getpid()).view());
  Fd const listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT(::bind(listener.get(), name.get(), name.size()) == 0);
  EXPECT(::listen(listener.get(), 1) == 0);
  WorkerQueue queue;
  EXPECT(queue.make(name, count + 1) && queue.connect());
  Fd worker(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  uint32_t added = 0, heard = 0;
  char const *const said[] = {"PROTO=IPC"};
  auto const add = [&] { EXPECT(queue.add(Fd(::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0)), ClientNumber{++added}, said)); };
  auto const answered = [&](ClientNumber client, int, std::string_view why) noexcept {
    EXPECT(client == ClientNumber{++heard} && why.empty());
  };
  List<char> answers;
  for (uint32_t i = 0; i < count; ++i) {
    char read[4096];
    add();
    EXPECT(queue.send(answered) && ::recv(worker.get(), read, sizeof read, 0) > 0);
    xdr::Encoder encode(answers);
    EXPECT(encode(message::FrameHeader{static_cast<uint32_t>(handover::HandOverType::taken), 0, 0}));
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
  connections_of_clients();
  whom_it_counts_for();
  clients_against_an_array(1, 3);
  clients_against_an_array(100, 150);
  clients_against_an_array(4000, 4096);
  how_often();
  names();
  return 0;
}
