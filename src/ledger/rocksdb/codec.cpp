#include "ledger/rocksdb/codec.h"

#include <lz4.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "core/error.h"

namespace headrace::rocks {
namespace {

enum class Packing : std::uint8_t { kPlain = 0, kLz4 = 1 };

/// Pages are cut well below this; more is damage.
constexpr std::uint64_t kMaxPayload = 1u << 30;
constexpr std::uint64_t kMaxMembers = 65'536;
constexpr std::uint64_t kMaxRoutes = 1 << 20;
constexpr std::uint64_t kMaxTasks = 1 << 26;

[[noreturn]] void damaged(std::string_view what) {
  throw Error(ErrorKind::kCorrupt, "a row of the ledger is damaged: " + std::string(what) +
                                       "; restore the state folder from a backup");
}

void put_big_endian(Bytes& out, std::uint64_t number) {
  const std::uint64_t swapped = std::byteswap(number);
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}

std::uint64_t big_endian(BytesView bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::uint64_t zigzag(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

/// Route numbers as gaps, with neighbours told as one run: a thousand routes in a row are 4 bytes.
void put_routes(Bytes& out, const std::vector<std::uint32_t>& routes) {
  put_varint(out, routes.size());
  std::uint64_t expected = 0;
  for (std::size_t at = 0; at < routes.size();) {
    std::size_t end = at + 1;
    while (end < routes.size() && routes[end] == routes[end - 1] + 1) ++end;
    const bool run = end - at > 1;
    put_varint(out, (routes[at] - expected) << 1 | (run ? 1 : 0));
    if (run) put_varint(out, end - at - 2);
    expected = std::uint64_t{routes[end - 1]} + 1;
    at = end;
  }
}

std::vector<std::uint32_t> take_routes(Reader& in) {
  const std::uint64_t count = in.below(kMaxRoutes);
  std::vector<std::uint32_t> routes;
  std::uint64_t expected = 0;
  while (routes.size() < count) {
    const std::uint64_t head = in.varint();
    const std::uint64_t length = (head & 1) == 0 ? 1 : in.below(count) + 2;
    const std::uint64_t first = expected + (head >> 1);
    expected = first + length;
    if (length > count - routes.size() || expected > UINT32_MAX) damaged("route numbers");
    for (std::uint64_t i = first; i < expected; ++i) {
      routes.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return routes;
}

void put_members(Bytes& out, const std::vector<std::uint16_t>& members) {
  put_varint(out, members.size());
  std::uint32_t expected = 0;
  for (const std::uint16_t member : members) {
    put_varint(out, member - expected);
    expected = member + 1u;
  }
}

std::vector<std::uint16_t> take_members(Reader& in) {
  const std::uint64_t count = in.below(kMaxMembers + 1);
  std::vector<std::uint16_t> members;
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t member = expected + in.below(kMaxMembers);
    if (member >= kMaxMembers) damaged("member numbers");
    members.push_back(static_cast<std::uint16_t>(member));
    expected = member + 1;
  }
  return members;
}

/// Routes that have all, as a set; then those that have some, each with its members.
void put_route_members(Bytes& out, const std::vector<RouteMembers>& routes) {
  std::vector<std::uint32_t> whole;
  std::uint64_t partial = 0;
  for (const RouteMembers& route : routes) {
    if (route.members.empty()) {
      whole.push_back(static_cast<std::uint32_t>(route.route));
    } else {
      ++partial;
    }
  }
  put_routes(out, whole);
  put_varint(out, partial);
  for (const RouteMembers& route : routes) {
    if (route.members.empty()) continue;
    put_varint(out, static_cast<std::uint32_t>(route.route));
    put_members(out, route.members);
  }
}

void take_route_members(Reader& in, std::vector<RouteMembers>& out) {
  for (const std::uint32_t route : take_routes(in)) out.push_back({RouteId(route), {}});
  const std::uint64_t partial = in.varint();
  for (std::uint64_t i = 0; i < partial; ++i) {
    const auto route = RouteId(in.below(UINT32_MAX));
    out.push_back({route, take_members(in)});
    if (out.back().members.empty()) damaged("a route without members");
  }
}

}  // namespace

std::uint64_t micros(Time time) {
  const auto count = time.time_since_epoch().count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

Time time_of(std::uint64_t micros) { return Time(Duration(static_cast<std::int64_t>(micros))); }

Bytes number_key(std::uint64_t number) {
  Bytes key;
  put_big_endian(key, number);
  return key;
}

std::uint64_t key_number(BytesView key) {
  if (key.size() != 8) damaged("a key");
  return big_endian(key);
}

Bytes page_key(Lane lane, Position position) {
  Bytes key;
  if (lane == Lane::kLater) put_big_endian(key, position.due_us);
  put_big_endian(key, position.seq);
  return key;
}

Position page_position(Lane lane, BytesView key) {
  if (key.size() != (lane == Lane::kLater ? 16 : 8)) damaged("a page's key");
  const std::uint64_t due = lane == Lane::kLater ? big_endian(key.substr(0, 8)) : 0;
  return {due, big_endian(key.substr(key.size() - 8))};
}

void put_varint(Bytes& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

std::uint64_t Reader::varint() {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t part = byte();
    number |= static_cast<std::uint64_t>(part & 0x7f) << shift;
    if ((part & 0x80) == 0) return number;
  }
  damaged("a number");
}

std::uint64_t Reader::below(std::uint64_t bound) {
  const std::uint64_t number = varint();
  if (number >= bound) damaged("a number out of range");
  return number;
}

std::uint8_t Reader::byte() { return static_cast<std::uint8_t>(bytes(1)[0]); }

BytesView Reader::bytes(std::uint64_t count) {
  if (count > rest_.size()) damaged("cut short");
  const BytesView taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

Bytes encode_payload(const PageDraft& draft) {
  Bytes out;
  out.reserve(draft.bytes + draft.error.size() + draft.bodies.size() * 3 + draft.routes.size() * 2 +
              32);
  put_varint(out, micros(draft.due));
  put_varint(out, static_cast<std::uint64_t>(draft.attempt));
  put_varint(out, draft.error.size());
  out += draft.error;
  put_varint(out, draft.bodies.size());
  std::vector<RouteMembers> routes;
  for (const auto& [id, members] : draft.routes) {
    const bool all = members.size() == draft.bodies.size();
    routes.push_back({id, all ? std::vector<std::uint16_t>() : members});
  }
  put_route_members(out, routes);
  for (const Bytes& body : draft.bodies) put_varint(out, body.size());
  out.append(draft.shards.begin(), draft.shards.end());
  for (const Bytes& body : draft.bodies) out += body;
  return out;
}

PageContent decode_payload(BytesView payload) {
  Reader in(payload);
  PageContent page;
  page.due = time_of(in.below(INT64_MAX));
  page.attempt = static_cast<int>(in.below(INT32_MAX));
  page.error = in.bytes(in.varint());
  const std::uint64_t count = in.below(kMaxMembers);
  take_route_members(in, page.routes);
  std::ranges::sort(page.routes, {}, &RouteMembers::route);
  std::uint64_t tasks = 0;
  for (std::size_t i = 0; i < page.routes.size(); ++i) {
    const RouteMembers& route = page.routes[i];
    tasks += route.members.empty() ? count : route.members.size();
    if (i > 0 && page.routes[i - 1].route == route.route) damaged("a route told twice");
    if (!route.members.empty() && route.members.back() >= count) damaged("member numbers");
  }
  if (tasks > kMaxTasks) damaged("more tasks than a page can have");
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t i = 0; i < count; ++i) lengths.push_back(in.varint());
  page.shards = in.bytes(count);
  for (const std::uint64_t length : lengths) page.bodies.push_back(in.bytes(length));
  if (!in.empty()) damaged("bytes after the end of a page");
  return page;
}

Bytes pack(BytesView payload) {
  Bytes value(1, static_cast<char>(Packing::kLz4));
  put_varint(value, payload.size());
  const std::size_t head = value.size();
  const int bound = LZ4_compressBound(static_cast<int>(payload.size()));
  value.resize(head + static_cast<std::size_t>(bound));
  const int size = LZ4_compress_default(payload.data(), value.data() + head,
                                        static_cast<int>(payload.size()), bound);
  if (size > 0 && head + static_cast<std::size_t>(size) < payload.size()) {
    value.resize(head + static_cast<std::size_t>(size));
    return value;
  }
  value.assign(1, static_cast<char>(Packing::kPlain));
  value += payload;
  return value;
}

Bytes unpack(BytesView value) {
  Reader in(value);
  const std::uint8_t packing = in.byte();
  if (packing == static_cast<std::uint8_t>(Packing::kPlain)) return Bytes(in.rest());
  if (packing != static_cast<std::uint8_t>(Packing::kLz4)) damaged("an unknown packing");
  const std::uint64_t size = in.below(kMaxPayload);
  // LZ4 makes at most 255 bytes of one: a size beyond that is damage, not a reason to allocate.
  if (size > in.rest().size() * 255 + 64) damaged("a page's size");
  Bytes payload(size, '\0');
  const int made = LZ4_decompress_safe(in.rest().data(), payload.data(),
                                       static_cast<int>(in.rest().size()), static_cast<int>(size));
  if (made < 0 || static_cast<std::uint64_t>(made) != size) damaged("a page does not unpack");
  return payload;
}

Bytes encode_delta(const PageDelta& delta) {
  Bytes out;
  put_route_members(out, delta);
  return out;
}

std::vector<RouteMembers> decode_deltas(BytesView row) {
  std::vector<RouteMembers> routes;
  for (Reader in(row); !in.empty();) take_route_members(in, routes);
  return routes;
}

Bytes encode_counts(const CountDeltas& deltas) {
  // Routes that changed alike are told together.
  std::map<std::pair<std::size_t, std::int64_t>, std::vector<std::uint32_t>> alike;
  for (const auto& [route, counts] : deltas) {
    for (std::size_t which = 0; which < kCounts; ++which) {
      if (counts[which] == 0) continue;
      alike[{which, counts[which]}].push_back(static_cast<std::uint32_t>(route));
    }
  }
  Bytes out;
  for (const auto& [change, routes] : alike) {
    out.push_back(static_cast<char>(change.first));
    put_varint(out, zigzag(change.second));
    put_routes(out, routes);
  }
  return out;
}

void add_counts(BytesView row, CountDeltas& sums) {
  for (Reader in(row); !in.empty();) {
    const std::uint64_t which = in.byte();
    if (which >= kCounts) damaged("an unknown counter");
    const std::int64_t change = unzigzag(in.varint());
    for (const std::uint32_t route : take_routes(in)) {
      auto& sum = sums[RouteId(route)][which];
      if (__builtin_add_overflow(sum, change, &sum)) damaged("a counter");
    }
  }
}

Bytes encode_dead(const DeadRow& row) {
  Bytes out;
  put_varint(out, static_cast<std::uint32_t>(row.route));
  put_varint(out, micros(row.at));
  put_varint(out, static_cast<std::uint64_t>(row.attempts));
  out.push_back(static_cast<char>(row.kind));
  out.push_back(static_cast<char>(row.shard));
  put_varint(out, row.error.size());
  out += row.error;
  out += row.body;
  return out;
}

DeadRow decode_dead(BytesView value) {
  Reader in(value);
  DeadRow row;
  row.route = RouteId(in.below(UINT32_MAX));
  row.at = time_of(in.below(INT64_MAX));
  row.attempts = static_cast<int>(in.below(INT32_MAX));
  const std::uint8_t kind = in.byte();
  if (kind > static_cast<std::uint8_t>(ErrorKind::kBug)) damaged("an unknown kind of error");
  row.kind = ErrorKind(kind);
  row.shard = in.byte();
  row.error = in.bytes(in.varint());
  row.body = in.rest();
  return row;
}

}  // namespace headrace::rocks
