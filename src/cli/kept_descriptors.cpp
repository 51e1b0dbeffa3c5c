#include "cli/kept_descriptors.h"

#include <utility>
#include "libpm/util/sort.h"

namespace pm::notify {

using namespace handover;

namespace {

/** Calls `visit` with the name of each descriptor of the service that a trusted user has stored. */
void each_name(ServiceInStore const &where, StoreListing const &listing, Callback<void(NumberedName const &)> visit) noexcept {
  for (StoreRow const &row : listing.rows.elements)
    if (where.store.trusted.has(row.owner))
      if (auto const name = read_name_in_store(where.service, row.name)) visit(*name);
}

NameInStore text_of(ServiceInStore const &where, NumberedName const &name) noexcept {
  return *name_in_store(where.service, name.number, name.name.view());
}

} // namespace

void get_kept(ServiceInStore const &where, size_t most, GivenBack &given) noexcept {
  StoreClient client(where.store);
  StoreListing listing;
  auto const listed = client.try_to_ask(ListRequest(), listing);
  // A store that does not run keeps nothing.
  if (!listed && listed.error() == Status::no_endpoint) return warn(client.explain(listed.error()).view());
  if (!listed) client.die(listed.error());
  List<NumberedName> names;
  each_name(where, listing, [&](NumberedName const &name) noexcept {
    if (!names.append(name)) die_no_memory();
  });
  sort(std::span(names.begin(), names.end()),
       [](NumberedName const &a, NumberedName const &b) noexcept { return a.number < b.number; });
  for (auto const &name : names) {
    if (given.count == most) return warn("the store has more descriptors than the program can get");
    auto const text = text_of(where, name);
    GotDescriptor got;
    GetRequest question;
    question.name = text.view();
    auto const refused = client.ask(question, got);
    if (refused == StoreRefusal::not_found) continue; // since the list, its peer may have gone
    if (refused) die_refused("get", text.view(), *refused);
    given.names[given.count] = name.name;
    given.fds[given.count++] = std::move(got.fd);
  }
}

bool KeptDescriptors::may_ask() noexcept {
  if (!pause_.is_on()) return true;
  log_->warn("dropped descriptors: the store has just failed");
  return false;
}

/** Whether a question failed, or was refused, which it logs. */
bool KeptDescriptors::fails(Asked const &asked, StoreClient const &client, std::string_view doing,
                            std::string_view name) noexcept {
  if (!asked) pause_.begin();
  if (!asked) log_->warn(client.explain(asked.error()).view());
  else if (*asked) log_->warn("unable to ", doing, " ", name, ": ", describe(**asked));
  return !asked || *asked;
}

/** Learns which descriptors are in the store now: it drops some itself, and it may be another store. */
bool KeptDescriptors::look(StoreClient &client) noexcept {
  StoreListing listing;
  auto const listed = client.try_to_ask(ListRequest(), listing);
  if (fails(listed, client, "list", "the store")) return false;
  for (auto &kept : kept_) kept.is_seen = false;
  bool done = true;
  each_name(*where_, listing, [&](NumberedName const &name) noexcept {
    for (auto &kept : kept_)
      if (kept.name.number == name.number && kept.name.name.view() == name.name.view()) kept.is_seen = true;
    bool known = false;
    for (auto const &kept : kept_) known = known || (kept.is_seen && kept.name.number == name.number);
    done = done && (known || identify(client, name));
  });
  for (size_t i = kept_.size(); i-- > 0;) {
    if (kept_[i].is_seen) continue;
    kept_[i] = kept_[kept_.size() - 1];
    kept_.truncate(kept_.size() - 1);
  }
  return done;
}

/** Notes a descriptor that is in the store. */
bool KeptDescriptors::identify(StoreClient &client, NumberedName const &name) noexcept {
  auto const text = text_of(*where_, name);
  GetRequest question;
  question.name = text.view();
  GotDescriptor got;
  auto const asked = client.try_to_ask(question, got);
  if (asked && *asked == StoreRefusal::not_found) return true;
  if (fails(asked, client, "get", text.view())) return false;
  return kept_.append({name, identify_file(got.fd.get()).value_or(FileIdentity()), true});
}

void KeptDescriptors::add(message::Descriptors &descriptors, std::string_view name) noexcept {
  if (!may_ask()) return;
  StoreClient client(where_->store);
  if (!look(client)) return;
  for (size_t i = 0; i < descriptors.size(); ++i)
    if (!add_one(client, descriptors.take(i), name)) return;
}

/** False: the other descriptors cannot be stored, either. */
bool KeptDescriptors::add_one(StoreClient &client, Fd fd, std::string_view name) noexcept {
  auto const file = identify_file(fd.get()).value_or(FileIdentity());
  // Objects of the kernel such as eventfds have one inode.
  uint32_t number = 0;
  for (auto const &kept : kept_) {
    if (file.type && kept.file == file) return true;
    number = std::max(number, kept.name.number);
  }
  if (kept_.size() >= kept_max) {
    log_->warn("unable to store ", name, ": the store has 64 descriptors of this program");
    return false;
  }
  auto const text = number == UINT32_MAX ? std::nullopt : name_in_store(where_->service, ++number, name);
  if (!text) {
    log_->warn("unable to store ", name, ": the name is too long for the store");
    return false;
  }
  StoreRequest question;
  question.name = text->view();
  Lent const lent(question.fd, fd.get());
  message::Finished finished;
  auto const asked = client.try_to_ask(question, finished);
  if (fails(asked, client, "store", text->view())) return false;
  return kept_.append({{number, Text<256>(name)}, file, true});
}

void KeptDescriptors::remove(std::string_view name) noexcept {
  if (!may_ask()) return;
  StoreClient client(where_->store);
  if (!look(client)) return;
  for (auto const &kept : kept_) {
    if (kept.name.name.view() != name) continue;
    auto const text = text_of(*where_, kept.name);
    DropRequest question;
    question.name = text.view();
    message::Finished finished;
    auto const asked = client.try_to_ask(question, finished);
    if (asked && *asked == StoreRefusal::not_found) continue;
    if (fails(asked, client, "drop", text.view())) return;
  }
}

} // namespace pm::notify
