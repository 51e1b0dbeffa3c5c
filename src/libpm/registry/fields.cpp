#include "libpm/registry/fields.h"

#include <array>

namespace pm::registry {

namespace {
constexpr std::array<std::string_view, 13> names = {"service", "version", "netid",  "address", "uid", "pid",   "start",
                                                    "since",   "flags",   "holder", "exe",     "id",  "origin"};

/** As flag_list(). A reserved registration has one flag more. */
Text<32> flags_of(LiveRegistration const &registration) noexcept {
  auto flags = flag_list(registration.record);
  if (registration.reserved) flags << (flags.size() ? "," : "") << "reserved";
  return flags;
}

} // namespace

std::string_view name(Field field) noexcept {
  return names.begin()[static_cast<size_t>(field)];
}

Fields::Fields() noexcept {
  (void)parse("service,version,address,uid,pid,flags,exe");
}

Fields Fields::for_users() noexcept {
  Fields fields;
  (void)fields.parse("service,version,address,uid,pid,since,flags,exe");
  return fields;
}

bool Fields::parse(std::string_view list) noexcept {
  count_ = 0;
  for (bool more = true; more;) {
    auto const part = cut(list, ',');
    size_t i = 0;
    while (i < names.size() && names.begin()[i] != part.head) ++i;
    if (i == names.size() || count_ == most) return false;
    fields_[count_++] = static_cast<Field>(i);
    list = part.tail;
    more = part.found;
  }
  return true;
}

FieldText value(LiveRegistration const &registration, Field field) noexcept {
  Record const &r = registration.record;
  switch (field) {
    case Field::service: return r.service;
    case Field::version: return Text<32>() << r.version;
    case Field::netid: return r.netid;
    case Field::address: return r.address;
    case Field::uid: return registration.owner;
    case Field::pid: return Text<32>() << r.pid;
    case Field::start: return Text<32>() << r.start;
    case Field::since: return Text<32>() << r.since;
    case Field::flags: return flags_of(registration);
    case Field::holder: return r.holder;
    case Field::exe: return r.exe;
    case Field::id: return r.id;
    case Field::origin: return r.origin;
  }
  bug("an unknown field");
}

} // namespace pm::registry
