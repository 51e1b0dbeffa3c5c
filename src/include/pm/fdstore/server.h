/** The loop of a descriptor store: who is connected, who waits, and what is handed on to the next version of the program. */
#ifndef PM_FDSTORE_SERVER_H
#define PM_FDSTORE_SERVER_H

#include <pm/base/box.h>
#include <pm/base/signals.h>
#include <pm/fdpass/handover.h>
#include <pm/fdstore/rights.h>

namespace pm::fdstore {

struct ServerOptions {
  uint32_t most = 1000;       /**< descriptors */
  uint32_t most_of_one = 100; /**< of one user */
  uint32_t patience = 10000;  /**< ms that a client may be silent, or not read its answer */
  char const *rules = nullptr;
  bool is_worker = false; /**< no clients connect, but a super-server that has accepted them, and offers them */
  int ready = -1;
};

/** Why run() has returned. */
enum class Ended : uint8_t { by_signal, to_execute };

class Server {
 public:
  /** Borrows a socket that listens, non-blocking. */
  Server(ServerOptions const &options, int socket) noexcept
      : options_(options), socket_(socket), store_(options.most, options.most_of_one) {}

  /** Before run(): what this process was given by what it was before, if it was given anything. EPROTO: it cannot be read. */
  [[nodiscard]] Done restore(int state) noexcept;
  /** Until SIGTERM or SIGINT, or SIGHUP. EINVAL: the socket does not listen. */
  [[nodiscard]] Result<Ended> run() noexcept;
  /** After SIGHUP: a file that has all that is to be known of the descriptors, which stay open in what this process becomes. */
  [[nodiscard]] Result<Fd> save() noexcept;
  /** It did not become anything. */
  void undo_save() noexcept { (void)set_inherited(false); }

  /** Connected at a time, in all and of one user; a limit of ours, so that there is one. */
  static constexpr size_t clients_max = 128, clients_of_one_max = 32;
  /** That one client asks before the next has his turn. */
  static constexpr unsigned questions_a_turn = 16;

 private:
  struct Client {
    Connection connection{protocol};
    Rights rights;
    Deadline deadline;
    bool answers = false;                                     /**< its answer is on its way */
    std::optional<std::pair<Text<name_max + 1>, bool>> waits; /**< for which name, and to remove it */
  };

  /** What poll knows nothing of: a question that came along with one that had to wait. */
  [[nodiscard]] static bool has_more(Client const &client) noexcept {
    return !client.waits && !client.answers && client.connection.has_more() && client.connection.events() == 0;
  }
  /** A super-server, and what it says. */
  struct Offerer {
    Fd socket;
    message::Channel channel;
    explicit Offerer(Fd fd) noexcept : socket(std::move(fd)), channel(socket.get(), socket.get()) {}
    Offerer(Offerer const &) = delete;
  };
  static constexpr size_t offerers_max = 4;

  [[nodiscard]] Done prepare() noexcept;
  void accept_one() noexcept;
  /** One who is connected, as a client if he may be. */
  void admit(Fd connected) noexcept;
  void add_offerer(Fd connected) noexcept;
  /** Takes the connections that are offered; whether the offerer stays. */
  [[nodiscard]] bool serve(Offerer &offerer) noexcept;
  [[nodiscard]] bool has_room() const noexcept;
  /** Whether it stays. */
  [[nodiscard]] bool serve(Client &client) noexcept;
  [[nodiscard]] bool handle(Client &client, message::Message &message) noexcept;
  [[nodiscard]] bool store(Client &client, message::Message &message) noexcept;
  [[nodiscard]] bool get(Client &client, message::Message &message) noexcept;
  [[nodiscard]] bool drop(Client &client, message::Message &message) noexcept;
  [[nodiscard]] bool list(Client &client) noexcept;
  [[nodiscard]] bool hand_out(Client &client, std::string_view name, bool remove) noexcept;
  template <class T>
  [[nodiscard]] bool answer(Client &client, T const &value) noexcept;
  [[nodiscard]] bool refuse(Client &client, Refusal why) noexcept;
  void wake(std::string_view name) noexcept;
  [[nodiscard]] bool set_inherited(bool inherited) noexcept;
  [[nodiscard]] int timeout() const noexcept;

  ServerOptions options_;
  int socket_;
  Descriptors store_;
  Signals signals_;
  Deadline paused_until_ = Deadline::passed();
  Box<Client> clients_[clients_max];
  Box<Offerer> offerers_[offerers_max];
};

} // namespace pm::fdstore

#endif
