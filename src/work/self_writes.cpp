#include "work/self_writes.h"

#include <fmt/format.h>

#include "event/identity.h"
#include "work/durably.h"

namespace headrace {
namespace {

constexpr std::string_view kPrefix = "intent/";

/// store NUL bucket NUL path: none of the three can hold a NUL.
Bytes encode(const std::string& store, const ObjectKey& key) {
  Bytes out = store;
  out.push_back('\0');
  out += key.bucket;
  out.push_back('\0');
  out += key.path;
  return out;
}

std::optional<std::pair<std::string, ObjectKey>> decode(BytesView bytes) {
  const std::size_t first = bytes.find('\0');
  if (first == BytesView::npos) return std::nullopt;
  const std::size_t second = bytes.find('\0', first + 1);
  if (second == BytesView::npos) return std::nullopt;
  return std::pair{std::string(bytes.substr(0, first)),
                   ObjectKey{std::string(bytes.substr(first + 1, second - first - 1)),
                             std::string(bytes.substr(second + 1))}};
}

}  // namespace

LedgerSelfWrites::LedgerSelfWrites(Ledger& ledger, Stores& stores, Clock& clock, Random& random,
                                   const Log& log)
    : ledger_(ledger), stores_(stores), clock_(clock), random_(random), log_(log) {}

Task<std::string> LedgerSelfWrites::begin(std::string store, ObjectKey key) {
  const std::string id = random_.uuid();
  LedgerWrite write;
  write.notes.push_back({std::string(kPrefix) + id, encode(store, key)});
  co_await this->write(std::move(write));
  by_object_[{store, key}].insert(id);
  open_.emplace(id, Intent{std::move(store), std::move(key)});
  co_return id;
}

Task<> LedgerSelfWrites::end(std::string id, std::optional<Etag> etag) {
  const auto found = open_.find(id);
  if (found == open_.end()) co_return;
  const Intent intent = found->second;
  co_await close(id, intent, std::move(etag), clock_.now());
  open_.erase(id);
  const auto object = by_object_.find({intent.store, intent.key});
  if (object == by_object_.end()) co_return;
  object->second.erase(id);
  if (object->second.empty()) by_object_.erase(object);
}

Task<> LedgerSelfWrites::close(std::string id, Intent intent, std::optional<Etag> etag,
                               Time written) {
  LedgerWrite write;
  write.notes.push_back({std::string(kPrefix) + id, std::nullopt});
  if (etag) write.seen = own_write_names(intent.store, intent.key, *etag, written);
  co_await this->write(std::move(write));
}

Task<> LedgerSelfWrites::write(LedgerWrite write) {
  auto put = [&] { return ledger_.write(write); };
  co_await durably(clock_, random_, log_, "note a write of our own", put);
}

Task<bool> LedgerSelfWrites::is_own(const Event& event) {
  const auto found = by_object_.find({event.store, event.object});
  if (found == by_object_.end() || event.kind != EventKind::kCreated) co_return false;
  const std::set<std::string> ids = found->second;
  const auto info = co_await stores_.at(event.store).head(event.object);
  if (!info || (event.etag && info->etag != *event.etag)) co_return false;
  const auto id = info->metadata.find(kWriteId);
  co_return id != info->metadata.end() && ids.contains(id->second);
}

Task<> LedgerSelfWrites::recover() {
  for (NoteChange& note : co_await ledger_.notes(std::string(kPrefix))) {
    const std::string id = note.key.substr(kPrefix.size());
    const auto where = decode(note.value.value_or(""));
    std::optional<Etag> etag;
    Time written;
    if (where && stores_.contains(where->first)) {
      const auto info = co_await stores_.at(where->first).head(where->second);
      if (info && info->metadata.contains(kWriteId) &&
          info->metadata.find(kWriteId)->second == id) {
        etag = info->etag;
        written = info->modified;
      }
    }
    const Intent intent = where ? Intent{where->first, where->second} : Intent{};
    co_await close(id, intent, etag, written);
    log_.debug("open intent of an earlier run closed",
               {{"object", intent.key.text()}, {"written", etag ? "yes" : "no"}});
  }
}

}  // namespace headrace
