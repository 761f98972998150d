#include "event/identity.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <string>

#include "core/hash.h"

namespace headrace {
namespace {

using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kOwnWriteCell = minutes(30);

/// Text that no other list of parts gives: every part is led by its length.
class Parts {
 public:
  Parts(std::string_view store, const ObjectKey& object, std::uint64_t audience = 0) {
    text_.reserve(256);
    if (audience != 0) fmt::format_to(std::back_inserter(text_), "{:x}/", audience);
    add(store).add(object.bucket).add(object.path);
  }
  Parts& add(std::string_view part) {
    fmt::format_to(std::back_inserter(text_), "{}:", part.size());
    text_ += part;
    return *this;
  }
  Parts& add(Time time) {
    // Not format_time: this is on the way of every event, and the count says the same.
    fmt::format_to(std::back_inserter(text_), "@{}:", time.time_since_epoch().count());
    return *this;
  }
  std::uint64_t hash() const { return hash64(text_); }

 private:
  std::string text_;
};

bool is_listing(const Event& event) { return event.producer == "listing"; }

/// radosgw counts notifications, not changes; its times are the changes' own, in microseconds.
bool has_own_sequencer(const Event& event) {
  return !event.sequencer.empty() && event.producer != "ceph";
}

std::uint64_t change_of(const Event& event, std::uint64_t audience) {
  Parts parts(event.store, event.object, audience);
  parts.add(event.detail_type.empty() ? detail_type_of(event.kind) : event.detail_type);
  if (!event.version_id.empty()) {
    parts.add("version").add(event.version_id);
  } else if (has_own_sequencer(event)) {
    parts.add("sequencer").add(event.sequencer);
  } else if (event.etag) {
    parts.add("etag").add(event.etag->value).add(event.time);
  } else {
    parts.add("time").add(event.time);
  }
  if (event.kind == EventKind::kTagsChanged || event.kind == EventKind::kOther) {
    parts.add(event.time);
  }
  if (event.line) {
    parts.add(fmt::format("line {}", event.line->number)).add(event.line->text);
  }
  return parts.hash();
}

/// The object is there with this etag since that time. `teller`: by whom it was remembered.
std::uint64_t state(const Event& event, std::uint64_t audience, std::string_view teller,
                    Time time) {
  Parts parts(event.store, event.object, audience);
  return parts.add(teller).add(event.etag->value).add(time).hash();
}

/// When the object was last changed. MinIO and its like tell the time of the announcement, some
/// milliseconds later, but have the object's in the sequencer, in nanoseconds.
Time modified(const Event& event) {
  const bool in_sequencer = event.producer == "minio" || event.producer == "rustfs";
  if (!in_sequencer) return event.time;
  const char* const end = event.sequencer.data() + event.sequencer.size();
  std::int64_t nanoseconds = 0;
  const auto [stop, error] = std::from_chars(event.sequencer.data(), end, nanoseconds, 16);
  if (error != std::errc{} || stop != end) return event.time;
  return Time(floor<Duration>(std::chrono::nanoseconds(nanoseconds)));
}

/// That time as a listing may tell it.
std::vector<Time> times_in_listings(const Event& event) {
  const Time second = floor<seconds>(modified(event));
  const Time millisecond = floor<milliseconds>(modified(event));
  if (is_listing(event)) return {millisecond};
  return second == millisecond ? std::vector{second} : std::vector{second, millisecond};
}

std::uint64_t own_write(std::string_view store, const ObjectKey& object, const Etag& etag,
                        std::int64_t cell) {
  return Parts(store, object).add("own").add(etag.value).add(Time(cell * kOwnWriteCell)).hash();
}

std::int64_t cell_of(Time time) {
  return floor<std::chrono::duration<std::int64_t, std::ratio<1800>>>(time.time_since_epoch())
      .count();
}

}  // namespace

Identity identity_of(const Event& event, std::uint64_t audience) {
  Identity identity{.change = change_of(event, audience), .same_as = {}, .also = {}};
  if (event.kind != EventKind::kCreated || !event.etag || event.line) return identity;
  identity.same_as.push_back(
      own_write(event.store, event.object, *event.etag, cell_of(event.time)));
  // A watched folder's etags and times are those of its listing: `change` is enough.
  if (event.producer == "watch") return identity;
  const bool listing = is_listing(event);
  for (const Time time : times_in_listings(event)) {
    identity.same_as.push_back(state(event, audience, listing ? "announced" : "listed", time));
    identity.also.push_back(state(event, audience, listing ? "listed" : "announced", time));
  }
  return identity;
}

std::vector<std::uint64_t> own_write_names(std::string_view store, const ObjectKey& object,
                                           const Etag& etag, Time time) {
  const std::int64_t cell = cell_of(time);
  const bool late = time - Time(cell * kOwnWriteCell) >= kOwnWriteCell / 2;
  return {own_write(store, object, etag, cell),
          own_write(store, object, etag, late ? cell + 1 : cell - 1)};
}

}  // namespace headrace
