// The library's events: requests, netstrings, notify, waiting here, watching, waiting through pm-listend.

#include "world.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include "libpm/fifodir/notify.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/limits.h"
#include "libpm/registry/fifodir_waiter.h"
#include "libpm/registry/listend_client.h"
#include "libpm/registry/service_waiter.h"
#include "libpm/util/netstring.h"
#include "libpm/util/skalibs.h"

using Wanted = registry::WaitRequest;

namespace {

bool readable(int fd) noexcept {
  struct pollfd p = {fd, POLLIN, 0};
  return ::poll(&p, 1, 0) == 1;
}

// --- netstrings

/** What is taken off `bytes`: "-" none yet, "!" none ever, "^" too long. */
std::string_view taken(std::string_view bytes, size_t most, std::string_view rest = {}) noexcept {
  auto const before = bytes;
  auto const got = take_netstring(bytes, most);
  if (got && *got) {
    EXPECT(bytes == rest);
    return **got;
  }
  EXPECT(bytes == before);
  if (got) return "-";
  return got.error().code == EMSGSIZE ? "^" : "!";
}

void netstrings() {
  EXPECT(taken("3:abc,", 3) == "abc" && taken("3:abc,2:", 3, "2:") == "abc" && taken("0:,", 0) == "" &&
         taken("0:,x", 0, "x") == "");
  using namespace std::string_view_literals;
  EXPECT(taken("3:a\0,,"sv, 3) == "a\0,"sv);
  for (size_t part = 0; part < 16; ++part) EXPECT(taken(std::string_view("12:hello world!,").substr(0, part), 12) == "-");
  for (auto const text : {":", "a", "-1:", "+1:", " 1:", "01:", "00:", "1;", "1:ab", "0:x", "1 :", "99999999999:", "\n"})
    EXPECT(taken(text, 100) == "!");
  for (auto const text : {"101", "101:", "2147483647:", "2147483648:", "4294967295:", "4294967296:", "9999999999"})
    EXPECT(taken(text, 100) == "^");
  EXPECT(taken("100:", 100) == "-" && taken("4294967295:", 4294967295) == "-");
  List<char> out;
  for (auto const text : {"", "a", "0123456789"}) EXPECT(append_netstring(out, text));
  EXPECT(view(out) == "0:,1:a,10:0123456789,");
}

// --- requests

bool same(Wanted const &a, Wanted const &b) noexcept {
  return a.kind == b.kind && a.what == b.what && a.pattern == b.pattern && a.version == b.version &&
         a.trust.kind() == b.trust.kind() && std::ranges::equal(a.trust.uids(), b.trust.uids()) && a.timeout == b.timeout;
}

void requests() {
  constexpr auto most = UINT32_MAX;
  Wanted const all[] = {
      {WaitFor::event, "/a dir", "x|y", {}, TrustedUsers::usual(), 0},
      {WaitFor::event, ".", ".", {}, TrustedUsers::usual(), most},
      {WaitFor::up, "web", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::down, "a.b-c_d@e+f", {}, 0u, TrustedUsers::anyone(), 1},
      {WaitFor::change, "100000", {}, most, TrustedUsers::user(0), most},
      {WaitFor::change, "w", {}, 7u, TrustedUsers::user(4294967294u), 7},
      {WaitFor::up, "a,b,c", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::down, "a|a", {}, {}, TrustedUsers::usual(), 0},
  };
  for (auto const &request : all) {
    auto const text = registry::format(request);
    EXPECT(text.has_value());
    for (size_t size = 0; size < text->size(); ++size) {
      auto const part = registry::parse_request(view(*text).substr(0, size));
      EXPECT(part.has_value() && !part->has_value());
    }
    auto const back = registry::parse_request(view(*text));
    EXPECT(back.has_value() && back->has_value() && same(**back, request));
  }
  auto const formatted = registry::format({WaitFor::change, "web", {}, 3u, TrustedUsers::anyone(), 100});
  EXPECT(view(*formatted) == "6:change,3:web,1:3,1:*,3:100,");

  char long_text[registry::field_max + 1];
  memset(long_text, 'x', sizeof long_text);
  std::string_view const longest(long_text, registry::field_max - 1), too_long(long_text, registry::field_max);
  EXPECT(registry::format({WaitFor::event, longest, longest, {}, TrustedUsers::usual(), 0}).has_value());
  using namespace std::string_view_literals;
  Wanted const bad[] = {
      {WaitFor::event, "", "x", {}, TrustedUsers::usual(), 0},
      {WaitFor::event, "x", "", {}, TrustedUsers::usual(), 0},
      {WaitFor::event, too_long, "x", {}, TrustedUsers::usual(), 0},
      {WaitFor::event, "x", too_long, {}, TrustedUsers::usual(), 0},
      {WaitFor::event, "a\0b"sv, "x", {}, TrustedUsers::usual(), 0},
      {WaitFor::event, "x", "\0"sv, {}, TrustedUsers::usual(), 0},
      {WaitFor::up, "", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::down, "a/b", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::up, "a,", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::up, "|a", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::up, "a,,b", {}, {}, TrustedUsers::usual(), 0},
      {WaitFor::up, "a,b|c", {}, {}, TrustedUsers::usual(), 0},
  };
  for (auto const &request : bad) {
    auto const text = registry::format(request);
    EXPECT(!text.has_value() && text.error().code == EINVAL);
  }
  for (auto const text : {"2:up,3:web,0:,0:,0:,", "2:up,3:web,1:x,0:,1:0,", "2:up,3:web,0:,2:-1,1:0,", "2:up,3:web,0:,2:**,1:0,",
                          "3:upp,3:web,0:,0:,1:0,", "2:up,1:.,0:,0:,1:0,", "5:event,1:d,1:x,1:*,1:0,", "5:event,1:d,0:,0:,1:0,",
                          "2:up,3:web,0:,0:,10:4294967296,", "2:up,2:a,,0:,0:,1:0,", "2:up,3:web,10:4294967296,0:,1:0,"}) {
    auto const parsed = registry::parse_request(text);
    EXPECT(!parsed.has_value() && parsed.error().code == EBADMSG);
  }
  auto const any = AwaitedServices::read("b|a|b"), one = AwaitedServices::read("web");
  EXPECT(any->any && any->names.size() == 2 && any->names[0] == "b" && any->names[1] == "a");
  EXPECT(!one->any && one->names.size() == 1);
  auto const longer = registry::parse_request("2:up,4097:");
  EXPECT(!longer.has_value() && longer.error().code == EMSGSIZE);
  EXPECT(registry::kind("change") == WaitFor::change && !registry::kind("changes") && !registry::kind("") &&
         registry::name(WaitFor::down) == "down");
}

// --- fifodirs

struct Fifodir {
  char path[32] = "/tmp/pm-events.XXXXXX";
  Fifodir() noexcept { EXPECT(mkdtemp(path)); }
  Fifodir(Fifodir const &) = delete;
  Fifodir &operator=(Fifodir const &) = delete;
  ~Fifodir() { ::rm_rf(path); }
  unsigned notify(std::string_view message) const noexcept {
    auto const reached = fifodir::notify(AT_FDCWD, path, message);
    EXPECT(reached.has_value());
    return *reached;
  }
  [[nodiscard]] int entries() const noexcept {
    DIR *const dir = ::opendir(path);
    int n = -2;
    while (::readdir(dir)) ++n;
    ::closedir(dir);
    return n;
  }
};

Wanted event(char const *path, std::string_view pattern) noexcept {
  return {WaitFor::event, path, pattern, {}, TrustedUsers::usual(), 0};
}

FifodirWaiter listen(Fifodir const &dir, std::string_view pattern) noexcept {
  auto waiter = FifodirWaiter::open(dir.path, value_of(Expression::parse(pattern)));
  EXPECT(waiter.has_value());
  return std::move(*waiter);
}

/** What a step answers; "-" nothing. */
template <class Waiter>
Text<64> answer_of(Waiter &waiter) noexcept {
  List<char> answer;
  auto const stepped = waiter.step(answer);
  EXPECT(stepped.has_value() && *stepped == !answer.empty());
  return Text<64>(*stepped ? view(answer) : "-");
}

void notifying() {
  Fifodir dir;
  EXPECT(dir.notify("x") == 0);
  {
    auto one = listen(dir, "b+");
    auto two = listen(dir, "zz");
    EXPECT(dir.entries() == 2 && answer_of(one).view() == "-" && !readable(one.fd()));
    EXPECT(dir.notify("ab") == 2);
    EXPECT(readable(one.fd()) && answer_of(one).view() == "1:b,");
    EXPECT(answer_of(two).view() == "-" && !readable(two.fd()));
    EXPECT(dir.notify("z") == 2 && readable(two.fd()) && answer_of(two).view() == "-");
    EXPECT(dir.notify("z") == 2 && readable(two.fd()) && answer_of(two).view() == "2:zz,");
    // Full: a page each, and then nobody gets any.
    char page[4096];
    memset(page, 'p', sizeof page);
    (void)answer_of(one);
    EXPECT(dir.notify({page, sizeof page}) == 2 && dir.notify("x") == 0);
    (void)answer_of(one);
    EXPECT(dir.notify("x") == 1);
    auto const moved = std::move(two);
    EXPECT(dir.entries() == 2);
  }
  EXPECT(dir.entries() == 0);
  auto const empty = fifodir::notify(AT_FDCWD, dir.path, "");
  EXPECT(!empty.has_value() && empty.error().code == EINVAL);
  char big[fifodir::message_max + 1];
  memset(big, 'x', sizeof big);
  auto const refused = fifodir::notify(AT_FDCWD, dir.path, {big, sizeof big});
  EXPECT(!refused.has_value() && refused.error().code == EMSGSIZE);
  auto const none = fifodir::notify(AT_FDCWD, "/nowhere", "x");
  EXPECT(!none.has_value() && none.error().code == ENOENT);
}

// --- services

ServiceWaiter wait_for_service(Tree const &tree, WaitFor kind, std::optional<uint32_t> version = {},
                               TrustedUsers trust = TrustedUsers::usual()) noexcept {
  auto waiter = ServiceWaiter::open(tree, {kind, "web", {}, version, trust, 0}, time_limit(10000));
  EXPECT(waiter.has_value());
  return std::move(*waiter);
}

void services() {
  World w;
  auto const r = w.open();
  auto up = wait_for_service(r, WaitFor::up), no = wait_for_service(r, WaitFor::down),
       change = wait_for_service(r, WaitFor::change);
  EXPECT(answer_of(no).view() == "0:,");
  EXPECT(answer_of(up).view() == "-" && answer_of(change).view() == "-");
  auto held = w.add({"web"});
  EXPECT(readable(up.fd()) && readable(change.fd()));
  EXPECT(answer_of(up).view().find(":uid=") < 4 && answer_of(change).view().find(":uid=") < 4);
  auto down = wait_for_service(r, WaitFor::down), gone = wait_for_service(r, WaitFor::change);
  EXPECT(answer_of(down).view() == "-" && answer_of(gone).view() == "-" && !readable(down.fd()));
  held.token.reset();
  EXPECT(readable(down.fd()) && readable(gone.fd()) && answer_of(down).view() == "0:," && answer_of(gone).view() == "0:,");
}

/** A waiter sleeps through what it does not wait for, and looks at several services as they were at one time. */
void several_services() {
  World w;
  auto const r = w.open();
  auto const wait = [&](WaitFor kind, std::string_view what) noexcept {
    auto waiter = ServiceWaiter::open(r, {kind, what, {}, {}, TrustedUsers::usual(), 0}, time_limit(10000));
    EXPECT(waiter.has_value());
    return std::move(*waiter);
  };
  int const descriptors = open_descriptors();
  {
    auto up = wait(WaitFor::up, "a,b"), any = wait(WaitFor::up, "a|b"), change = wait(WaitFor::change, "a,b");
    auto const other = w.add({"other"});
    EXPECT(!readable(up.fd()) && !readable(any.fd()) && !readable(change.fd()));
    auto a = w.add({"a"});
    EXPECT(readable(up.fd()) && answer_of(up).view() == "-" && !readable(up.fd()) && answer_of(any).view() != "-");
    EXPECT(answer_of(change).view() == "-");
    a.token.reset();
    auto const b = w.add({"b"});
    EXPECT(answer_of(up).view() == "-" && answer_of(change).view() != "-");
    auto down = wait(WaitFor::down, "a,b");
    EXPECT(answer_of(down).view() == "-");
    auto const again = w.add({"a"});
    EXPECT(answer_of(up).view().find(":uid=") < 4 && answer_of(down).view() == "-");
  }
  EXPECT(open_descriptors() == descriptors);
}

void believing() {
  constexpr uid_t alice = 65501;
  World w;
  auto const r = w.open();
  auto change = wait_for_service(r, WaitFor::change), hers = wait_for_service(r, WaitFor::change, {}, TrustedUsers::user(alice));
  auto version = wait_for_service(r, WaitFor::change, 1u);
  {
    auto const stranger = World::try_add(r, {"web"}, {}, {}, {alice, 7, 1});
    EXPECT(stranger.has_value() && readable(change.fd()));
    EXPECT(answer_of(change).view() == "-" && answer_of(version).view() == "-" && answer_of(hers).view() != "-");
  }
  EXPECT(answer_of(change).view() == "-");
  // Mine, which is gone before it looks, and a stranger's that stays.
  (void)w.add({"web"});
  auto const stranger = World::try_add(r, {"web"}, {}, {}, {alice, 8, 1});
  EXPECT(stranger.has_value() && readable(change.fd()) && answer_of(change).view() == "0:,");
}

// --- watching

struct Seen {
  unsigned up = 0, down = 0, rewritten = 0;
  bool operator==(Seen const &) const noexcept = default;
};
Seen look(RegistryWatch &watch) noexcept {
  Seen seen;
  auto const looked = watch.look([&](Changed changed, LiveRegistration const &registration) noexcept {
    EXPECT(!registration.record.id.empty());
    ++(changed == Changed::up ? seen.up : changed == Changed::down ? seen.down : seen.rewritten);
    return Done();
  });
  EXPECT(looked.has_value());
  return seen;
}
RegistryWatch watch_web(Tree const &tree, char const *service = "web") noexcept {
  auto watch = RegistryWatch::open(tree, {service, {}, TrustedUsers::anyone()}, time_limit(10000));
  EXPECT(watch.has_value());
  return std::move(*watch);
}

void many_registrations() {
  World w;
  auto const r = w.open();
  auto watch = watch_web(r), whole = watch_web(r, "");
  EXPECT(look(watch) == Seen{} && (look(whole) == Seen{.up = 1}));
  int const descriptors = open_descriptors();
  {
    List<int> kept;
    for (int i = 0; i < 1000; ++i) {
      auto made = w.add({"web"});
      EXPECT(kept.append(made.token.release()));
    }
    EXPECT(readable(watch.fd()) && (look(watch) == Seen{.up = 1000}) && watch.count() == 1000);
    EXPECT((look(whole) == Seen{.up = 1000}) && whole.count() == 1001);
    for (size_t i = 0; i < kept.size(); i += 2) ::close(kept[i]);
    EXPECT(readable(watch.fd()) && (look(watch) == Seen{.down = 500}) && watch.count() == 500);
    size_t visited = 0;
    EXPECT(watch.each([&](LiveRegistration const &) noexcept { ++visited; }).has_value() && visited == 500);
    for (size_t i = 1; i < kept.size(); i += 2) ::close(kept[i]);
    EXPECT((look(watch) == Seen{.down = 500}) && (look(whole) == Seen{.down = 1000}) && watch.count() == 0);
  }
  EXPECT(open_descriptors() == descriptors && !readable(watch.fd()));
}

void many_watches() {
  World w;
  auto const r = w.open();
  int const descriptors = open_descriptors();
  {
    constexpr size_t count = 1000;
    Scope scope{"web", {}, TrustedUsers::anyone()};
    scope.notices_removal = false;
    auto *const watches = static_cast<RegistryWatch *>(::malloc(count * sizeof(RegistryWatch)));
    for (size_t i = 0; i < count; ++i) {
      // A user has 128 inotify instances, which other tests need.
      auto watch = RegistryWatch::open(r, scope, time_limit(10000));
      EXPECT(watch.has_value());
      new (watches + i) RegistryWatch(std::move(*watch));
      EXPECT(look(watches[i]) == Seen{});
    }
    EXPECT(w.entries("service/web/event") == static_cast<int>(count));
    auto held = w.add({"web"});
    for (size_t i = 0; i < count; ++i) EXPECT(readable(watches[i].fd()) && (look(watches[i]) == Seen{.up = 1}));
    held.token.reset();
    for (size_t i = 0; i < count; ++i) EXPECT(readable(watches[i].fd()) && (look(watches[i]) == Seen{.down = 1}));
    for (size_t i = 0; i < count; ++i) watches[i].~RegistryWatch();
    ::free(watches);
  }
  EXPECT(open_descriptors() == descriptors);
  w.only_bystander_is_left();
}

void watching() {
  World w;
  auto const r = w.open();
  {
    auto watch = watch_web(r);
    EXPECT(look(watch) == Seen{});
    auto old = w.add({"web"});
    // A registration that came and ended between two looks is reported twice.
    (void)w.add({"web"});
    EXPECT((look(watch) == Seen{.up = 2, .down = 1}));
    old.token.reset();
    auto const anew = w.add({"web"});
    EXPECT((look(watch) == Seen{.up = 1, .down = 1}) && watch.count() == 1);
    auto moved = std::move(watch);
    EXPECT(moved.count() == 1 && look(moved) == Seen{});
    // A report that fails ends the look with it.
    auto const more = w.add({"web"});
    auto const failing = moved.look([](Changed, LiveRegistration const &) noexcept { return Done(failed("try", EDOM)); });
    EXPECT(!failing.has_value() && failing.error().code == EDOM);
  }
  auto const bad = RegistryWatch::open(r, {"a/b", {}, TrustedUsers::usual()}, time_limit(10000));
  EXPECT(!bad.has_value() && std::holds_alternative<Refusal>(bad.error()));
  auto transaction = Transaction::begin(r, time_limit(10000));
  auto const locked = RegistryWatch::open(r, {"web", {}, TrustedUsers::usual()}, time_limit(20));
  EXPECT(!locked.has_value() && std::get<SysError>(locked.error()).code == ETIMEDOUT);
  int pipe[2];
  EXPECT(::pipe2(pipe, O_CLOEXEC) == 0 && ::write(pipe[1], "", 1) == 1);
  auto const stopped = RegistryWatch::open(r, {"web", {}, TrustedUsers::usual()}, {{}, pipe[0]});
  EXPECT(!stopped.has_value() && std::get<SysError>(stopped.error()).code == ECANCELED);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// --- through pm-listend

ListendClient child(Wanted const &request, char const *path = nullptr) noexcept {
  auto listening = ListendClient::by_child(request, path);
  EXPECT(listening.has_value());
  EXPECT(listening->begun(time_limit(10000)).has_value());
  return std::move(*listening);
}

/** A pm-listend for each connection, as a super-server does it: one at a time. The socket and the process. */
struct Service {
  char path[40] = "/tmp/pm-events-service.XXXXXX";
  pid_t pid = -1;
  Service() noexcept {
    int const file = ::mkstemp(path);
    ::close(file);
    ::unlink(path);
    auto const name = SockAddr::of_path(path);
    Fd const listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT(::bind(listener.get(), name->get(), name->size()) == 0 && ::listen(listener.get(), 10) == 0);
    pid = ::fork();
    if (pid != 0) return;
    // A test that fails does not come to its end: this must not be left behind.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGCHLD, SIG_IGN);
    for (;;) {
      int const fd = ::accept(listener.get(), nullptr, nullptr);
      if (::fork() == 0) {
        ::dup2(fd, 0);
        ::dup2(fd, 1);
        ::close(fd);
        ::signal(SIGCHLD, SIG_DFL);
        ::execlp("pm-listend", "pm-listend", nullptr);
        ::_exit(127);
      }
      ::close(fd);
    }
  }
  Service(Service const &) = delete;
  Service &operator=(Service const &) = delete;
  ~Service() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ::unlink(path);
  }
};

Text<64> first_answer(ListendClient const &listening) noexcept {
  Text<64> text;
  listening.each_answer([&](std::string_view part) noexcept { text << '[' << part << ']'; });
  return text;
}

void listenings() {
  World w;
  ::setenv("PM_REGISTRY", w.path(), 1);
  Fifodir dir;
  Service const server;
  int const descriptors = open_descriptors();
  {
    auto one = child(event(dir.path, "one")), two = child(event(dir.path, "two"));
    auto up = child({WaitFor::up, "web", {}, {}, TrustedUsers::usual(), 0}, w.path());
    auto served = ListendClient::by_service(event(dir.path, "three"), server.path, time_limit(10000));
    EXPECT(served.has_value());
    EXPECT(served.has_value() && served->begun(time_limit(10000)).has_value());
    ListendClient *const all[] = {&one, &two, &up, &*served};
    auto const none = wait_any(all, time_limit(20));
    EXPECT(!none.has_value() && none.error().code == ETIMEDOUT);
    int pipe[2];
    EXPECT(::pipe2(pipe, O_CLOEXEC) == 0 && ::write(pipe[1], "", 1) == 1);
    auto const stopped = wait_any(all, {{}, pipe[0]});
    EXPECT(!stopped.has_value() && stopped.error().code == ECANCELED);
    auto const one_stopped = one.wait({{}, pipe[0]});
    EXPECT(!one_stopped.has_value() && one_stopped.error().code == ECANCELED);
    ::close(pipe[0]);
    ::close(pipe[1]);

    EXPECT(dir.notify("two") == 3);
    auto const second = wait_any(all, time_limit(10000));
    EXPECT(second.has_value() && *second == 1 && first_answer(two).view() == "[two]" &&
           one.state() == ListendClient::State::listening);
    EXPECT(dir.notify("three") == 2);
    ListendClient *const left[] = {&one, &up, &*served};
    auto const third = wait_any(left, time_limit(10000));
    EXPECT(third.has_value() && *third == 2 && first_answer(*served).view() == "[three]");
    auto const held = w.add({"web"});
    ListendClient *const fewer[] = {&one, &up};
    auto const fourth = wait_any(fewer, time_limit(10000));
    EXPECT(fourth.has_value() && *fourth == 1 && first_answer(up).view().starts_with("[uid="));
    auto const dead = wait_any({}, time_limit(1));
    EXPECT(!dead.has_value() && dead.error().code == ETIMEDOUT);
  }
  EXPECT(open_descriptors() == descriptors && dir.entries() == 0);
  EXPECT(::waitpid(-1, nullptr, WNOHANG) == 0); // the server is the only child left
  {
    auto down = child({WaitFor::down, "web", {}, {}, TrustedUsers::usual(), 0}, w.path());
    EXPECT(down.wait(time_limit(10000)).has_value() && first_answer(down).view() == "" &&
           down.state() == ListendClient::State::answered);
  }
  {
    // A timeout of the request's own, of a child and of a service.
    auto late = child({WaitFor::event, dir.path, "x", {}, TrustedUsers::usual(), 20});
    auto const ended = late.wait({});
    EXPECT(!ended.has_value() && ended.error().code == ETIMEDOUT && late.state() == ListendClient::State::failed);
    auto served =
        ListendClient::by_service({WaitFor::event, dir.path, "x", {}, TrustedUsers::usual(), 20}, server.path, time_limit(10000));
    EXPECT(served.has_value());
    auto const later = served->wait({});
    EXPECT(!later.has_value() && later.error().code == ETIMEDOUT);
  }
  {
    auto bad = ListendClient::by_child({WaitFor::up, "web", {}, {}, TrustedUsers::usual(), 0}, "/nowhere");
    EXPECT(bad.has_value());
    auto const ended = bad->begun(time_limit(10000));
    EXPECT(!ended.has_value() && ended.error().code == ECONNRESET);
    auto const unfit = ListendClient::by_child({WaitFor::up, "a/b", {}, {}, TrustedUsers::usual(), 0}, w.path());
    EXPECT(!unfit.has_value() && unfit.error().code == EINVAL);
    auto const nowhere = ListendClient::by_service(event(dir.path, "x"), "/nowhere", time_limit(1000));
    EXPECT(!nowhere.has_value() && nowhere.error().code == ENOENT);
  }
  EXPECT(open_descriptors() == descriptors);
}

} // namespace

int main() {
  PROG = "events";
  DescriptorLimit limit;
  (void)limit.raise();
  netstrings();
  requests();
  notifying();
  services();
  several_services();
  believing();
  watching();
  many_registrations();
  many_watches();
  listenings();
  puts("events: all as it should be");
  return 0;
}
