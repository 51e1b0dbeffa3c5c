/** Answering the calls that set and unset rows. */
#pragma once

#include "libpm/rpc/answers.h"
#include "libpm/rpc/statistics.h"
#include "libpm/util/log.h"

namespace pm::rpc {

class RowSetter {
 public:
  /** Borrows its arguments. */
  RowSetter(RegistryRows &rows, PortmapperOptions const &options, Statistics &statistics, Log &log) noexcept
      : rows_(&rows), options_(&options), statistics_(&statistics), log_(&log) {}

  /** Answers SET (`sets`) or UNSET of a version of the port mapper's program. */
  [[nodiscard]] Outcome answer(uint32_t xid, uint32_t version, bool sets, xdr::Decoder &decoder, CallOrigin const &origin,
                               List<char> &out) noexcept;

 private:
  [[nodiscard]] Result<bool> change_mapping(bool sets, Mapping const &mapping, Setter const &who) noexcept;
  [[nodiscard]] Result<bool> change_binding(bool sets, Binding const &binding, Setter const &who) noexcept;
  /** The setter that the kernel names for this origin. UNSET (not `sets`) does not need the process. */
  [[nodiscard]] Setter setter_of(CallOrigin const &origin, bool sets) noexcept;
  void say(bool sets, Setter const &who, uint32_t program, uint32_t version, bool done) const noexcept;

  RegistryRows *rows_;
  PortmapperOptions const *options_;
  Statistics *statistics_;
  Log *log_;
  /**
   * The process that last set a row over local: most set several, each over a connection of its own. At 20 rows SET takes 1.1
   * times rpcbind's time, and 1.4 times without this (bench-onc). While it runs, connections with its pid are its own, unless
   * they were accepted before `accepted`: an earlier process with that pid may have made those.
   */
  struct {
    Fd process;
    pid_t pid = 0;
    uint64_t start = 0, accepted = 0;
  } last_;
};

} // namespace pm::rpc
