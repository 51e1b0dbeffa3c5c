// What is done for each question.

#include <pm/base/say.h>
#include <pm/fdstore/server.h>
#include <sys/stat.h>

namespace pm::fdstore {

template <class T>
bool Server::answer(Client &client, T const &value) noexcept {
  auto const status = client.connection.send(value, Wait::never());
  client.answers = status == Status::pending;
  // As many descriptors as there may be are under way to somebody: that is no fault of this client's, and he may ask again.
  if (status == Status::exhausted) return client.connection.send_error(status, Wait::never()) == Status::ok;
  return status == Status::ok || client.answers;
}

bool Server::refuse(Client &client, Refusal why) noexcept {
  No no;
  no.why = why;
  return answer(client, no);
}

bool Server::handle(Client &client, message::Message &message) noexcept {
  switch (message.type) {
    case Store::type: return store(client, message);
    case Get::type: return get(client, message);
    case Drop::type: return drop(client, message);
    case Enumerate::type: return list(client);
    // An answer is no question.
    default: return client.connection.send_error(Status::unexpected, Wait::never()) == Status::ok;
  }
}

bool Server::store(Client &client, message::Message &message) noexcept {
  Store request;
  if (client.connection.read(message, request) != Status::ok || !request.fd.valid())
    return client.connection.send_error(Status::bad_message, Wait::never()) == Status::ok;
  if (!is_word(request.name, name_max)) return refuse(client, Refusal::bad_name);
  if (!client.rights.may_store(request.name)) return refuse(client, Refusal::denied);
  // Kept, it would keep itself.
  if (is_same_socket(socket_, request.fd.get())) return refuse(client, Refusal::unfit);
  auto const refused = store_.add(request.name, std::move(request.fd), client.rights.uid, request.lifetime, !client.rights.all);
  if (!refused) return client.connection.send_error(Status::exhausted, Wait::never()) == Status::ok;
  if (*refused) return refuse(client, **refused);
  Text<name_max + 1> const name(request.name);
  bool const told = answer(client, Finished());
  wake(name.view());
  return told;
}

bool Server::hand_out(Client &client, std::string_view name, bool remove) noexcept {
  auto const *const entry = store_.find(name);
  Got got;
  Lent const lent(got.fd, entry->fd);
  auto const status = client.connection.send(got, Wait::never());
  client.answers = status == Status::pending;
  if (status == Status::exhausted) return client.connection.send_error(status, Wait::never()) == Status::ok;
  if (status != Status::ok && !client.answers) return false;
  // Taken out only when it is on its way; a copy is, where it has to wait.
  if (remove) store_.remove(name);
  return true;
}

bool Server::get(Client &client, message::Message &message) noexcept {
  Get request;
  if (client.connection.read(message, request) != Status::ok)
    return client.connection.send_error(Status::bad_message, Wait::never()) == Status::ok;
  if (!is_word(request.name, name_max)) return refuse(client, Refusal::bad_name);
  if (!client.rights.may_get(request.name)) return refuse(client, Refusal::denied);
  if (store_.find(request.name)) return hand_out(client, request.name, request.remove);
  if (!request.wait) return refuse(client, Refusal::not_found);
  client.waits.emplace(Text<name_max + 1>(request.name), request.remove);
  return true;
}

/** All who wait for it, in the order of their places, until one takes it out. */
void Server::wake(std::string_view name) noexcept {
  for (auto &one : clients_) {
    if (!one || !one->waits || one->waits->first.view() != name || !store_.find(name)) continue;
    bool const remove = one->waits->second;
    one->waits.reset();
    one->deadline = Deadline::in(options_.patience);
    if (!hand_out(*one, name, remove)) one.reset();
  }
}

bool Server::drop(Client &client, message::Message &message) noexcept {
  Drop request;
  if (client.connection.read(message, request) != Status::ok)
    return client.connection.send_error(Status::bad_message, Wait::never()) == Status::ok;
  if (!is_word(request.name, name_max)) return refuse(client, Refusal::bad_name);
  auto const *const entry = store_.find(request.name);
  // Whether it is there is told to those only who may know.
  if (!entry) return refuse(client, client.rights.may_store(request.name) ? Refusal::not_found : Refusal::denied);
  if (!client.rights.may_drop(*entry)) return refuse(client, Refusal::denied);
  store_.remove(request.name);
  return answer(client, Finished());
}

bool Server::list(Client &client) noexcept {
  auto const entries = store_.entries();
  List<Text<128>> addresses;
  Listing listing;
  if (!addresses.resize(entries.size())) return client.connection.send_error(Status::exhausted, Wait::never()) == Status::ok;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!client.rights.may_list(entries[i].name.view())) continue;
    addresses[i] = Text<128>();
    if (!listing.rows.elements.append(Descriptors::row(entries[i], addresses[i]))) return false;
  }
  return answer(client, listing);
}

} // namespace pm::fdstore
