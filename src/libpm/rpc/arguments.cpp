#include <pm/rpc/arguments.h>

#include <pm/rpc/resolve.h>

namespace pm::onc {

void Target::read_option(Options const &options, int letter) noexcept {
  switch (letter) {
    case 'h': host_ = options.value(); break;
    case 'p': mapper_.port = static_cast<uint16_t>(options.value_number(1, UINT16_MAX)); break;
    case 's': mapper_.path = options.value(); break;
    case 't': timeout_ = options.value_number(); break;
    default: break;
  }
}

Mapper Target::mapper(int family) noexcept {
  deadline_ = Deadline::in(timeout_);
  if (host_) {
    auto const found = resolve(host_, family, deadline_);
    if (!found) die_sys(found.error(), host_);
    mapper_.host = *found;
  }
  return mapper_;
}

void Target::die(CallFailure const &failure, std::string_view doing, std::string_view program) const noexcept {
  Text<300> where("the port mapper");
  if (host_) where << " of " << host_;
  if (auto const *error = std::get_if<SysError>(&failure)) die_sys(*error, where.view());
  auto const &reply = *std::get_if<Reply>(&failure);
  bool const broken = reply.fate == Reply::Fate::accepted && reply.status == Accept::system_error;
  pm::die(broken ? exits::system : exits::no, "unable to ", doing, program.empty() ? "" : " ", program, ": ", where.view(),
          " says: ", explain(reply).view());
}

uint32_t number_argument(Options const &options, std::string_view what, std::string_view text) noexcept {
  auto const n = number<uint32_t>(text);
  if (!n) options.refuse((Text<300>("no ") << what << ": " << text).view());
  return *n;
}

Program program_and_version(Options const &options, char const *const *arguments) noexcept {
  List<char> names;
  auto const program = number<uint32_t>(program_argument(options, arguments[0], names));
  return {*program, number_argument(options, "version", arguments[1])};
}

} // namespace pm::onc
