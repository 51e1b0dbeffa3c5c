/** Looking the same services up again and again. */
#ifndef PM_REGISTRY_FINDER_H
#define PM_REGISTRY_FINDER_H

#include <pm/registry/lookup.h>

namespace pm::registry {

/**
 * Gives what lookup() gives, and keeps the last answers: while the kernel has told of no change to the directories that one was
 * read from (inotify(7)), and of no death (each token's writing end stays open, poll(2)), it is given again, for three system
 * calls. Where the kernel lets us have no inotify, where there are too many instances, and for anyone's: as lookup() itself.
 * At most 8 answers, of 8 instances each, are kept: 65 descriptors. For one process and one thread.
 */
class Finder {
 public:
  /** Opens nothing yet. `registry` must outlive it. */
  explicit Finder(Registry const &registry) noexcept : registry_(&registry) {}
  Finder(Finder const &) = delete;
  Finder &operator=(Finder const &) = delete;

  /** As lookup(). */
  [[nodiscard]] Done lookup(Query const &query, Instances &out) noexcept;

 private:
  static constexpr size_t answers_max = 8, instances_max = 8, watches_max = 12;

  /** All instances of a service of one kind of owners. */
  struct Answer {
    Text<service_name_max + 1> service;
    Whose whose = Whose::believed();
    uid_t asker = 0;
    bool valid = false;
    Instances instances;
    Fd tokens[instances_max];
    Fd rows;                  /**< the token of all rows, where there may be some */
    int watches[watches_max]; /**< of the directories that it was read from */
    size_t watched = 0;

    [[nodiscard]] bool is_for(Query const &query, uid_t uid) const noexcept;
    [[nodiscard]] bool lives() const noexcept;
    [[nodiscard]] bool watches_by(int watch) const noexcept;
  };

  void hear_of_changes() noexcept;
  [[nodiscard]] bool watch(Answer &answer, char const *directory, bool must_be) noexcept;
  [[nodiscard]] bool watch_all(Answer &answer) noexcept;
  void forget(Answer &answer) noexcept;
  [[nodiscard]] bool hold_tokens(Answer &answer) noexcept;
  [[nodiscard]] bool hold_rows(Answer &answer) noexcept;
  [[nodiscard]] Done learn(Answer &answer, Query const &query, uid_t asker) noexcept;

  Registry const *registry_;
  Fd changes_; /**< inotify; -1: not yet */
  Answer answers_[answers_max];
  size_t next_ = 0; /**< whose place the next new answer takes */
};

} // namespace pm::registry

#endif
