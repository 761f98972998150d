#include "ledger/rocksdb/dedupe.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ledger/rocksdb/codec.h"

namespace headrace::rocks {
namespace {

constexpr std::uint32_t kSpans = 8;

std::uint32_t minutes_of(Duration span) {
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::minutes>(span).count());
}

Bytes span_key(std::uint32_t span) {
  return number_key(span).substr(4);  // 32 bits are enough for minutes.
}

/// A span's key and the identity, without asking for memory.
class IdentityKey {
 public:
  IdentityKey(std::uint32_t span, std::uint64_t identity) {
    span = std::byteswap(span);
    identity = std::byteswap(identity);
    std::memcpy(bytes_.data(), &span, sizeof(span));
    std::memcpy(bytes_.data() + sizeof(span), &identity, sizeof(identity));
  }
  BytesView view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, sizeof(std::uint32_t) + sizeof(std::uint64_t)> bytes_;
};

}  // namespace

Dedupe::Dedupe(const Database& database, Duration window, std::size_t filter_bytes)
    : database_(database),
      window_(std::max(1u, minutes_of(window))),
      step_(std::max(1u, (window_ + kSpans - 1) / kSpans)),
      filter_bytes_(filter_bytes) {
  // Which spans there are: one seek for each.
  Bytes from = span_key(0);
  while (true) {
    const Scan rows = database_.scan(Family::kDedupe, from, {});
    if (!rows.valid()) return;
    const auto span =
        static_cast<std::uint32_t>(key_number(Bytes(4, '\0') + Bytes(rows.key().substr(0, 4))));
    spans_.push_back({span, std::nullopt});
    from = span_key(span + 1);
  }
}

void Dedupe::begin(Batch& batch, Time now) {
  const auto minute = static_cast<std::uint32_t>(micros(now) / 60'000'000);
  now_ = minute / step_ * step_;
  // An earlier setting may have made longer spans; step_ of today is close enough to drop them.
  past_ = 0;
  while (past_ < spans_.size() && spans_[past_].start + step_ + window_ <= minute) ++past_;
  if (past_ > 0) {
    batch.remove_range(Family::kDedupe, span_key(spans_[0].start),
                       span_key(spans_[past_ - 1].start + 1));
  }
}

bool Dedupe::has(std::uint64_t identity) const {
  if (fresh_.contains(identity)) return true;
  // The newest first: most repeats come soon.
  for (std::size_t i = spans_.size(); i > past_; --i) {
    const Span& span = spans_[i - 1];
    if (span.filter && !span.filter->may_contain(identity)) continue;
    if (database_.get(Family::kDedupe, IdentityKey(span.start, identity).view())) return true;
  }
  return false;
}

Dedupe::Span& Dedupe::current() {
  if (!spans_.empty() && spans_.back().start == now_) return spans_.back();
  const auto at = std::ranges::lower_bound(spans_, now_, {}, &Span::start);
  if (at != spans_.end() && at->start == now_) return *at;
  return *spans_.insert(at, {now_, IdentityFilter()});
}

void Dedupe::make_room(std::size_t bytes) {
  for (const Span& span : spans_) bytes += span.filter ? span.filter->bytes() : 0;
  for (auto span = spans_.begin(); span != spans_.end() && bytes > filter_bytes_; ++span) {
    if (!span->filter) continue;
    bytes -= span->filter->bytes();
    span->filter.reset();
  }
}

void Dedupe::add(std::uint64_t identity, Batch& batch) {
  fresh_.insert(identity);
  Span& span = current();
  if (span.filter && span.filter->growth() > 0) make_room(span.filter->growth());
  if (span.filter) span.filter->add(identity);
  batch.put(Family::kDedupe, IdentityKey(span.start, identity).view(), {});
}

void Dedupe::committed() {
  spans_.erase(spans_.begin(), spans_.begin() + static_cast<std::ptrdiff_t>(past_));
  failed();
}

void Dedupe::failed() {
  // What a failed commit put into a filter only costs a look-up.
  fresh_.clear();
  past_ = 0;
}

}  // namespace headrace::rocks
