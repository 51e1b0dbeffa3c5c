// What is read from text: names, addresses, records, IDs, start times, numbers.

#include "expect.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <chrono>
#include "cli/json.h"
#include "cli/program.h"
#include "cli/terminal_text.h"
#include "libpm/net/address.h"
#include "libpm/net/reach.h"
#include "libpm/notify/stored_name.h"
#include "libpm/notify/watchdog.h"
#include "libpm/os/process.h"
#include "libpm/registry/layout.h"
#include "libpm/registry/policy.h"
#include "libpm/registry/record.h"
#include "libpm/util/escape.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

namespace {

void numbers() {
  EXPECT(number<uint32_t>("0") == 0U && number<uint32_t>("4294967295") == UINT32_MAX);
  for (char const *s : {"", "-1", "+1", " 1", "1 ", "0x1", "4294967296", "99999999999999999999", "1a"})
    EXPECT(!number<uint32_t>(s));
  Text<8> t;
  t << "ab" << -12 << 'c';
  EXPECT(t.view() == "ab-12c" && !t.overflowed());
  t << "defg";
  EXPECT(t.view() == "ab-12cd" && t.overflowed() && strlen(t.c_str()) == 7);
  EXPECT((Text<32>() << INT64_MIN).view() == "-9223372036854775808");
  EXPECT((Text<32>() << UINT64_MAX).view() == "18446744073709551615");
}

void controls() {
  char bytes[32];
  for (size_t size = 0; size < sizeof bytes; ++size)
    for (size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c) {
        memset(bytes, size % 2 ? 'a' : 0xff, size);
        bytes[at] = static_cast<char>(c);
        EXPECT(has_control({bytes, size}) == (c < 0x20 || c == 0x7f));
      }
  EXPECT(cut("a=b=c", '=').head == "a" && cut("a=b=c", '=').tail == "b=c" && !cut("a", '=').found && !cut("", '=').found);
  EXPECT(cut("=", '=').found && cut("=", '=').head.empty() && cut("=", '=').tail.empty());
}

/** `text`, escaped. */
std::string_view escaped(std::string_view text, List<char> &out) noexcept {
  out.clear();
  EXPECT(append_escaped(out, text));
  return {out.begin(), out.size()};
}

void escapes() {
  List<char> out;
  for (char const *s :
       {"", "a", "tcp:127.0.0.1:80", "two words", "\xc3\xa9", "\xc2\xa0", "\xe2\x80\x8d", "\xe2\x80\xa7", "\xe2\x80\xaf",
        "\xe2\x81\xa5", "\xe2\x81\xaa", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT(escaped(s, out) == s);
  EXPECT(escaped(std::string_view("\0", 1), out) == "\\0000" && escaped("a\nb\t\x1b\x7f", out) == "a\\0012b\\0011\\0033\\0177");
  EXPECT(escaped("a\\b\\", out) == "a\\\\b\\\\");
  EXPECT(escaped("\xc2\x80\xc2\x9f", out) == "\\0302\\0200\\0302\\0237" && escaped("\xd8\x9c", out) == "\\0330\\0234");
  for (char const *s : {"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xae",
                        "\xe2\x81\xa6", "\xe2\x81\xa9"})
    EXPECT(escaped(s, out).size() == 15);
  // Not UTF-8: alone, cut, overlong, a surrogate, too large.
  for (char const *s : {"\x80", "\xff", "\xc3", "\xe2\x80", "\xf0\x90\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
                        "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
    EXPECT(escaped(s, out).size() == 5 * strlen(s));
  EXPECT(escaped("\xc3(", out) == "\\0303(" && escaped("\xe2\x80\xc3\xa9", out) == "\\0342\\0200\xc3\xa9");
}

/** `text` in JSON. */
std::string_view in_json(std::string_view text, List<char> &out) noexcept {
  out.clear();
  EXPECT(append_json(out, text));
  return {out.begin(), out.size()};
}

void json() {
  List<char> out;
  EXPECT(in_json("", out) == "\"\"" && in_json("a \xc3\xa9/", out) == "\"a \xc3\xa9/\"");
  EXPECT(in_json(std::string_view("\0\"\\\n\x1f\x7f", 6), out) == "\"\\u0000\\\"\\\\\\u000a\\u001f\\u007f\"");
  EXPECT(in_json("\xc2\x9b\xe2\x80\xae\xf4\x8f\xbf\xbf", out) == "\"\\u009b\\u202e\xf4\x8f\xbf\xbf\"");
  EXPECT(in_json("a\xff", out) == "[97,255]" && in_json("\xed\xa0\x80", out) == "[237,160,128]");
}

void times() {
  struct {
    uint64_t seconds;
    char const *text;
  } const all[] = {{0, "0s"},
                   {59, "59s"},
                   {60, "1m"},
                   {61, "1m1s"},
                   {3599, "59m59s"},
                   {3600, "1h"},
                   {3659, "1h"},
                   {7260, "2h1m"},
                   {86399, "23h59m"},
                   {86400, "1d"},
                   {3 * 86400 + 4 * 3600, "3d4h"},
                   {89999, "1d"},
                   {90000, "1d1h"},
                   {86400000, "1000d"},
                   {UINT64_MAX, "213503982334601d7h"}};
  for (auto const &[seconds, text] : all) EXPECT(short_time(seconds).view() == text);
}

void names() {
  char const long_name[] =
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaa";
  EXPECT(strlen(long_name) == 128);
  EXPECT(!is_service_name(long_name) && is_service_name(long_name + 1));
  for (char const *s : {"a", "100000", "A-Z_a.z@0+9", "a-", "a.", "event"}) EXPECT(is_service_name(s));
  for (char const *s : {"", ".", "..", ".a", "-", "-a", "a/b", "a b", "a\nb", "a\x7f", "\xc3\xa4", "a:b", "a=b"})
    EXPECT(!is_service_name(s));
  EXPECT(!is_service_name(std::string_view("a\0b", 3)));
  EXPECT(pid_in("12.345.0123abcd") == 12 && pid_in("1.0.00000000") == 1);
  for (char const *s : {"", "12", "12.345", "0.1.00000000", "-1.1.00000000", "1.1.0123ABCD", "1.1.0123abc", "1.1.0123abcde",
                        "1..0123abcd", "exclusive:0:tcp", "12.345.0123abcd.token"})
    EXPECT(!pid_in(s));
  EXPECT(is_owner_name("-") && is_owner_name("0") && is_owner_name("4294967294") && !is_owner_name("event") &&
         !is_owner_name("--"));
}

void addresses() {
  struct {
    char const *text, *canonical, *host, *path;
    uint16_t port;
  } const good[] = {
      {"tcp:127.0.0.1:80", "tcp:127.0.0.1:80", "127.0.0.1", "", 80},
      {"udp:0.0.0.0:65535", "udp:0.0.0.0:65535", "127.0.0.1", "", 65535},
      {"tcp6:[::]:1", "tcp6:[::]:1", "::1", "", 1},
      {"udp6:[FE80:0:0::1]:53", "udp6:[fe80::1]:53", "fe80::1", "", 53},
      {"tcp6:[::ffff:1.2.3.4]:53", "tcp6:[::ffff:1.2.3.4]:53", "::ffff:1.2.3.4", "", 53},
      {"tcp6:[fe80::1%lo]:80", "tcp6:[fe80::1%lo]:80", "fe80::1%lo", "", 80},
      {"tcp6:[FEBF::1%2147483647]:80", "tcp6:[febf::1%2147483647]:80", "febf::1%2147483647", "", 80},
      {"udp6:[ff02::1%br-lan.7@x]:53", "udp6:[ff02::1%br-lan.7@x]:53", "ff02::1%br-lan.7@x", "", 53},
      {"tcp6:[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535",
       "tcp6:[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535",
       "fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters", "", 65535},
      {"local:/run/x", "local:/run/x", "", "/run/x", 0},
      {"/run/x", "local:/run/x", "", "/run/x", 0},
      {"local:@a b", "local:@a b", "", "@a b", 0},
      {"local:@a%b{1}%", "local:@a%b{1}%", "", "@a%b{1}%", 0},
      {"local:@a%{106}", "local:@a%{106}", "", "@a%{106}", 0},
      {"local:@%{107}", "local:@%{107}", "", "@%{107}", 0},
      {"local:@a%{3}%{0}", "local:@a%{3}%{0}", "", "@a%{3}%{0}", 0},
      {"none", "none", "", "", 0},
  };
  for (auto const &g : good) {
    expect_case = g.text;
    auto const a = Address::parse(g.text);
    EXPECT(a && a->text() == g.canonical && a->host().view() == g.host && a->path() == g.path && a->port() == g.port);
    EXPECT(value_of(Address::parse(a->text())).text() == a->text());
  }
  for (char const *bad : {"",
                          "tcp",
                          "tcp:",
                          "tcp:80",
                          "tcp:127.0.0.1",
                          "tcp:127.0.0.1:",
                          "tcp:127.0.0.1:0",
                          "tcp:127.0.0.1:65536",
                          "tcp:127.0.0.1:-1",
                          "tcp:127.1:80",
                          "tcp:localhost:80",
                          "tcp:[::1]:80",
                          "tcp6:::1:80",
                          "tcp6:[::1]",
                          "tcp6:[::1%lo]:80",
                          "tcp6:[fec0::1%lo]:80",
                          "tcp6:[ff05::1%lo]:80",
                          "tcp6:[fe80::1%]:80",
                          "tcp6:[fe80::1%0]:80",
                          "tcp6:[fe80::1%01]:80",
                          "tcp6:[fe80::1%a b]:80",
                          "tcp6:[fe80::1%a\nb]:80",
                          "tcp6:[fe80::1%a/b]:80",
                          "tcp6:[fe80::1%a:b]:80",
                          "tcp6:[fe80::1%a]]:80",
                          "tcp6:[fe80::1%a%b]:80",
                          "tcp6:[fe80::1%sixteen-letters-]:80",
                          "tcp6:[%lo]:80",
                          "tcp6:fe80::1%lo:80",
                          "tcp:127.0.0.1%lo:80",
                          "tcp:169.254.0.1%lo:80",
                          "tcp6:[]:80",
                          "local:",
                          "local:x",
                          "local:/",
                          "local:@",
                          "local:@%{0}",
                          "local:@%{108}",
                          "local:@a%{107}",
                          "local:@a%{0}",
                          "local:@a%{01}",
                          "local:@a%{108}",
                          "local:/a\nb",
                          "x:127.0.0.1:80",
                          "TCP:127.0.0.1:80",
                          "none:",
                          "tcp:127.0.0.1:80\n",
                          "tcp:127.0.0.1 :80",
                          "fd:3"}) {
    expect_case = bad;
    EXPECT(!Address::parse(bad));
  }
  char path[120] = "local:/";
  memset(path + 7, 'a', 106);
  EXPECT(Address::parse({path, 6 + 107}) && !Address::parse({path, 6 + 108}));
  expect_case = "";
}

void reach() {
  for (char const *own : {"local:/run/x", "tcp:0.0.0.0:80", "tcp:127.0.0.1:80", "udp:127.9.9.9:80", "tcp6:[::]:80",
                          "tcp6:[::1]:80", "tcp6:[::ffff:127.0.0.2]:80", "tcp6:[::ffff:0.0.0.0]:80", "tcp6:[fe80::1]:80",
                          "udp6:[fe80::1%lo]:80", "udp6:[ff02::fb%lo]:5353"})
    EXPECT(is_for_own_host(value_of(Address::parse(own))));
  for (char const *others :
       {"none", "tcp:192.0.2.1:80", "tcp6:[2001:db8::1]:80", "tcp6:[::ffff:192.0.2.1]:80", "udp6:[ff05::2]:80"})
    EXPECT(!is_for_own_host(value_of(Address::parse(others))));
}

void sockets() {
  Fd const tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT(Address::of_socket(tcp.get()).error().code == EADDRNOTAVAIL);
  struct sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT(::bind(tcp.get(), reinterpret_cast<struct sockaddr *>(&in), sizeof in) == 0);
  socklen_t size = sizeof in;
  EXPECT(::getsockname(tcp.get(), reinterpret_cast<struct sockaddr *>(&in), &size) == 0);
  EXPECT(value_of(Address::of_socket(tcp.get())).text() == (Text<64>("tcp:127.0.0.1:") << ntohs(in.sin_port)).view());

  Fd const udp6(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_addr = in6addr_any;
  EXPECT(::bind(udp6.get(), reinterpret_cast<struct sockaddr *>(&in6), sizeof in6) == 0);
  EXPECT(value_of(Address::of_socket(udp6.get())).netid() == Netid::udp6 &&
         value_of(Address::of_socket(udp6.get())).host().view() == "::1");

  int pair[2];
  EXPECT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  EXPECT(Address::of_socket(pair[0]).error().code == EADDRNOTAVAIL);
  struct sockaddr_un un = {};
  un.sun_family = AF_UNIX;
  Fd const abstract(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Text<64> name("x.pm-test.");
  name << ::getpid();
  memcpy(un.sun_path + 1, name.c_str() + 2, name.size() - 2);
  EXPECT(::bind(abstract.get(), reinterpret_cast<struct sockaddr *>(&un), static_cast<socklen_t>(2 + name.size() - 1)) == 0);
  EXPECT(value_of(Address::of_socket(abstract.get())).text() == (Text<64>("local:@pm-test.") << ::getpid()).view());
  char directory[] = "/tmp/pm-text.XXXXXX";
  EXPECT(::mkdtemp(directory));
  Text<64> file(directory);
  file << "/s";
  un = {};
  un.sun_family = AF_UNIX;
  memcpy(un.sun_path, file.c_str(), file.size());
  Fd const bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT(::bind(bound.get(), reinterpret_cast<struct sockaddr *>(&un), sizeof un) == 0);
  EXPECT(value_of(Address::of_socket(bound.get())).text() == (Text<64>("local:") << file.view()).view());
  ::unlink(file.c_str());
  ::rmdir(directory);
  EXPECT(Address::of_socket(999).error().code == EBADF && Address::of_socket(0).error().code != 0);
  ::close(pair[0]);
  ::close(pair[1]);
}

void records() {
  Record r;
  r.id = "12.345.0123abcd";
  r.version = 3;
  r.netid = "local";
  r.address = "local:/run/a:b\\c d";
  r.since = 678;
  r.exclusive = r.is_public = true;
  r.holder = "child";
  r.origin = "host-1.example";
  auto const name = entry_name(r);
  EXPECT(name.has_value());
  std::string_view const expected = "12.345.0123abcd:3:local:678:cxp:host-1.example:\\run\\a:b\1c d";
  EXPECT(name->view() == expected);
  Record back;
  AddressInName address;
  EXPECT(read_entry_name(expected, back, &address) && back.id == r.id && back.version == 3 && back.address == r.address);
  EXPECT(back.pid == 12 && back.start == 345 && back.since == 678 && back.exclusive && back.is_public && !back.deleted);
  EXPECT(back.holder == "child" && back.origin == r.origin && id_in(expected) == r.id);

  for (char const *evil : {"local:/a\nb", "local:/a\x01", "local:/a\x7f", "local:\t"}) {
    r.address = evil;
    EXPECT(entry_name(r).error().code == EINVAL);
  }
  r.address = "local:/run/x";
  for (char const *evil : {"a:b", "a/b", ".a", "-a", "a\nb", "a b"}) {
    r.origin = evil;
    EXPECT(entry_name(r).error().code == EINVAL);
  }
  char longest[origin_max + 2] = {};
  memset(longest, 'h', origin_max + 1);
  r.origin = longest;
  EXPECT(entry_name(r).error().code == EINVAL);
  r.origin = std::string_view(longest, origin_max);
  EXPECT(entry_name(r).has_value());
  char path[7 + 200] = "local:/";
  memset(path + 7, 'p', 200);
  r.address = std::string_view(path, sizeof path);
  EXPECT(entry_name(r).error().code == ENAMETOOLONG);

  for (char const *good : {"1.0.00000000:0:none:0:s::", "1.0.00000000:4294967295:tcp6:1:od::[::]:80"})
    EXPECT(read_entry_name(good, back, &address));
  for (char const *bad :
       {"", "event", ".1.0.00000000:0:none:0:s::", "exclusive:0:tcp", "1.0.00000000.exe", "01.0.00000000:0:none:0:s::x",
        "0.0.00000000:0:none:0:s::", "1.0.0000000:0:none:0:s::", "1.0.00000000:-1:none:0:s::", "1.0.00000000:0:TCP:0:s::",
        "1.0.00000000:0:none:x:s::", "1.0.00000000:0:none:0:::", "1.0.00000000:0:none:0:z::", "1.0.00000000:0:none:0:s:a b:",
        "1.0.00000000:4294967296:none:0:s::"})
    EXPECT(!read_entry_name(bad, back, &address));
}

void start_times() {
  constexpr std::string_view tail = "S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n";
  for (char const *name : {"sh", "a b", "a) R 1 (b", "))", "(", ") 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"}) {
    Text<256> stat("12 (");
    stat << name << ") " << tail;
    EXPECT(start_time_in(stat.view()) == 4711U);
  }
  for (char const *bad : {"", "12", "12 (sh)", "12 (sh) S", "12 (sh) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 x 0"})
    EXPECT(start_time_in(bad).error().code == EBADMSG);
  EXPECT(value_of(start_time(::getpid())) == value_of(start_time(::getpid())));
  EXPECT(start_time(-1).error().code == ESRCH);
}

void policies() {
  Policy policy;
  EXPECT(policy.allows("anything"));
  policy.names = "web web-* 10000[0-9]";
  for (char const *s : {"web", "web-1", "100003"}) EXPECT(policy.allows(s));
  for (char const *s : {"webs", "aweb", "100010", "WEB"}) EXPECT(!policy.allows(s));
}

void deadlines() {
  using namespace std::chrono;
  EXPECT(Deadline::in(seconds(0)).is_passed() && Deadline::in(milliseconds(-1)).is_passed() &&
         !Deadline::in(nanoseconds(1)).is_passed());
  auto const within = [](int left, int most) { return left > most - 1000 && left <= most; };
  EXPECT(within(Deadline::in(microseconds(5'000'001)).remaining(), 5001) &&
         within(Deadline::in(hours(1)).remaining(), 3'600'000));
  // More than 100 years is without a deadline.
  EXPECT(Deadline::in(hours::max()).remaining() == -1 && Deadline::in_ms(INT64_MAX).remaining() == -1);
}

void notifications() {
  using namespace notify;
  EXPECT(!read_notify_message({"READY=1\0", 8}));
  auto const first =
      value_of(read_notify_message("STATUS=a\nREADY=1\nSTATUS=b\nMAINPID=0\nMAINPID=7\nERRNO=x\nFDNAME=a:b\nFDNAME=c"));
  EXPECT(first.ready && *first.status == "a" && *first.main == 7 && *first.name == "c" && first.invalid == "MAINPID=0");
  auto const numbers = value_of(
      read_notify_message("WATCHDOG_USEC=18446744073709551615\nEXTEND_TIMEOUT_USEC=18446744073709551616\nMAINPID=2147483648"));
  EXPECT(*numbers.watchdog_us == UINT64_MAX && !numbers.extend && !numbers.main && numbers.invalid.starts_with("EXTEND"));
  EXPECT(deadline_in_us(UINT64_MAX).remaining() == -1 && deadline_in_us(0).remaining() == 0 &&
         deadline_in_us(1).remaining() <= 1);

  EXPECT(name_in_store("web", 12, "a b")->view() == "web+12+a+20b" && name_in_store("w", 1, "+:")->view() == "w+1++2B+3A");
  EXPECT(!name_in_store("w", 1, "0123456789012345678901234567890123456789                                                    "));
  auto const read = value_of(read_name_in_store("web", "web+12+a+20b"));
  EXPECT(read.number == 12 && read.name.view() == "a b");
  for (char const *s : {"", "web", "web+", "web+1", "web+1+", "web+x+a", "web+1+a+", "web+1+a+2", "web+1+a+2g", "web+1+a+2b",
                        "web+1+a+61", "web+1+a+00", "web+1+a+3A", "web+01+a", "other+1+a", "web+1+a b", "web+4294967296+a"})
    EXPECT(!read_name_in_store("web", s));
  EXPECT(is_service_in_store("web@1") && !is_service_in_store("") && !is_service_in_store("a+b") && !is_service_in_store("-a"));
}

} // namespace

int main() {
  PROG = "text";
  numbers();
  controls();
  escapes();
  json();
  times();
  names();
  addresses();
  reach();
  sockets();
  records();
  start_times();
  policies();
  deadlines();
  notifications();
  return 0;
}
