#include "ledger/rocksdb/dedupe.h"

#include <algorithm>

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

}  // namespace

Dedupe::Dedupe(const Database& database, Duration window)
    : database_(database),
      window_(std::max(1u, minutes_of(window))),
      step_(std::max(1u, (window_ + kSpans - 1) / kSpans)) {
  // Which spans there are: one seek for each.
  Bytes from = span_key(0);
  while (true) {
    const Scan rows = database_.scan(Family::kDedupe, from, {});
    if (!rows.valid()) return;
    const auto span =
        static_cast<std::uint32_t>(key_number(Bytes(4, '\0') + Bytes(rows.key().substr(0, 4))));
    spans_.push_back(span);
    from = span_key(span + 1);
  }
}

Bytes Dedupe::key(std::uint32_t span, std::uint64_t identity) const {
  return span_key(span) + number_key(identity);
}

void Dedupe::begin(Batch& batch, Time now) {
  const auto minute = static_cast<std::uint32_t>(micros(now) / 60'000'000);
  current_ = minute / step_ * step_;
  // An earlier setting may have made longer spans; step_ of today is close enough to drop them.
  past_ = 0;
  while (past_ < spans_.size() && spans_[past_] + step_ + window_ <= minute) ++past_;
  if (past_ > 0) {
    batch.remove_range(Family::kDedupe, span_key(spans_[0]), span_key(spans_[past_ - 1] + 1));
  }
}

bool Dedupe::seen(std::uint64_t identity, Batch& batch) {
  if (fresh_.contains(identity)) return true;
  // The newest first: most repeats come soon.
  for (std::size_t i = spans_.size(); i > past_; --i) {
    if (database_.get(Family::kDedupe, key(spans_[i - 1], identity))) return true;
  }
  add(identity, batch);
  return false;
}

void Dedupe::add(std::uint64_t identity, Batch& batch) {
  fresh_.insert(identity);
  if (!std::ranges::binary_search(spans_, current_)) {
    spans_.insert(std::ranges::upper_bound(spans_, current_), current_);
  }
  batch.put(Family::kDedupe, key(current_, identity), {});
}

void Dedupe::committed() {
  spans_.erase(spans_.begin(), spans_.begin() + static_cast<std::ptrdiff_t>(past_));
  fresh_.clear();
  past_ = 0;
}

void Dedupe::failed() {
  fresh_.clear();
  past_ = 0;
}

}  // namespace headrace::rocks
