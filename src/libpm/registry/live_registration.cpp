#include "libpm/registry/live_registration.h"

#include <iterator>

namespace pm::registry {

TextLengths::Texts TextLengths::texts_of(LiveRegistration const &registration) noexcept {
  Record const &r = registration.record;
  return {registration.owner, registration.name, r.service, r.address, r.exe};
}

TextLengths::TextLengths(LiveRegistration const &registration) noexcept {
  uint32_t *length = lengths_;
  for (auto const text : texts_of(registration)) *length++ = static_cast<uint32_t>(text.size());
}

LiveRegistration TextLengths::read(char const *texts) const noexcept {
  LiveRegistration registration;
  registration.name = name(texts);
  if (!read_entry_name(registration.name, registration.record, nullptr)) bug("a name that was read once cannot be read again");
  Record &r = registration.record;
  uint32_t const *length = lengths_;
  for (auto *text : {&registration.owner, &registration.name, &r.service, &r.address, &r.exe}) {
    *text = {texts, *length};
    texts += *length++;
  }
  return registration;
}

std::string_view TextLengths::name(char const *texts) const noexcept {
  return {texts + lengths_[0], lengths_[1]};
}

} // namespace pm::registry
