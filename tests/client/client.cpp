// client SCENARIO [ARGUMENT...]: what pm::Registry does, as a program with exceptions and the C++ library sees it.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pm/registry.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <iostream>
#include <map>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

#define CHECK(condition)                                                                    \
  do {                                                                                      \
    if (!(condition)) throw std::runtime_error(std::to_string(__LINE__) + ": " #condition); \
  } while (0)

std::vector<std::string> arguments;

template <class T>
bool failed(pm::Outcome<T> const &outcome, pm::Status reason) {
  if (outcome || outcome.error().reason != reason || !*outcome.error().text()) {
    std::cerr << "not so: " << (outcome ? "done" : outcome.error().text()) << '\n';
    return false;
  }
  return true;
}
/** What an outcome holds; an exception if it holds an error. */
template <class T>
T value(pm::Outcome<T> outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().text());
  return std::move(*outcome);
}
pm::Registry open() {
  return value(pm::Registry::open());
}
std::size_t seen(pm::Registry &registry, std::string const &service) {
  auto const entries = registry.find({.service = service, .trust = pm::Trust::anyone()});
  CHECK(entries);
  return entries->size();
}
int bound(int family, int type, bool listening = true) {
  int const fd = ::socket(family, type | SOCK_CLOEXEC, 0);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr const nameless = {AF_UNIX, {}};
  int const done = family == AF_INET6  ? ::bind(fd, reinterpret_cast<sockaddr *>(&v6), sizeof v6)
                   : family == AF_INET ? ::bind(fd, reinterpret_cast<sockaddr *>(&v4), sizeof v4)
                                       : ::bind(fd, &nameless, sizeof nameless.sa_family);
  CHECK(done == 0);
  if (listening && type == SOCK_STREAM) CHECK(::listen(fd, 16) == 0);
  return fd;
}
/** A pipe that is readable. */
int readable() {
  int fds[2];
  CHECK(::pipe(fds) == 0 && ::write(fds[1], "x", 1) == 1);
  return fds[0];
}

/** In a child: writes to `fd` as soon as its parent sleeps in a call, and ends. */
pid_t wake(int fd) {
  pid_t const child = ::fork();
  if (child) return child;
  std::string const path = "/proc/" + std::to_string(::getppid()) + "/stat";
  for (;;) {
    char text[256];
    int const stat = ::open(path.c_str(), O_RDONLY);
    ssize_t const n = ::read(stat, text, sizeof text);
    ::close(stat);
    std::string_view const said(text, n > 0 ? static_cast<size_t>(n) : 0);
    if (said.substr(said.rfind(')') + 1).starts_with(" S")) break;
    ::sched_yield();
  }
  ::_exit(::write(fd, "x", 1) == 1 ? 0 : 1);
}

// --- what libcxx tests

void exclusive_batches() {
  auto registry = open();
  auto other = open();
  auto const first = registry.reg({{"pair", pm::At::port(1001)}, {"pair", pm::At::port(1002)}}, {.exclusive = true});
  CHECK(first && seen(registry, "pair") == 2);
  auto const second = other.reg({{"pair", pm::At::port(1003)}, {"pair", pm::At::port(1004)}}, {.exclusive = true});
  CHECK(failed(second, pm::Status::conflict) && seen(registry, "pair") == 2);
  // All or none: what was free is not registered either; and the one to blame is named.
  auto const third = other.reg({{"free", "none"}, {"pair", pm::At::port(1005)}});
  CHECK(failed(third, pm::Status::conflict) && third.error().index == 1 && seen(registry, "free") == 0);
}

void duplicates() {
  auto registry = open();
  auto const first = registry.reg("web", pm::At::port(80)), second = registry.reg("web", pm::At::port(80));
  CHECK(first && second && seen(registry, "web") == 2);
  CHECK(failed(registry.reg("web", pm::At::port(80), {.exclusive = true}), pm::Status::conflict));
}

void dereg_then_exclusive() {
  auto registry = open();
  auto const held = registry.reg({{"web", pm::At::port(80)}, {"web", pm::At::port(81)}, {"other", "none"}});
  CHECK(held);
  auto removed = registry.dereg("web", pm::At::port(80));
  CHECK(removed && *removed == 1 && seen(registry, "web") == 1 && seen(registry, "other") == 1);
  CHECK(failed(registry.dereg("web", pm::At::port(80)), pm::Status::not_found));
  CHECK(failed(registry.dereg("absent"), pm::Status::not_found));
  CHECK(failed(registry.dereg("web", "nonsense"), pm::Status::bad_address));
  CHECK(failed(registry.reg("web", pm::At::port(80), {.exclusive = true}), pm::Status::conflict));
  removed = registry.dereg("web");
  CHECK(removed && *removed == 1 && seen(registry, "web") == 0 && seen(registry, "other") == 1);
  auto const again = registry.reg("web", pm::At::port(80), {.exclusive = true});
  CHECK(again && seen(registry, "web") == 1);
}

void own_executable() {
  auto registry = open();
  auto known = registry.executable(::getpid());
  CHECK(known && known->path.empty());
  CHECK(registry.announce());
  known = registry.executable(::getpid());
  struct stat named, own;
  CHECK(known && !known->deleted && ::stat(known->path.c_str(), &named) == 0 && ::stat("/proc/self/exe", &own) == 0);
  CHECK(named.st_ino == own.st_ino && named.st_dev == own.st_dev);
  CHECK(registry.announce()); // once more changes nothing
  CHECK(value(registry.executable(::getpid())).path == known->path);
  CHECK(registry.withdraw());
  CHECK(value(registry.executable(::getpid())).path.empty());
  CHECK(failed(registry.withdraw(), pm::Status::not_found));
  // It ends with its handle.
  {
    auto second = open();
    CHECK(second.announce() && value(registry.executable(::getpid())).path == known->path);
  }
  CHECK(value(registry.executable(::getpid())).path.empty());
  for (pid_t const unused : {0, -1, 1 << 30}) CHECK(value(registry.executable(unused)).path.empty());
}

void deleted_executable() {
  auto registry = open();
  std::string const path = ::realpath("/proc/self/exe", nullptr);
  CHECK(::unlink("/proc/self/exe") < 0 && ::unlink(path.c_str()) == 0);
  CHECK(registry.announce());
  auto const known = registry.executable(::getpid());
  CHECK(known && known->deleted && known->path == path);
}

void two_handles() {
  auto one = open();
  std::optional<pm::Registry> two = open();
  auto const a = one.reg("a", "none");
  auto b = two->reg("b", "none");
  CHECK(a && b && failed(one.dereg("b"), pm::Status::not_found));
  two.reset();
  CHECK(seen(one, "a") == 1 && seen(one, "b") == 0);
  CHECK(b->end()); // it has ended with its handle
  // Destroyed one by one.
  {
    auto const c = one.reg("c", "none");
    CHECK(c && seen(one, "c") == 1);
  }
  CHECK(seen(one, "c") == 0 && seen(one, "a") == 1);
  auto d = one.reg("d", "none");
  CHECK(d && d->end() && seen(one, "d") == 0);
}

/** An assignment ends what the variable held before, as its destructor does. */
void assignments() {
  auto registry = open();
  auto web = value(registry.reg("web", "none")), mail = value(registry.reg("mail", "none"));
  web = std::move(mail);
  CHECK(seen(registry, "web") == 0 && seen(registry, "mail") == 1);
  auto &self = web;
  web = std::move(self);
  CHECK(seen(registry, "mail") == 1);
  {
    auto const last = std::move(web);
    CHECK(seen(registry, "mail") == 1);
    CHECK(web.end()); // it holds nothing any more
  }
  CHECK(seen(registry, "mail") == 0);

  // A connection: the peer sees the end of the one that is replaced, and only of that.
  int const listening = bound(AF_UNIX, SOCK_STREAM);
  auto const held = value(registry.reg("server", pm::At::descriptor(listening)));
  auto one = value(registry.connect({.service = "server"})), two = value(registry.connect({.service = "server"}));
  int const peers[] = {::accept(listening, nullptr, nullptr), ::accept(listening, nullptr, nullptr)};
  int const second = two.fd();
  one = std::move(two);
  char byte;
  CHECK(one.fd() == second && two.fd() == -1 && ::read(peers[0], &byte, 1) == 0);
  auto &same = one;
  one = std::move(same);
  CHECK(one.fd() == second && ::recv(peers[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);

  // A handle: all that it has registered ends with it.
  auto other = open();
  auto const of_other = value(other.reg("other", "none"));
  auto next = open();
  auto const of_next = value(next.reg("next", "none"));
  other = std::move(next);
  CHECK(seen(registry, "other") == 0 && seen(other, "next") == 1);
  auto &still = other;
  other = std::move(still);
  CHECK(seen(other, "next") == 1);
}

/** Stays registered until a line comes. */
void stay() {
  auto registry = open();
  auto const held = registry.reg(arguments.at(0), "none");
  CHECK(held);
  std::cout << "registered" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  // With another service than it began with.
  auto const more = registry.reg("more", "none");
  CHECK(more && seen(registry, arguments.at(0)) == 1 && seen(registry, "more") == 1);
  std::cout << "both" << std::endl;
  std::getline(std::cin, line);
}

// --- addresses, flags, results

void addresses() {
  auto registry = open();
  struct {
    int family, type;
    char const *netid;
  } const kinds[] = {{AF_INET, SOCK_STREAM, "tcp"},
                     {AF_INET6, SOCK_STREAM, "tcp6"},
                     {AF_INET, SOCK_DGRAM, "udp"},
                     {AF_INET6, SOCK_DGRAM, "udp6"},
                     {AF_UNIX, SOCK_STREAM, "local"}};
  std::vector<int> all;
  for (auto const &kind : kinds) {
    int const fd = bound(kind.family, kind.type);
    all.push_back(fd);
    auto const held = registry.reg("one", pm::At::descriptor(fd));
    CHECK(held);
    auto const entries = registry.find({.service = "one", .trust = pm::Trust::anyone()});
    CHECK(entries && entries->size() == 1 && entries->front().netid == kind.netid);
    CHECK(registry.dereg("one", pm::At::descriptor(fd)));
  }
  int const path = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::string const text = std::string(::getcwd(name.sun_path, 80)) + "/socket";
  text.copy(name.sun_path, text.size());
  ::unlink(name.sun_path);
  CHECK(::bind(path, reinterpret_cast<sockaddr *>(&name), sizeof name) == 0);
  all.push_back(path);
  auto const held = registry.reg("many", pm::At::descriptors(all));
  CHECK(held && seen(registry, "many") == all.size());
  CHECK(value(registry.find({.service = "many", .trust = pm::Trust::anyone()})).back().address == "local:" + text);
  CHECK(registry.dereg("many", pm::At("local:" + text)) && seen(registry, "many") == all.size() - 1);
  auto const port = registry.reg("port", pm::At::port(8080));
  CHECK(port && value(registry.find({.service = "port", .trust = pm::Trust::anyone()})).front().address == "tcp:0.0.0.0:8080");
  for (char const *bad : {"", "tcp", "tcp:localhost:80", "tcp:127.0.0.1:0", "fd:", "fd:x", "local:x"}) {
    auto const refused = registry.reg({{"a", "none"}, {"b", bad}});
    CHECK(failed(refused, pm::Status::bad_address) && refused.error().index == 1);
  }
  int const file = ::open("/dev/null", O_RDONLY);
  CHECK(failed(registry.reg("a", pm::At::descriptor(file)), pm::Status::bad_address));
  auto const no_socket = registry.reg("a", pm::At::descriptor(file));
  CHECK(!no_socket && no_socket.error().code == ENOTSOCK);
  CHECK(failed(registry.reg("a", pm::At::descriptor(999)), pm::Status::bad_address));
  CHECK(failed(registry.reg("a", pm::At::port(0)), pm::Status::bad_address));
  for (char const *bad : {"", ".", "a b", "a/b", "\xc3\xa9", ".exe"})
    CHECK(failed(registry.reg(bad, "none"), pm::Status::bad_name));
  std::vector<pm::Service> many(129, pm::Service{"many", "none"});
  auto const batch = registry.reg(many);
  CHECK(failed(batch, pm::Status::batch_limit) && batch.error().limit == 128);
  many.pop_back();
  CHECK(registry.reg(many));
}

void lists() {
  auto registry = open();
  auto const a = registry.reg({{"a", pm::At::port(1), 1}, {"a", "udp:127.0.0.1:2", 2}}, {.is_public = true});
  auto const b = registry.reg("b", "none", {.exclusive = true});
  CHECK(a && b);
  auto const mine = [&](pm::Query const &query) {
    auto all = value(registry.find(query));
    std::erase_if(all, [](auto const &one) { return one.pid != ::getpid(); });
    return all;
  };
  CHECK(mine({}).size() == 3 && mine({.trust = pm::Trust::anyone()}).size() == 3);
  CHECK(mine({.version = 1}).size() == 1 && mine({.version = 0}).size() == 1 && mine({.netid = "udp"}).size() == 1);
  CHECK(mine({.trust = pm::Trust::own()}).size() == 3 && mine({.trust = pm::Trust::user(4242)}).empty());
  CHECK(mine({.trust = pm::Trust::users({4242, ::geteuid()})}).size() == 3);
  CHECK(failed(registry.find({.trust = pm::Trust::users(std::vector<uid_t>(17, 1))}), pm::Status::invalid_parameter));
  auto const all = mine({});
  auto const &first = all.front(), &last = all.back();
  char self[4096];
  ssize_t const n = ::readlink("/proc/self/exe", self, sizeof self);
  CHECK(first.service == "a" && first.version == 1 && first.is_public && first.executable == std::string(self, n));
  CHECK(first.uid == ::geteuid() && first.pid == ::getpid() && !first.exclusive && !first.id.empty());
  CHECK(last.service == "b" && last.exclusive && !last.is_public && last.executable.empty() && last.address == "none");
}

void finds() {
  auto registry = open();
  auto const count = [&](std::string const &service, pm::Trust trust = pm::Trust::usual(),
                         std::optional<std::uint32_t> version = {}, std::string const &netid = {}) {
    auto const found = registry.find({.service = service, .version = version, .netid = netid, .trust = trust});
    CHECK(found);
    return found->size();
  };
  CHECK(count("web") == 0 && count("web") == 0);
  auto first = registry.reg({{"web", pm::At::port(80), 1}, {"web", "udp:127.0.0.1:2", 2}}, {.is_public = true});
  CHECK(first && count("web") == 2 && count("web") == 2);
  {
    auto other = open();
    auto const third = other.reg("web", "none");
    CHECK(third && count("web") == 3);
  }
  CHECK(count("web") == 2 && count("web", pm::Trust::own()) == 2 && count("web", pm::Trust::anyone()) == 2);
  CHECK(count("web", pm::Trust::user(4242)) == 0 && count("web", pm::Trust::own(), 1) == 1);
  CHECK(count("web", pm::Trust::own(), {}, "udp") == 1 && count("web", pm::Trust::own(), 2, "tcp") == 0);
  auto const found = value(registry.find({.service = "web"}));
  auto const listed = value(registry.find({.service = "web", .trust = pm::Trust::anyone()}));
  CHECK(found.size() == 2 && listed.size() == 2);
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(found[i].id == listed[i].id && found[i].address == listed[i].address && found[i].is_public);
  CHECK(failed(registry.find({.service = "a b"}), pm::Status::bad_name));
  CHECK(failed(registry.find({.service = "web", .netid = "x"}), pm::Status::bad_address));
  CHECK(first->end() && count("web") == 0);
}

void limits() {
  auto registry = open();
  std::vector<pm::Registration> held;
  for (int i = 0; i < 2; ++i) held.push_back(value(registry.reg("web", "none")));
  auto refused = registry.reg("web", "none");
  CHECK(failed(refused, pm::Status::process_limit) && refused.error().limit == 2);
  refused = registry.reg("mail", "none");
  CHECK(failed(refused, pm::Status::rule));
  CHECK(failed(registry.announce(), pm::Status::process_limit)); // it counts
  held.pop_back();
  CHECK(registry.announce());
  CHECK(failed(registry.reg("web", "none"), pm::Status::process_limit));
  // Its successors are other processes: the user's limit is theirs together.
  pid_t const child = ::fork();
  if (child == 0) {
    auto mine = open();
    auto const first = mine.reg("web", "none");
    auto const second = mine.reg("web", "none");
    ::_exit(first && failed(second, pm::Status::user_limit) && second.error().limit == 3 ? 0 : 1);
  }
  int status;
  CHECK(::waitpid(child, &status, 0) == child && status == 0);
}

// --- stopping, time, forks

void stopped() {
  auto const stop = pm::Limit::in(10s, readable());
  auto const each = [&](auto call) {
    auto witness = open();
    auto registry = open();
    auto held = registry.reg("held", "none");
    CHECK(held && registry.announce() && seen(witness, "held") == 1);
    CHECK(failed(call(registry), pm::Status::cancelled));
    // As if it had been destroyed.
    // The service's own copy of a token closes when it has answered, perhaps a moment later: nothing tells of that.
    while (seen(witness, "held") != 0 || !value(witness.executable(::getpid())).path.empty()) ::sched_yield();
    CHECK(failed(registry.reg("more", "none"), pm::Status::invalid_state) && failed(registry.find(), pm::Status::invalid_state));
    CHECK(failed(held->end(), pm::Status::invalid_state));
  };
  each([&](pm::Registry &r) { return r.reg("more", "none", {}, stop); });
  each([&](pm::Registry &r) { return r.dereg("held", stop); });
  each([&](pm::Registry &r) { return r.connect({.service = "held"}, stop); });
  each([&](pm::Registry &r) { return r.announce(stop); });
  each([&](pm::Registry &r) { return r.withdraw(stop); });
  auto registry = open();
  auto held = registry.reg("held", "none");
  CHECK(held && failed(held->end(stop), pm::Status::cancelled));
}

/**
 * While another process has the lock, or the service does not answer: a call that has to wait can be stopped, and ends after its limit.
 */
void waiting() {
  auto const each = [&](auto call) {
    for (bool const stops : {true, false}) {
      int fds[2];
      CHECK(::pipe(fds) == 0);
      auto registry = open();
      pid_t const child = wake(fds[1]);
      auto const start = std::chrono::steady_clock::now();
      CHECK(failed(call(registry, pm::Limit::in(stops ? 20s : 100ms, stops ? fds[0] : -1)),
                   stops ? pm::Status::cancelled : pm::Status::timeout));
      CHECK(std::chrono::steady_clock::now() - start < 10s);
      ::waitpid(child, nullptr, 0);
      ::close(fds[0]);
      ::close(fds[1]);
    }
  };
  each([](pm::Registry &r, pm::Limit limit) { return r.reg("web", "none", {}, limit); });
  each([](pm::Registry &r, pm::Limit limit) { return r.announce(limit); });
}

void forks() {
  auto registry = open();
  auto held = registry.reg("web", "none");
  CHECK(held && registry.announce());
  pid_t const child = ::fork();
  if (child == 0) {
    try {
      CHECK(failed(registry.reg("more", "none"), pm::Status::forked) && failed(registry.find(), pm::Status::forked) &&
            failed(registry.find({.service = "web"}), pm::Status::forked));
      CHECK(failed(registry.dereg("web"), pm::Status::forked) && failed(registry.withdraw(), pm::Status::forked));
      CHECK(failed(registry.connect({.service = "web"}), pm::Status::forked) &&
            failed(registry.executable(1), pm::Status::forked));
      CHECK(failed(held->end(), pm::Status::forked));
      auto own = open(); // its own handle is its own
      CHECK(own.reg("child", "none"));
      CHECK(seen(own, "web") == 1);
      { auto const taken = std::move(registry); }
      { auto const also = std::move(*held); }
      CHECK(seen(own, "web") == 1);
    } catch (std::exception const &error) {
      std::cerr << error.what() << '\n';
      ::_exit(1);
    }
    ::exit(0); // destructors and all
  }
  int status;
  CHECK(::waitpid(child, &status, 0) == child && status == 0);
  CHECK(seen(registry, "web") == 1 && seen(registry, "child") == 0 && !value(registry.executable(::getpid())).path.empty());
}

/** Killed with a child that lives on: what it registered ends all the same. The child's pid is printed. */
void killed() {
  auto registry = open();
  auto const held = registry.reg("web", "none");
  CHECK(held);
  pid_t const child = ::fork();
  if (child == 0)
    for (;;) ::pause();
  std::cout << child << std::endl;
  ::kill(::getpid(), SIGKILL);
}

// --- connecting

void connects() {
  auto registry = open();
  // Who has the listening socket besides has ended when the word is known.
  pid_t server = -1;
  auto const serve = [&](int listening, std::string text) {
    server = ::fork();
    if (server == 0) {
      int const connection = ::accept(listening, nullptr, nullptr);
      ::_exit(::write(connection, text.data(), text.size()) > 0 ? 0 : 1);
    }
  };
  auto const word = [&](pm::Outcome<pm::ServiceConnection> const &connection) {
    CHECK(connection);
    char buffer[64];
    ssize_t const n = ::read(connection->fd(), buffer, sizeof buffer);
    CHECK(n > 0 && (::fcntl(connection->fd(), F_GETFD) & FD_CLOEXEC));
    CHECK(::waitpid(server, nullptr, 0) == server);
    return std::string(buffer, static_cast<size_t>(n));
  };
  CHECK(failed(registry.connect({.service = "web"}), pm::Status::not_found) &&
        failed(registry.connect({.service = "a b"}), pm::Status::bad_name));
  std::vector<pm::Registration> held;
  for (int const family : {AF_INET, AF_INET6, AF_UNIX}) {
    int const fd = bound(family, SOCK_STREAM);
    std::string const text = "word " + std::to_string(family);
    std::string const service = "web" + std::to_string(family);
    held.push_back(value(registry.reg({{service, pm::At::descriptor(fd), 7}})));
    serve(fd, text);
    auto const connection = registry.connect({.service = service});
    CHECK(word(connection) == text);
    CHECK(connection->registration.service == service && connection->registration.uid == ::geteuid());
    CHECK(connection->registration.address ==
          value(registry.find({.service = service, .trust = pm::Trust::anyone()})).front().address);
    CHECK(failed(registry.connect({.service = service, .version = 6}), pm::Status::not_found));
    CHECK(failed(registry.connect({.service = service, .trust = pm::Trust::user(4242)}), pm::Status::not_found));
    CHECK(failed(registry.connect({.service = service, .netid = "none"}), pm::Status::not_found));
    for (auto const &trust : {pm::Trust::own(), pm::Trust::user(::geteuid()), pm::Trust::anyone()}) {
      serve(fd, text);
      CHECK(word(registry.connect({.service = service, .version = 7, .trust = trust})) == text);
    }
    if (::geteuid() == 0) {
      serve(fd, text);
      CHECK(word(registry.connect({.service = service, .trust = pm::Trust::root()})) == text);
    } else {
      CHECK(failed(registry.connect({.service = service, .trust = pm::Trust::root()}), pm::Status::not_found));
    }
    ::close(fd);
    auto const refused = registry.connect({.service = service});
    CHECK(failed(refused, pm::Status::system) && refused.error().code == ECONNREFUSED);
  }
  held.push_back(value(registry.reg("datagrams", pm::At::descriptor(bound(AF_INET, SOCK_DGRAM)))));
  CHECK(failed(registry.connect({.service = "datagrams"}), pm::Status::not_found));

  // A server without room: in its time, and stopped.
  int const full = bound(AF_UNIX, SOCK_STREAM);
  CHECK(::listen(full, 0) == 0);
  held.push_back(value(registry.reg("full", pm::At::descriptor(full))));
  auto const first = registry.connect({.service = "full"});
  CHECK(first && failed(registry.connect({.service = "full"}, pm::Limit::in(50ms)), pm::Status::timeout));
  int fds[2];
  CHECK(::pipe(fds) == 0);
  pid_t const child = wake(fds[1]);
  CHECK(failed(registry.connect({.service = "full"}, pm::Limit::until(fds[0])), pm::Status::cancelled));
  CHECK(::waitpid(child, nullptr, 0) == child);
}

/** To another user's server: argument 1 the service, 2 the owner's uid, 3 the server's. */
void deceived() {
  auto registry = open();
  auto const uid = [](size_t i) { return static_cast<uid_t>(std::stoul(arguments.at(i))); };
  auto const refused = registry.connect({.service = arguments.at(0), .trust = pm::Trust::user(uid(1))});
  CHECK(failed(refused, pm::Status::not_trusted));
  CHECK(refused.error().owner == uid(1) && refused.error().server_user == uid(2));
  CHECK(std::string(refused.error().text())
            .ends_with(" runs as uid " + arguments.at(2) + ", and the registration is of uid " + arguments.at(1)));
  CHECK(registry.connect({.service = arguments.at(0), .trust = pm::Trust::anyone()}));
}

/** To root's server at what another user registered: argument 1 the service, 2 that user's uid. */
void activated() {
  auto registry = open();
  CHECK(
      registry.connect({.service = arguments.at(0), .trust = pm::Trust::user(static_cast<uid_t>(std::stoul(arguments.at(1))))}));
}

/** The library brings parts of the C++ runtime: they must not take the place of the program's own. */
void throws() {
  auto registry = open();
  bool caught = false;
  try {
    (void)std::string_view("abc").substr(arguments.size() + 4);
  } catch (std::out_of_range const &) {
    caught = true;
  }
  CHECK(caught);
  try {
    std::vector<int>().reserve(static_cast<std::size_t>(-1));
    CHECK(false);
  } catch (std::length_error const &) {
  }
  auto const missing = pm::Registry::open("/nonexistent");
  CHECK(failed(missing, pm::Status::system) && missing.error().code == ENOENT);
  CHECK(missing.error().text() == std::string("unable to open the registry: No such file or directory"));
}

std::map<std::string, void (*)()> const scenarios = {{"exclusive-batches", exclusive_batches},
                                                     {"duplicates", duplicates},
                                                     {"dereg-then-exclusive", dereg_then_exclusive},
                                                     {"own-executable", own_executable},
                                                     {"deleted-executable", deleted_executable},
                                                     {"two-handles", two_handles},
                                                     {"assignments", assignments},
                                                     {"stay", stay},
                                                     {"addresses", addresses},
                                                     {"finds", finds},
                                                     {"lists", lists},
                                                     {"limits", limits},
                                                     {"stopped", stopped},
                                                     {"waiting", waiting},
                                                     {"forks", forks},
                                                     {"killed", killed},
                                                     {"connects", connects},
                                                     {"deceived", deceived},
                                                     {"activated", activated},
                                                     {"throws", throws}};

} // namespace

int main(int argc, char **argv) {
  ::signal(SIGPIPE, SIG_IGN);
  for (int i = 2; i < argc; ++i) arguments.push_back(argv[i]);
  try {
    scenarios.at(argc > 1 ? argv[1] : "")();
  } catch (std::exception const &error) {
    std::cerr << "client " << (argc > 1 ? argv[1] : "") << ": " << error.what() << '\n';
    return 1;
  }
  return 0;
}
