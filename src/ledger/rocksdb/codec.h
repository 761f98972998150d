#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "ledger/ledger.h"

namespace headrace::rocks {

/// How keys and values are spelled on disk: docs/formats/ledger.md. Pure; whatever is read may be
/// damaged, and then throws kCorrupt.

/// The two kinds of pages: what was due when it was committed, and what is due later.
enum class Lane : unsigned char { kReady, kLater };

/// Where a page is: in its lane, pages lie in this order. Ready pages have no due time here, so
/// that they lie in the order of their commits. The lowest bit of `seq` says the lane.
struct Position {
  std::uint64_t due_us = 0;
  std::uint64_t seq = 0;

  auto operator<=>(const Position&) const = default;
  Lane lane() const { return (seq & 1) == 0 ? Lane::kReady : Lane::kLater; }
  Position next() const { return {due_us, seq + 1}; }
  static constexpr Position last() { return {UINT64_MAX, UINT64_MAX}; }
};

std::uint64_t micros(Time time);  ///< Times before 1970 become 0.
Time time_of(std::uint64_t micros);

/// Key of a page's row; order of keys is order of positions.
Bytes page_key(Lane lane, Position position);
Position page_position(Lane lane, BytesView key);
Bytes number_key(std::uint64_t number);
std::uint64_t key_number(BytesView key);

void put_varint(Bytes& out, std::uint64_t number);

/// Takes numbers and bytes off the front of what it was given.
class Reader {
 public:
  explicit Reader(BytesView bytes) : rest_(bytes) {}
  std::uint64_t varint();
  /// A varint that must be below `bound`.
  std::uint64_t below(std::uint64_t bound);
  std::uint8_t byte();
  BytesView bytes(std::uint64_t count);
  BytesView rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  BytesView rest_;
};

/// Member numbers of one route in a page, ascending; empty means all.
struct RouteMembers {
  RouteId route{};
  std::vector<std::uint16_t> members;
  bool operator==(const RouteMembers&) const = default;
};

/// A page in the making.
struct PageDraft {
  Time due;
  int attempt = 1;
  std::string error;  ///< Of the attempt before; empty on the first.
  std::vector<Bytes> bodies;
  std::vector<std::uint8_t> shards;
  std::map<RouteId, std::vector<std::uint16_t>> routes;
  std::size_t bytes = 0;  ///< Of all bodies.
};

/// A page taken apart; the views point into the payload it was read from.
struct PageContent {
  Time due;
  int attempt = 1;
  BytesView error;
  std::vector<BytesView> bodies;
  BytesView shards;  ///< One byte per member.
  std::vector<RouteMembers> routes;
};

Bytes encode_payload(const PageDraft& draft);
PageContent decode_payload(BytesView payload);

/// A payload as a row's value, LZ4-compressed where that helps, and back.
Bytes pack(BytesView payload);
Bytes unpack(BytesView value);

/// What one commit settled of one page: an operand of its row in `progress`. Rows are such operands
/// one after the other.
using PageDelta = std::vector<RouteMembers>;
Bytes encode_delta(const PageDelta& delta);
std::vector<RouteMembers> decode_deltas(BytesView row);

/// Changes of the counters by route; the row is such operands one after the other.
enum class Count : unsigned char { kAppended, kDone, kRetried, kDied, kCancelled, kDead };
inline constexpr std::size_t kCounts = 6;
using CountDeltas = std::map<RouteId, std::array<std::int64_t, kCounts>>;
Bytes encode_counts(const CountDeltas& deltas);
/// Adds what a row says to `sums`.
void add_counts(BytesView row, CountDeltas& sums);

struct DeadRow {
  RouteId route{};
  Time at;
  int attempts = 0;
  ErrorKind kind{};
  std::uint8_t shard = 0;
  BytesView error;
  BytesView body;
};
Bytes encode_dead(const DeadRow& row);
DeadRow decode_dead(BytesView value);

}  // namespace headrace::rocks
