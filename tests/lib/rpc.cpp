// The port mapper's clients against port mappers of their own: old ones, and such as answer nonsense, late, or never. Names.

#include "expect.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/rpc/client.h"
#include "libpm/rpc/names.h"
#include "libpm/rpc/resolve.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::rpc;

namespace {

constexpr char const *file =
    "# a comment\n"
    "portmapper\t100000\tportmap sunrpc # rpcbind\n"
    "\n  \t\n"
    "nfs 100003 nfsprog\r\n"
    "short\n"
    "last   7 end";

void names() {
  EXPECT(program_named(file, "portmapper") == "100000" && program_named(file, "sunrpc") == "100000");
  EXPECT(program_named(file, "nfs") == "100003" && program_named(file, "nfsprog") == "100003" &&
         program_named(file, "end") == "7");
  for (char const *name : {"", "#", "rpcbind", "a", "comment", "100000", "short", "portmap ", "port"})
    EXPECT(program_named(file, name).empty());
  EXPECT(program_named("", "x").empty() && program_named("x", "x").empty());
}

// --- a port mapper that does as it is told

enum class Manner : uint8_t {
  good,
  silent,
  denies,
  fails,       // SYSTEM_ERR
  nonsense,    // results that are none
  no_reply,    // bytes that are no reply
  another,     // the reply to another call before its own
  in_pieces,   // fragments of a byte, a byte at a time
  hangs_up,    // once it was asked
  too_long,    // a record longer than any
  late,        // not the first time
  without_call // has no procedure above 5, as one that is between two versions
};

struct Told {
  uint32_t versions[32];
  unsigned count;
};

class Peer {
 public:
  Peer(Manner manner, uint32_t low, uint32_t high) noexcept : manner_(manner), low_(low), high_(high) {
    told_ = static_cast<Told *>(::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    EXPECT(told_ != MAP_FAILED);
    auto address = SockAddr::loopback(AF_INET, 0);
    for (bool bound = false; !bound;) {
      listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      datagrams_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      address.set_port(0);
      EXPECT(::bind(listener_.get(), address.get(), address.size()) == 0 && ::listen(listener_.get(), 8) == 0);
      address = *SockAddr::of_socket(listener_.get());
      // The same number may be taken there.
      bound = ::bind(datagrams_.get(), address.get(), address.size()) == 0;
    }
    where_.host = address;
    where_.port = address.port();
    child_ = ::fork();
    EXPECT(child_ >= 0);
    if (child_ == 0) serve();
    listener_.reset();
    datagrams_.reset();
  }
  ~Peer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::munmap(told_, sizeof *told_);
  }
  [[nodiscard]] Mapper const &where() const noexcept { return where_; }
  /** The versions that it was asked in, as digits. */
  [[nodiscard]] Text<33> asked() const noexcept {
    Text<33> text;
    for (unsigned i = 0; i < told_->count; ++i) text << told_->versions[i];
    return text;
  }

 private:
  [[noreturn]] void serve() noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {datagrams_.get(), POLLIN, 0}};
    for (;;) {
      if (::poll(fds, 2, -1) < 0) ::_exit(1);
      if (fds[1].revents) datagram();
      if (!fds[0].revents) continue;
      Fd const stream(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      while (record(stream.get())) {
      }
    }
  }

  void datagram() noexcept {
    char bytes[9000];
    SockAddr from;
    socklen_t size = SockAddr::room_size;
    ssize_t const n = ::recvfrom(datagrams_.get(), bytes, sizeof bytes, 0, from.room(), &size);
    List<char> other, out;
    if (n <= 0 || !answer({bytes, static_cast<size_t>(n)}, out, other)) return;
    if (!other.empty()) (void)::sendto(datagrams_.get(), other.begin(), other.size(), 0, from.get(), size);
    (void)::sendto(datagrams_.get(), out.begin(), out.size(), 0, from.get(), size);
  }

  bool record(int fd) noexcept {
    Records records(call_max, 64);
    std::string_view call;
    for (char bytes[9000]; call.empty();) {
      ssize_t const n = ::read(fd, bytes, sizeof bytes);
      if (n <= 0) return false;
      std::string_view left(bytes, static_cast<size_t>(n));
      if (records.next(left, call) == Records::Taken::record) {
        List<char> other, out;
        if (manner_ == Manner::hangs_up) return false;
        if (!answer(call, out, other)) {
          call = {};
          continue;
        }
        if (!other.empty()) send(fd, other);
        send(fd, out);
        return true;
      }
    }
    return false;
  }

  void send(int fd, List<char> const &message) noexcept {
    List<char> out;
    size_t const piece = manner_ == Manner::in_pieces ? 1 : message.size();
    if (manner_ == Manner::too_long) EXPECT(append_mark(out, reply_max + 4, true));
    else
      for (size_t at = 0; at < message.size(); at += piece)
        EXPECT(append_mark(out, static_cast<uint32_t>(piece), at + piece == message.size()) &&
               append(out, {message.begin() + at, piece}));
    for (size_t at = 0; at < out.size();) {
      ssize_t const n = ::send(fd, out.begin() + at, manner_ == Manner::in_pieces ? 1 : out.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return;
      at += static_cast<size_t>(n);
    }
  }

  /** False: it says nothing. */
  bool answer(std::string_view message, List<char> &out, List<char> &other) noexcept {
    xdr::Decoder decoder(message);
    Envelope envelope;
    RpcCall call;
    EXPECT(decoder(envelope, call));
    told_->versions[told_->count++ % 32] = call.version;
    xdr::Encoder encoder(out);
    uint32_t const xid = envelope.xid;
    if (manner_ == Manner::silent || (manner_ == Manner::late && told_->count == 1)) return false;
    if (manner_ == Manner::denies) return denied(out, xid, AuthStatus::too_weak);
    if (manner_ == Manner::fails) return accepted(out, xid, Accept::system_error);
    if (manner_ == Manner::no_reply) return encoder(Envelope{xid, Direction::reply}, 7U);
    if (manner_ == Manner::another) EXPECT(accepted(other, xid + 1, Accept::system_error));
    if (call.version < low_ || call.version > high_) return version_mismatch(out, xid, low_, high_);
    if (manner_ == Manner::without_call && call.version == 4) return accepted(out, xid, Accept::procedure_unavailable);
    if (!accepted(out, xid, Accept::success)) return false;
    if (manner_ == Manner::nonsense && call.procedure != procedure::null) return encoder(77U);
    return results(call, decoder, encoder);
  }

  static bool results(RpcCall const &call, xdr::Decoder &arguments, xdr::Encoder &encoder) noexcept {
    bool const two = call.version == 2;
    Mapping mapping;
    Binding binding;
    switch (call.procedure) {
      case procedure::null: return true;
      case procedure::set:
        if (two) return arguments(mapping) && encoder(mapping.port == 2049 && mapping.protocol == protocol_tcp);
        return arguments(binding) && encoder(binding.netid == "tcp" && binding.address == "0.0.0.0.8.1");
      case procedure::unset:
        if (two) return arguments(mapping) && encoder(mapping.program == 300000 && mapping.version == 5);
        return arguments(binding) && encoder(binding.program == 300000 && binding.version == 5 && binding.address.empty());
      case procedure::get:
        if (two) return arguments(mapping) && encoder(mapping.program == 300000 ? 2049U : 0U);
        return arguments(binding) && encoder(Word(binding.program == 300000 ? "127.0.0.1.8.1" : ""));
      case procedure::dump:
        if (two) return encoder(true, Mapping{300000, 5, protocol_udp, 2049}, true, Mapping{300001, 5, 132, 9}, false);
        binding.program = 300000;
        binding.version = 5;
        binding.netid = std::string_view("udp");
        binding.address = std::string_view("0.0.0.0.8.1");
        binding.owner = std::string_view("superuser");
        return encoder(true, binding, true, binding, false);
      case procedure::call:
      case procedure::indirect: {
        CallArguments wanted;
        CallResult result;
        UniversalCallResult universal;
        if (!arguments(wanted) || (call.procedure == procedure::indirect) != (call.version == 4)) return false;
        result.port = 2049;
        universal.address = std::string_view("127.0.0.1.8.1");
        result.results = universal.results = static_cast<std::string_view>(wanted.arguments);
        return two ? encoder(result) : encoder(universal);
      }
    }
    return false;
  }

  Manner manner_;
  uint32_t low_, high_;
  Told *told_;
  Fd listener_, datagrams_;
  Mapper where_;
  pid_t child_;
};

Deadline soon() noexcept {
  return time_limit(20000);
}
Address at(char const *text) noexcept {
  return value_of(Address::parse(text));
}

template <class T>
int code(Called<T> const &called) noexcept {
  auto const *error = called ? nullptr : std::get_if<SysError>(&called.error());
  return error ? error->code : 0;
}
template <class T>
bool says(Called<T> const &called, Accept status) noexcept {
  auto const *reply = called ? nullptr : std::get_if<RpcReply>(&called.error());
  return reply && reply->fate == RpcReply::Fate::accepted && reply->status == status;
}

constexpr auto nothing = [](Binding const &) noexcept {};

/** From the newest version that is there to the oldest, by every call. */
void versions() {
  struct {
    uint32_t low, high;
    Manner manner;
    char const *stream, *datagram;
  } const cases[] = {{2, 4, Manner::good, "4", "4"},        {2, 3, Manner::good, "43", "43"},
                     {2, 2, Manner::good, "42", "42"},      {3, 3, Manner::good, "43", "43"},
                     {2, 4, Manner::another, "4", "4"},     {2, 4, Manner::in_pieces, "4", "4"},
                     {2, 2, Manner::in_pieces, "42", "42"}, {2, 4, Manner::without_call, "43", "43"}};
  for (auto const &c : cases) {
    Text<32> const of = Text<32>() << c.low << " to " << c.high << ", manner " << static_cast<int>(c.manner);
    expect_case = of.c_str();
    {
      Peer const mapper(c.manner, c.low, c.high);
      EXPECT(pmap_set(mapper.where(), 300000, 5, at("tcp:0.0.0.0:2049"), soon()) == true);
      EXPECT(mapper.asked().view() == c.stream);
      EXPECT(pmap_set(mapper.where(), 300000, 5, at("tcp:0.0.0.0:2050"), soon()) == false);
    }
    {
      Peer const mapper(c.manner, c.low, c.high);
      EXPECT(pmap_unset(mapper.where(), 300000, 5, {}, soon()) == true);
      EXPECT(mapper.asked().view() == c.stream);
      EXPECT(pmap_unset(mapper.where(), 300000, 6, {}, soon()) == false);
    }
    for (Netid const netid : {Netid::tcp, Netid::udp}) {
      Peer const mapper(c.manner, c.low, c.high);
      auto const found = pmap_getport(mapper.where(), 300000, 5, netid, soon());
      EXPECT(found && *found && (*found)->port() == 2049 && (*found)->netid() == netid && (*found)->host().view() == "127.0.0.1");
      EXPECT(mapper.asked().view() == (netid == Netid::tcp ? c.stream : c.datagram));
      auto const none = pmap_getport(mapper.where(), 300009, 5, netid, soon());
      EXPECT(none && !*none);
    }
    {
      Peer const mapper(c.manner, c.low, c.high);
      unsigned rows = 0;
      EXPECT(pmap_getmaps(
          mapper.where(),
          [&](Binding const &row) noexcept {
            EXPECT(row.program == 300000 + (c.high == 2 ? rows : 0) && row.version == 5);
            EXPECT(rows ? row.netid == (c.high == 2 ? "132" : "udp") : row.netid == "udp" && row.address == "0.0.0.0.8.1");
            EXPECT(row.owner == (c.high == 2 ? "" : "superuser"));
            ++rows;
          },
          soon()));
      EXPECT(rows == 2 && mapper.asked().view() == c.stream);
    }
    {
      Peer const mapper(c.manner, c.low, c.high);
      auto const answer = pmap_rmtcall(mapper.where(), 300000, 5, 1, std::string_view("\0\0\0\7", 4), soon());
      EXPECT(answer && answer->service && answer->service->port() == 2049);
      EXPECT(std::string_view(answer->results.begin(), answer->results.size()) == std::string_view("\0\0\0\7", 4));
    }
  }
  expect_case = "";
}

/** What version 2 has no word for, and a port mapper of other versions still. */
void no_version() {
  Peer const two(Manner::good, 2, 2), five(Manner::good, 5, 6);
  EXPECT(says(pmap_set(two.where(), 300000, 5, at("tcp6:[::]:2049"), soon()), Accept::program_mismatch));
  EXPECT(says(pmap_set(two.where(), 300000, 5, at("local:/run/x"), soon()), Accept::program_mismatch));
  EXPECT(says(pmap_unset(two.where(), 300000, 5, Netid::tcp, soon()), Accept::program_mismatch));
  EXPECT(says(pmap_set(five.where(), 300000, 5, at("tcp:0.0.0.0:2049"), soon()), Accept::program_mismatch));
  EXPECT(code(pmap_getport(two.where(), 300000, 5, Netid::tcp6, soon())) == EAFNOSUPPORT);
  EXPECT(code(pmap_getport(two.where(), 300000, 5, Netid::local, soon())) == EAFNOSUPPORT);
  EXPECT(code(pmap_rmtcall(two.where(), 300000, 5, 1, {two.asked().c_str(), forwarded_max + 1}, soon())) == EMSGSIZE);
}

void refusals() {
  Peer const denies(Manner::denies, 2, 4), fails(Manner::fails, 2, 4);
  auto const denied_one = pmap_unset(denies.where(), 300000, 5, {}, soon());
  auto const *reply = denied_one ? nullptr : std::get_if<RpcReply>(&denied_one.error());
  EXPECT(reply && reply->fate == RpcReply::Fate::denied && reply->why == 5 &&
         explain(*reply).view().starts_with("you are not allowed"));
  EXPECT(denies.asked().view() == "4");
  EXPECT(says(pmap_getmaps(fails.where(), nothing, soon()), Accept::system_error) && fails.asked().view() == "4");
}

void nonsense() {
  for (Manner const manner : {Manner::nonsense, Manner::no_reply}) {
    Peer const mapper(manner, 2, 4), two(manner, 2, 2);
    for (auto const *m : {&mapper, &two}) {
      EXPECT(code(pmap_set(m->where(), 300000, 5, at("tcp:0.0.0.0:2049"), soon())) == EBADMSG);
      EXPECT(code(pmap_getmaps(m->where(), nothing, soon())) == EBADMSG);
      EXPECT(code(pmap_rmtcall(m->where(), 300000, 5, 1, "", soon())) == EBADMSG);
    }
    EXPECT(code(pmap_getport(mapper.where(), 300000, 5, Netid::udp, soon())) == EBADMSG);
  }
  Peer const hangs_up(Manner::hangs_up, 2, 4), too_long(Manner::too_long, 2, 4);
  EXPECT(code(pmap_getmaps(hangs_up.where(), nothing, soon())) == ECONNRESET);
  EXPECT(code(pmap_getmaps(too_long.where(), nothing, soon())) == EMSGSIZE);
}

void time_and_stop() {
  Peer const silent(Manner::silent, 2, 4), late(Manner::late, 2, 4);
  for (Netid const netid : {Netid::tcp, Netid::udp})
    EXPECT(code(pmap_getport(silent.where(), 300000, 5, netid, time_limit(50))) == ETIMEDOUT);
  EXPECT(code(pmap_set(silent.where(), 300000, 5, at("tcp:0.0.0.0:2049"), Deadline::passed())) == ETIMEDOUT);
  EXPECT(code(pmap_rmtcall(silent.where(), 300000, 5, 1, "", time_limit(50))) == ETIMEDOUT);
  int stop[2];
  EXPECT(::pipe(stop) == 0 && ::write(stop[1], "x", 1) == 1);
  for (Netid const netid : {Netid::tcp, Netid::udp})
    EXPECT(code(pmap_getport(silent.where(), 300000, 5, netid, {{}, stop[0]})) == ECANCELED);
  EXPECT(code(pmap_getmaps(silent.where(), nothing, {{}, stop[0]})) == ECANCELED);
  // A datagram that is lost is sent again.
  auto const found = pmap_getport(late.where(), 300000, 5, Netid::udp, soon());
  EXPECT(found && *found && late.asked().view() == "44");
  Mapper nobody = silent.where();
  {
    Peer const gone(Manner::good, 2, 4);
    nobody = gone.where();
  }
  for (Netid const netid : {Netid::tcp, Netid::udp}) EXPECT(code(pmap_getport(nobody, 300000, 5, netid, soon())) == ECONNREFUSED);
  nobody.host = SockAddr();
  nobody.path = "./missing";
  EXPECT(code(pmap_getmaps(nobody, nothing, soon())) == ECONNREFUSED);
  EXPECT(code(pmap_getport(nobody, 300000, 5, Netid::local, soon())) == ENOENT);
}

void hosts() {
  auto const four = resolve("192.0.2.1", AF_UNSPEC, soon()), six = resolve("2001:db8::1", AF_INET6, soon());
  EXPECT(four && four->universal().view() == "192.0.2.1.0.0" && six && six->universal().view() == "2001:db8::1.0.0");
  EXPECT(resolve("::1", AF_INET, soon()).error().code == EAFNOSUPPORT);
  auto const name = resolve("localhost", AF_INET, soon());
  EXPECT(name && name->is_loopback());
  EXPECT(resolve("localhost", AF_INET, Deadline::passed()).error().code == ETIMEDOUT);
  int stop[2];
  EXPECT(::pipe(stop) == 0 && ::write(stop[1], "x", 1) == 1);
  int const stopped = resolve("some-host.invalid", AF_UNSPEC, {{}, stop[0]}).error().code;
  EXPECT(stopped == ECANCELED || stopped == ENXIO || stopped == EAGAIN);
}

} // namespace

int main() {
  PROG = "rpc";
  names();
  versions();
  no_version();
  refusals();
  nonsense();
  time_and_stop();
  hosts();
}
