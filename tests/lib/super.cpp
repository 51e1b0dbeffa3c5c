// What a super-server counts in: the tables against the plainest ones, and their bounds; and what a worker has answered.

#include "expect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "libpm/net/first_datagram.h"
#include "libpm/os/time.h"
#include "libpm/super/client_counts.h"
#include "libpm/super/rate.h"
#include "libpm/super/waiting_connections.h"
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

ClientKey address(int family, char const *host, PrefixLengths lengths = {}, uint32_t scope = 0) {
  unsigned char bytes[16];
  EXPECT(::inet_pton(family, host, bytes) == 1);
  auto name = SockAddr::of_ip(family, bytes, 80);
  if (family == AF_INET6) name.set_scope(scope);
  return ClientKey::of_address(name, lengths);
}

void networks() {
  auto const v6 = [](char const *host, uint32_t bits) { return address(AF_INET6, host, {32, bits}); };
  EXPECT(address(AF_INET6, "2001:db8:1:2::1") == address(AF_INET6, "2001:db8:1:2:ffff::"));
  EXPECT(!(address(AF_INET6, "2001:db8:1:2::1") == address(AF_INET6, "2001:db8:1:3::1")));
  EXPECT(!(v6("2001:db8::1", 128) == v6("2001:db8::2", 128)) && v6("2001:db8::2", 127) == v6("2001:db8::3", 127));
  EXPECT(!(v6("2001:db8::1", 127) == v6("2001:db8::2", 127)));
  EXPECT(v6("::", 1) == v6("7fff::", 1) && !(v6("::", 1) == v6("8000::", 1)));
  EXPECT(v6("2001:db8:1:2ff::", 57) == v6("2001:db8:1:280::", 57) && !(v6("2001:db8:1:2ff::", 57) == v6("2001:db8:1:27f::", 57)));
  // IPv4 is counted by the whole address, also inside IPv6.
  EXPECT(!(v6("::ffff:192.0.2.1", 1) == v6("::ffff:192.0.2.2", 1)) && v6("::ffff:192.0.2.1", 1) == address(AF_INET, "192.0.2.1"));
  // A link-local network is one of its interface.
  EXPECT(address(AF_INET6, "fe80::1", {}, 1) == address(AF_INET6, "fe80::2", {}, 1));
  EXPECT(!(address(AF_INET6, "fe80::1", {}, 1) == address(AF_INET6, "fe80::1", {}, 2)));
  EXPECT(v6("2001:db8:1:2:3::4", 64).text().view() == "ip 2001:db8:1:2::");
  auto const three = SockAddr::of_ip(AF_INET, "\xc0\0\2\x7f", 7);
  EXPECT(network_of(three, {24, 64}).host().view() == "192.0.2.0" && network_of(three).port() == 0);
  EXPECT(is_same_network(three, three) && !is_same_network(three, SockAddr()) && !is_same_network(SockAddr(), SockAddr()));
}

void whom_it_counts_for() {
  EXPECT(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::ffff:127.0.0.1"));
  EXPECT(!(address(AF_INET, "127.0.0.1") == address(AF_INET6, "::127.0.0.1")));
  EXPECT(address(AF_INET, "127.0.0.1").text().view() == "ip 127.0.0.1" &&
         address(AF_INET6, "::1", whole_address).text().view() == "ip ::1");
  EXPECT(user(7).text().view() == "uid 7" && ClientKey::of_unknown().text().view() == "uid ?");
  // A user and an address are never the same.
  EXPECT(!(user(0) == ClientKey::of_unknown()) && !(user(0) == address(AF_INET6, "::")));
}

bool is_set(int socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT(::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0);
  return value;
}

void send_with_descriptor(int socket) {
  char bytes[] = "abc";
  struct iovec part = {bytes, 3};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof socket)] = {};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  auto *const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_len = CMSG_LEN(sizeof socket);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  memcpy(CMSG_DATA(rights), &socket, sizeof socket);
  EXPECT(::sendmsg(socket, &header, 0) == 3);
}

/** Two copies of a datagram are told apart, and the socket is as it was. */
void first_datagrams() {
  int ends[2];
  EXPECT(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd const sender(ends[0]), socket(ends[1]);
  for (int const option : {0, SO_TIMESTAMP, SO_TIMESTAMPNS}) {
    int const on = 1;
    if (option) EXPECT(::setsockopt(socket.get(), SOL_SOCKET, option, &on, sizeof on) == 0);
    EXPECT(!FirstDatagram::look(socket.get()));
    // Each has a descriptor with it, which must not arrive here.
    for (int i = 0; i < 2; ++i) send_with_descriptor(sender.get());
    int const next = ::dup(0);
    ::close(next);
    auto const first = FirstDatagram::look(socket.get()), again = FirstDatagram::look(socket.get());
    EXPECT(first && again && first->is_same(*again) && first->size == 3);
    FirstDatagram::discard(socket.get());
    auto const second = FirstDatagram::look(socket.get());
    EXPECT(second && !second->is_same(*first));
    FirstDatagram::discard(socket.get());
    EXPECT(!FirstDatagram::look(socket.get()));
    int const still = ::dup(0);
    ::close(still);
    EXPECT(next == still);
    EXPECT(is_set(socket.get(), SO_TIMESTAMP) == (option == SO_TIMESTAMP));
    EXPECT(is_set(socket.get(), SO_TIMESTAMPNS) == (option == SO_TIMESTAMPNS));
  }
}

/** Clients that come and go, counted against the plainest way. */
void clients_against_an_array(uint32_t most, uint32_t users) {
  static uint32_t counted[4096];
  static ClientNumber numbers[4096];
  memset(counted, 0, sizeof counted);
  ClientCounts counts;
  EXPECT(counts.make(most));
  // Neighbours, and such as differ in the last bytes only.
  auto const client = [](uint32_t i) { return i % 2 ? user(i) : ClientKey{ClientKey::address, {0x20010db8, 0, 0, i}, 0}; };
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

/** A connection of a user, and its number: a pipe's end with as many bytes. */
AcceptedConnection waiter(uid_t uid, size_t number) {
  static ServedSocket socket;
  int ends[2];
  char const bytes[64] = {};
  EXPECT(::pipe(ends) == 0 && ::write(ends[1], bytes, number) == static_cast<ssize_t>(number));
  ::close(ends[1]);
  AcceptedConnection connection{Fd(ends[0]), &socket, {}};
  connection.client = user(uid);
  return connection;
}

/** The number of a waiter; 0: none. */
size_t number_of(std::optional<AcceptedConnection> const &connection) {
  char bytes[64];
  return connection ? static_cast<size_t>(::read(connection->fd.get(), bytes, sizeof bytes)) : 0;
}

void waiting_in_turns() {
  auto const none_first = [](ClientKey const &) noexcept { return false; };
  auto const root_first = [](ClientKey const &client) noexcept { return client == user(0); };
  auto const any = [](ClientKey const &) noexcept { return true; };
  WaitingConnections waiting;
  EXPECT(waiting.make(3, 5) && waiting.count() == 0 && !waiting.take(any));
  for (size_t i = 1; i <= 3; ++i) EXPECT(!waiting.add(waiter(1, i), none_first));
  EXPECT(number_of(waiting.add(waiter(1, 4), none_first)) == 4); // user 1 has its three
  EXPECT(!waiting.add(waiter(2, 5), none_first) && !waiting.add(waiter(2, 6), none_first) && waiting.count() == 5);
  // No room is left: the newest of the user with most goes.
  EXPECT(number_of(waiting.add(waiter(3, 7), none_first)) == 3 && waiting.count() == 5 && waiting.count_of(user(1)) == 2);
  // Of users with as many, the later one has less claim to a place.
  EXPECT(number_of(waiting.add(waiter(3, 8), none_first)) == 8);
  // Root's goes only if no other waits.
  EXPECT(number_of(waiting.add(waiter(0, 9), root_first)) == 6 && number_of(waiting.add(waiter(0, 10), root_first)) == 2);
  EXPECT(waiting.count_of(user(0)) == 2 && number_of(waiting.add(waiter(0, 11), root_first)) == 7);
  // Now 1, 5 and 9 to 11 wait. A client that may not start loses nothing.
  EXPECT(number_of(waiting.take([](ClientKey const &client) noexcept { return client == user(2); })) == 5);
  EXPECT(!waiting.take([](ClientKey const &client) noexcept { return client == user(2); }));
  for (size_t const next : {9U, 1U, 10U, 11U}) EXPECT(number_of(waiting.take(any)) == next);
  EXPECT(waiting.count() == 0 && !waiting.take(any));
}

/** The order in which connections start, against the plainest queues. Each client is behind all others once one of its own started. */
void turns_against_an_array() {
  constexpr uint32_t users = 7, each = 5;
  struct {
    size_t numbers[each], count;
    uint32_t last_turn;
  } plain[users] = {};
  WaitingConnections waiting;
  EXPECT(waiting.make(each, users * each));
  uint32_t turn = 1;
  for (int step = 0; step < 20000; ++step) {
    uint32_t const i = next_number() % users;
    auto &own = plain[i];
    if (next_number() % 2) {
      size_t const number = next_number() % 60 + 1;
      size_t const left_over = number_of(waiting.add(waiter(i, number), [](ClientKey const &) noexcept { return false; }));
      EXPECT(left_over == (own.count == each ? number : 0));
      if (own.count == each) continue;
      if (own.count == 0) own.last_turn = turn++; // a new client is the last of the ring
      own.numbers[own.count++] = number;
      continue;
    }
    uint32_t const closed = next_number() % users; // this one may not start
    uint32_t first = users;
    for (uint32_t j = 0; j < users; ++j)
      if (j != closed && plain[j].count && (first == users || plain[j].last_turn < plain[first].last_turn)) first = j;
    size_t const taken = number_of(waiting.take([=](ClientKey const &client) noexcept { return !(client == user(closed)); }));
    EXPECT(taken == (first == users ? 0 : plain[first].numbers[0]));
    if (first == users) continue;
    std::copy(plain[first].numbers + 1, plain[first].numbers + plain[first].count, plain[first].numbers);
    --plain[first].count;
    // The ring goes on behind it, and so it and those that were passed over come last.
    if (closed != first && plain[closed].count && plain[closed].last_turn < plain[first].last_turn)
      plain[closed].last_turn = turn++;
    plain[first].last_turn = turn++;
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
    EXPECT(encode(message::FrameHeader{message::Finished::type, 4, 0}, message::Finished()));
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
  networks();
  first_datagrams();
  clients_against_an_array(1, 3);
  clients_against_an_array(100, 150);
  clients_against_an_array(4000, 4096);
  waiting_in_turns();
  turns_against_an_array();
  how_often();
  names();
  return 0;
}
