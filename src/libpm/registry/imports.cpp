#include "libpm/registry/imports.h"

#include <algorithm>
#include <utility>

namespace pm::registry {

namespace {
constexpr char const *importing = "import a registration";

/** One registration less: the last one closes the token. */
void leave(ImportToken *token) noexcept {
  if (--token->count == 0) Box<ImportToken>{token};
}
} // namespace

Imports::~Imports() {
  for (Import *import = imports_.first(); import; import = import->next)
    if (import->token) leave(import->token);
  for (ImportRemoval const &removal : removals_) leave(removal.token);
}

// --- What lines say

void Imports::report(std::string_view reason, std::string_view line) noexcept {
  log_->warn("a line is skipped: ", reason, ": ", std::string_view(line.data(), std::min<size_t>(line.size(), 256)));
}

void Imports::skip_long_line() noexcept {
  log_->warn("a line is skipped: it is too long");
}

Done Imports::read(std::string_view text) noexcept {
  if (is_suspended_)
    if (auto const resumed = resume(); !resumed) return resumed;
  auto const line = read_import_line(text);
  if (!line) return put_wrong(line.error(), text);
  using Word = ImportLine::Word;
  switch (line->word) {
    case Word::still: return {};
    case Word::begin:
      is_in_snapshot_ = true;
      ++snapshot_;
      return {};
    case Word::end: return end_snapshot();
    case Word::up: return put(*line, text);
    case Word::down: break;
  }
  Import *const found = imports_.find(line->key);
  return found ? drop(*found) : Done();
}

/** The import of a key: an empty one, or that of the same text. Another text's is dropped. */
Result<Import *> Imports::make(std::string_view key, std::string_view text) noexcept {
  if (Import *const found = imports_.find(key)) {
    if (view(found->text) == text) return found;
    if (auto const dropped = drop(*found); !dropped) return fail(dropped);
  }
  auto made = make_box<Import>();
  if (!made || !append(made->text, text)) return failed(importing, ENOMEM);
  made->key = std::string_view(made->text.begin() + (key.data() - text.data()), key.size());
  Import *const added = imports_.add(std::move(made));
  if (!added) return failed(importing, ENOMEM);
  return added;
}

Done Imports::put_wrong(BadImportLine const &bad, std::string_view text) noexcept {
  if (bad.key.empty()) {
    if (view(last_wrong_) == text) return {};
    report(bad.reason, text);
    last_wrong_.clear();
    return append(last_wrong_, {text.data(), std::min(text.size(), import_line_max)}) ? Done() : Done(failed(importing, ENOMEM));
  }
  auto const import = make(bad.key, text);
  if (!import) return fail(import);
  (*import)->snapshot = snapshot_;
  if (!(*import)->is_wrong) report(bad.reason, text);
  (*import)->is_wrong = true;
  return {};
}

Done Imports::put(ImportLine const &line, std::string_view text) noexcept {
  if (!settings_->names.empty() && std::none_of(settings_->names.begin(), settings_->names.end(),
                                                [&](auto pattern) { return matches(pattern, line.service); })) {
    // The key may have been that of another service.
    Import *const found = imports_.find(line.key);
    return found ? drop(*found) : Done();
  }
  auto const made = make(line.key, text);
  if (!made) return fail(made);
  Import &import = **made;
  import.snapshot = snapshot_;
  if (import.is_wrong || import.token || import.is_waiting) return {};
  if (count_ >= settings_->most) {
    if (!std::exchange(is_full_, true)) log_->warn("registrations are left out: there are ", (Text<24>() << count_).view());
    return drop(import);
  }
  // It views the import's own text.
  import.line = *read_import_line(view(import.text));
  ++count_;
  return want(import);
}

Done Imports::want(Import &import) noexcept {
  import.is_waiting = additions_.append(&import);
  return import.is_waiting ? Done() : Done(failed(importing, ENOMEM));
}

/** Has the registration removed, and keeps what the line said. */
Done Imports::unregister(Import &import) noexcept {
  if (import.is_waiting) {
    auto *const place = std::find(additions_.begin(), additions_.end(), &import);
    *place = additions_[additions_.size() - 1];
    additions_.truncate(additions_.size() - 1);
    import.is_waiting = false;
  }
  if (!import.token) return {};
  if (!removals_.append({import.ticket, import.token})) return failed(importing, ENOMEM);
  import.token = nullptr;
  return {};
}

Done Imports::drop(Import &import) noexcept {
  bool const counted = !import.is_wrong && (import.token || import.is_waiting || is_suspended_);
  if (auto const unregistered = unregister(import); !unregistered) return unregistered;
  if (counted) --count_;
  if (counted && count_ < settings_->most) is_full_ = false;
  imports_.remove(import);
  return {};
}

Done Imports::end_snapshot() noexcept {
  if (!std::exchange(is_in_snapshot_, false)) return {};
  for (Import *import = imports_.first(); import;) {
    Import *const next = import->next;
    if (import->snapshot != snapshot_)
      if (auto const dropped = drop(*import); !dropped) return dropped;
    import = next;
  }
  is_complete_ = true;
  return {};
}

void Imports::suspend() noexcept {
  if (std::exchange(is_suspended_, true)) return;
  for (Import *import = imports_.first(); import; import = import->next)
    if (!unregister(*import)) log_->warn_of({ENOMEM, importing}, "");
}

/** Has all registered again that was before suspend(). */
Done Imports::resume() noexcept {
  is_suspended_ = false;
  for (Import *import = imports_.first(); import; import = import->next)
    if (!import->is_wrong && !import->token)
      if (auto const wanted = want(*import); !wanted) return wanted;
  return {};
}

// --- The registry

void Imports::flush(Limit limit) noexcept {
  if (pause_.is_on() && is_failing_) return;
  while (!removals_.empty() || !additions_.empty()) {
    auto const done = removals_.empty() ? add_some(limit) : remove_some(limit);
    if (done) {
      is_failing_ = false;
      continue;
    }
    // It is reported once, and tried again every second.
    if (is_cancelled(done.error())) return;
    auto const *error = std::get_if<SysError>(&done.error());
    SysError const why = error ? *error : SysError{EPERM, importing};
    if (!std::exchange(is_failing_, true)) log_->warn_of(why, "");
    pause_.begin();
    return;
  }
  pause_.end();
}

Answer<void> Imports::remove_some(Limit limit) noexcept {
  size_t const count = std::min(removals_.size(), batch_max);
  Ticket tickets[batch_max];
  for (size_t i = 0; i < count; ++i) tickets[i] = removals_[i].ticket;
  Change change(*tree_, Route::direct, limit);
  if (auto const removed = change.remove({tickets, count}); !removed) return fail(removed);
  for (size_t i = 0; i < count; ++i) leave(removals_[i].token);
  removals_.erase_front(count);
  return {};
}

/** Registers what comes first in the list, as far as it is of the same host. */
Answer<void> Imports::add_some(Limit limit) noexcept {
  std::string_view const host = additions_[0]->line.host;
  WantedRegistration wanted[batch_max];
  size_t count = 0;
  for (; count < std::min(additions_.size(), batch_max) && additions_[count]->line.host == host; ++count) {
    ImportLine const &line = additions_[count]->line;
    wanted[count] = {.service = line.service, .address = line.address, .version = line.version};
  }
  Change change(*tree_, Route::direct, limit);
  auto made = change.add({wanted, count}, {.holder = "self", .origin = host});
  if (!made) {
    auto const *refusal = std::get_if<Refusal>(&made.error());
    if (!refusal || refusal->index >= count) return fail(made);
    refuse(*additions_[refusal->index], *refusal);
    return {};
  }
  auto token = make_box<ImportToken>();
  if (!token) return tl::unexpected<Failure>(SysError{ENOMEM, importing});
  token->token = std::move(made->token);
  token->count = static_cast<unsigned>(count);
  for (size_t i = 0; i < count; ++i) {
    Import &import = *additions_[i];
    import.is_waiting = false;
    import.token = token.get();
    import.ticket = made->tickets[i];
  }
  (void)token.release();
  additions_.erase_front(count);
  return {};
}

/** What the registry refuses is reported, and is not tried again before another line replaces it. */
void Imports::refuse(Import &import, Refusal const &refusal) noexcept {
  report(explain(refusal).view(), view(import.text));
  if (!unregister(import)) return;
  import.is_wrong = true;
  --count_;
}

} // namespace pm::registry
