/** Other hosts' registrations in this registry, as pm-mirror keeps them. */
#pragma once

#include <span>
#include "libpm/os/time.h"
#include "libpm/registry/change.h"
#include "libpm/registry/import_line.h"
#include "libpm/util/keyed_set.h"
#include "libpm/util/log.h"

namespace pm::registry {

/** The token of the registrations of one call. */
struct ImportToken {
  Fd token;
  unsigned count = 0; /**< of its registrations that exist */
};

/** A registration that is to be removed. */
struct ImportRemoval {
  Ticket ticket;
  ImportToken *token;
};

/** What a line said of a key. It is kept when it is not registered, so that the same line is not reported again. */
struct Import : Keyed<Import> {
  List<char> text; /**< the line; `line` and `key` view it */
  ImportLine line;
  uint32_t snapshot = 0; /**< the last snapshot that had it */
  bool is_wrong = false; /**< refused: it is not registered until another line replaces it */
  bool is_waiting = false;
  ImportToken *token = nullptr; /**< null: it is not registered */
  Ticket ticket;
};

/**
 * Collects what lines say, and changes the registry as they do. The registrations belong to this process, which must be the registry's
 * owner's.
 */
class Imports {
 public:
  struct Settings {
    size_t most = 10000;      /**< registrations; more are reported and left out */
    List<char const *> names; /**< patterns of the services that are registered, pm::matches(); empty: all */
  };
  /** Borrows all three. */
  Imports(Tree const &tree, Settings const &settings, Log &log) noexcept : tree_(&tree), settings_(&settings), log_(&log) {}
  Imports(Imports const &) = delete;
  Imports &operator=(Imports const &) = delete;
  /** Closes the tokens, which ends the registrations. */
  ~Imports();

  /** Reads a line, and does what it says at the next flush(). ENOMEM. */
  [[nodiscard]] Done read(std::string_view line) noexcept;
  /** A line that is longer than import_line_max was not read. */
  void skip_long_line() noexcept;
  /** A snapshot has begun and will not end: what it did not name stays. */
  void forget_snapshot() noexcept { is_in_snapshot_ = false; }
  /**
   * Makes the changes that were read. What fails is reported, and tried again at a flush() after a pause. `limit` is for each change.
   */
  void flush(Limit limit) noexcept;
  /** Removes all registrations at the next flush(), and keeps what lines said: the next line has them registered again. */
  void suspend() noexcept;

  /** Whether a snapshot has ended and what it said is registered. */
  [[nodiscard]] bool is_complete() const noexcept { return is_complete_ && additions_.empty(); }
  /** The time until a flush() is due again after an error, in ms, as poll(2) takes it; -1: no. */
  [[nodiscard]] int retry_left() const noexcept { return pause_.left(); }
  [[nodiscard]] size_t count() const noexcept { return count_; }

 private:
  [[nodiscard]] Done put(ImportLine const &line, std::string_view text) noexcept;
  [[nodiscard]] Done put_wrong(BadImportLine const &bad, std::string_view text) noexcept;
  [[nodiscard]] Result<Import *> make(std::string_view key, std::string_view text) noexcept;
  [[nodiscard]] Done want(Import &import) noexcept;
  void report(std::string_view reason, std::string_view line) noexcept;
  [[nodiscard]] Done drop(Import &import) noexcept;
  [[nodiscard]] Done unregister(Import &import) noexcept;
  [[nodiscard]] Done end_snapshot() noexcept;
  [[nodiscard]] Done resume() noexcept;
  [[nodiscard]] Answer<void> remove_some(Limit limit) noexcept;
  [[nodiscard]] Answer<void> add_some(Limit limit) noexcept;
  void refuse(Import &import, Refusal const &refusal) noexcept;

  Tree const *tree_;
  Settings const *settings_;
  Log *log_;
  KeyedSet<Import> imports_;
  size_t count_ = 0; /**< of the imports that are not wrong */
  uint32_t snapshot_ = 0;
  bool is_in_snapshot_ = false, is_complete_ = false, is_suspended_ = false, is_full_ = false, is_failing_ = false;
  List<Import *> additions_;
  List<ImportRemoval> removals_;
  List<char> last_wrong_; /**< the last line without a key that was reported */
  Pause pause_;
};

} // namespace pm::registry
