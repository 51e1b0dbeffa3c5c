/** The descriptors that a program keeps in a store by sd_notify(3). */
#pragma once

#include "cli/store_client.h"
#include "libpm/net/listen_fds.h"
#include "libpm/notify/stored_name.h"
#include "libpm/os/file_identity.h"

namespace pm::notify {

/** The service in the store. */
struct ServiceInStore {
  message::ServiceSettings store;
  char const *service = default_service.data();
};

/** The most descriptors of a service in a store: a program gets no more by LISTEN_FDS. */
inline constexpr size_t kept_max = listen_fds_max;

/** Descriptors from a store, for the next start of their program. */
struct GivenBack {
  size_t count = 0;
  Fd fds[kept_max];
  Text<256> names[kept_max]; /**< FDNAME */
};

/**
 * Gets at most `most` descriptors of the service, those that were stored first before the others. They stay in the store. Without
 * a store that runs, there are none, with a warning. Any other failure ends the program.
 */
void get_kept(ServiceInStore const &where, size_t most, GivenBack &given) noexcept;

/** Stores descriptors, and drops them. Waits at most a second for the store; after a failure it tries nothing for a second. */
class KeptDescriptors {
 public:
  /** Borrows its arguments. Logs each refusal and each failure. */
  KeptDescriptors(ServiceInStore const &where, Log &log) noexcept : where_(&where), log_(&log) {}

  /** Stores all of them under `name`, but for those that are in the store already, and closes them. */
  void add(message::Descriptors &descriptors, std::string_view name) noexcept;
  /** Drops all of this name. */
  void remove(std::string_view name) noexcept;

 private:
  struct Kept {
    NumberedName name;
    FileIdentity file;
    bool is_seen;
  };

  [[nodiscard]] bool may_ask() noexcept;
  using Asked = tl::expected<std::optional<handover::StoreRefusal>, Status>;
  [[nodiscard]] bool fails(Asked const &asked, handover::StoreClient const &client, std::string_view doing,
                           std::string_view name) noexcept;
  [[nodiscard]] bool look(handover::StoreClient &client) noexcept;
  [[nodiscard]] bool identify(handover::StoreClient &client, NumberedName const &name) noexcept;
  [[nodiscard]] bool add_one(handover::StoreClient &client, Fd fd, std::string_view name) noexcept;

  ServiceInStore const *where_;
  Log *log_;
  List<Kept> kept_;
  Pause pause_;
};

} // namespace pm::notify
