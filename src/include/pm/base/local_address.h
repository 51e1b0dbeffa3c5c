/** The Unix sockets that command lines name. */
#ifndef PM_BASE_LOCAL_ADDRESS_H
#define PM_BASE_LOCAL_ADDRESS_H

#include <pm/base/local_socket.h>
#include <pm/base/options.h>

namespace pm {

/** The name of a Unix stream socket: a path of 1 to 107 bytes, relative ones too, or an abstract name. */
class LocalAddress {
 public:
  LocalAddress() noexcept = default;
  /** The ADDRESS of a command line: local:PATH, local:@NAME or PATH; else the program's end with 100. */
  [[nodiscard]] static LocalAddress argument(Options const &options, std::string_view text) noexcept;

  /** As it was written, without local: before it. */
  [[nodiscard]] char const *text() const noexcept { return text_.c_str(); }
  [[nodiscard]] bool is_abstract() const noexcept { return text_.view().starts_with('@'); }
  /** As bind(2) and connect(2) take it. */
  [[nodiscard]] LocalName const &name() const noexcept { return name_; }

 private:
  LocalName name_ = {};
  Text<local_path_max> text_;
};

} // namespace pm

#endif
