#include "libpm/handover/store_session.h"

#include <fcntl.h>
#include <poll.h>
#include <type_traits>
#include "libpm/message/passing.h"
#include "libpm/net/listen.h"
#include "libpm/os/sys.h"

namespace pm::handover {

bool StoreSession::take(Fd connected) noexcept {
  return connection_.set_fd(Connection::Mode::local, std::move(connected)) == Status::ok;
}

void StoreSession::reject() noexcept {
  connection_.set_hook([](void *, PeerIdentity const &) noexcept { return false; }, nullptr);
  (void)connection_.accept(Limit::now());
}

bool StoreSession::admit(StoreRights rights) noexcept {
  rights_ = std::move(rights);
  begin_turn();
  if (!context_->patience && !watch_process()) return false;
  return connection_.accept(Limit::now()) == Status::pending || connection_.state() != Connection::State::closed;
}

bool StoreSession::serve(Stored stored) noexcept {
  for (unsigned n = 0; n < requests_a_turn; ++n) {
    message::Message *message = nullptr;
    bool const goes_on = answering_ || connection_.state() == Connection::State::establishing;
    // Only receive() returns a request. finish() goes on with an answer, or with establishing the connection.
    auto const status = goes_on ? connection_.finish(message, Limit::now()) : connection_.receive(message, Limit::now());
    if (status == Status::pending) return true;
    if (goes_on && status == Status::ok) {
      answering_ = false;
      begin_turn();
      continue;
    }
    if (status == Status::unknown_message || status == Status::bad_message) {
      if (!send_error(status)) return false;
      continue;
    }
    if (status != Status::ok) {
      if (status != Status::closed && status != Status::lost && status != Status::peer_error)
        context_->log->warn("dropped a client of uid ", (Text<16>() << rights_.uid).view(), ": ", describe(status));
      return false;
    }
    if (!handle(*message, stored)) return false;
    begin_turn();
    if (wait_) return true;
  }
  return true;
}

bool StoreSession::end() noexcept {
  if (!socket_.valid() || message::is_delivered(socket_.get())) return true;
  if (has_ended_) return false;
  wait_.reset();
  has_ended_ = true;
  connection_.close();
  // The client reads what was sent, and then the end.
  sys::shutdown(socket_.get(), SHUT_WR);
  return false;
}

bool StoreSession::end_wait() noexcept {
  auto const awaited = *wait_;
  wait_.reset();
  begin_turn();
  return hand_out(awaited.name.view(), awaited.remove);
}

bool StoreSession::handle(message::Message &message, Stored stored) noexcept {
  switch (message.type) {
    case StoreRequest::type: return read_and_answer<StoreRequest>(message, stored);
    case GetRequest::type: return read_and_answer<GetRequest>(message, stored);
    case DropRequest::type: return read_and_answer<DropRequest>(message, stored);
    case ListRequest::type: return answer_list();
    // The protocol's other messages are answers.
    default: return send_error(Status::unexpected);
  }
}

template <class Request>
bool StoreSession::read_and_answer(message::Message &message, Stored stored) noexcept {
  Request request;
  if (connection_.read(message, request) != Status::ok) return send_error(Status::bad_message);
  if constexpr (std::is_same_v<Request, StoreRequest>)
    if (!request.fd.valid()) return send_error(Status::bad_message);
  if (!is_word(request.name, stored_name_max)) return refuse(StoreRefusal::bad_name);
  return answer(request, stored);
}

bool StoreSession::answer(StoreRequest &request, Stored stored) noexcept {
  if (!rights_.may_store(request.name)) return refuse(StoreRefusal::denied);
  // A stored connection to the store would keep itself open.
  if (is_same_socket(context_->socket, request.fd.get())) return refuse(StoreRefusal::unfit);
  auto const refused = context_->table.add(request.name, std::move(request.fd), rights_.uid, request.lifetime, !rights_.all);
  if (!refused) return send_error(Status::exhausted);
  if (*refused) return refuse(**refused);
  Text<stored_name_max + 1> const name(request.name);
  bool const sent = send(message::Finished());
  stored(name.view());
  return sent;
}

bool StoreSession::answer(GetRequest const &request, Stored) noexcept {
  if (!rights_.may_get(request.name)) return refuse(StoreRefusal::denied);
  if (context_->table.find(request.name)) return hand_out(request.name, request.remove);
  if (!request.wait) return refuse(StoreRefusal::not_found);
  wait_ = {Text<stored_name_max + 1>(request.name), request.remove};
  return watch_process();
}

bool StoreSession::watch_process() noexcept {
  if (process_.valid()) return true;
  auto process = running_peer_process(connection_.fd());
  if (process) process_ = std::move(*process);
  return process || process.error().code != ESRCH;
}

bool StoreSession::answer(DropRequest const &request, Stored) noexcept {
  auto const *const found = context_->table.find(request.name);
  // Only a client that may store the name may learn whether the store has it.
  if (!found) return refuse(rights_.may_store(request.name) ? StoreRefusal::not_found : StoreRefusal::denied);
  if (!rights_.may_drop(*found)) return refuse(StoreRefusal::denied);
  context_->table.remove(request.name);
  return send(message::Finished());
}

bool StoreSession::answer_list() noexcept {
  auto const all = context_->table.all();
  List<Text<128>> addresses;
  StoreListing listing;
  if (!addresses.resize(all.size())) return send_error(Status::exhausted);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!rights_.may_list(all[i].name.view())) continue;
    addresses[i] = Text<128>();
    if (!listing.rows.elements.append(DescriptorTable::row(all[i], addresses[i]))) return false;
  }
  return send(listing);
}

bool StoreSession::hand_out(std::string_view name, bool remove) noexcept {
  // Descriptors in flight count against the store's user, unix(7) ETOOMANYREFS, so allow one for each connection.
  if (socket_.valid() && !message::is_delivered(socket_.get())) return send_error(Status::exhausted);
  // Without room for it, the place is free as soon as the session ends.
  if (!socket_.valid()) socket_.reset(sys::fcntl(connection_.fd(), F_DUPFD_CLOEXEC));
  GotDescriptor got;
  Lent const lent(got.fd, context_->table.find(name)->fd);
  auto const sent = start_sending(got);
  // It is removed only when it was sent. A pending answer has its own copy.
  if (remove && (sent == Status::ok || sent == Status::pending)) context_->table.remove(name);
  return goes_on(sent);
}

template <class T>
Status StoreSession::start_sending(T const &value) noexcept {
  auto const status = connection_.send(value, Limit::now());
  answering_ = status == Status::pending;
  return status;
}

bool StoreSession::goes_on(Status sent) noexcept {
  // The kernel limits the descriptors that are sent and not yet received. This client did not cause it, and may ask again.
  if (sent == Status::exhausted) return send_error(sent);
  return sent == Status::ok || sent == Status::pending;
}

} // namespace pm::handover
