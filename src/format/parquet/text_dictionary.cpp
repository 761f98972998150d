#include "format/parquet/text_dictionary.h"

#include <cstring>
#include <utility>

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kTrial = 1'024;
constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kMostProbes = 64;

template <class Word>
std::uint64_t load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product =
      static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD1B54A32D192ED03u);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A hash for this table alone: never kept, so it may be quick rather than stable.
std::uint32_t hash_of(BytesView text) {
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = left;
  if (left >= 8) {
    for (; left > 16; left -= 8, at += 8) hash = mix(hash, load<std::uint64_t>(at));
    hash = mix(hash ^ load<std::uint64_t>(at), load<std::uint64_t>(at + left - 8));
  } else if (left >= 4) {
    hash = mix(hash ^ load<std::uint32_t>(at), load<std::uint32_t>(at + left - 4));
  } else if (left > 0) {
    const auto byte = [&](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(at[i])};
    };
    hash = mix(hash, byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16);
  }
  return static_cast<std::uint32_t>(hash);
}

/// Are the first `size` bytes the same? Most texts are too short for a call of memcmp to pay.
bool same_bytes(const char* a, const char* b, std::size_t size) {
  if (size > 32) return std::memcmp(a, b, size) == 0;
  std::uint64_t differences = 0;
  const auto compare = [&]<class Word>(std::size_t at, Word) {
    differences |= load<Word>(a + at) ^ load<Word>(b + at);
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) compare(at, std::uint64_t{});
    compare(size - 8, std::uint64_t{});
  } else if (size >= 4) {
    compare(0, std::uint32_t{});
    compare(size - 4, std::uint32_t{});
  } else {
    for (std::size_t at = 0; at < size; ++at) compare(at, std::uint8_t{});
  }
  return differences == 0;
}

}  // namespace

BytesView TextDictionary::at(std::uint32_t index) const {
  const char* entry = bytes_.data() + starts_[index];
  return {entry + sizeof(std::uint32_t), load<std::uint32_t>(entry)};
}

std::uint32_t TextDictionary::index_of(BytesView text) {
  if (slots_.empty()) slots_.resize(kFirstSlots);
  ++asked_;
  const std::uint32_t hash = hash_of(text);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t probe = 0; probe < kMostProbes; ++probe) {
    Slot& slot = slots_[(hash + probe) & mask];
    if (slot.index == kNoPlace) {
      const std::uint32_t index = add(text);
      if (index == kNoPlace) return kNoPlace;
      slot = {hash, index};
      if (size() * 2 > slots_.size()) grow();
      return index;
    }
    if (slot.hash != hash) continue;
    const BytesView known = at(slot.index);
    if (known.size() == text.size() && same_bytes(known.data(), text.data(), text.size())) {
      return slot.index;
    }
  }
  return kNoPlace;
}

std::uint32_t TextDictionary::add(BytesView text) {
  if (bytes_.size() + text.size() > kMostBytes) return kNoPlace;
  if (size() >= kTrial && size() * 3 > asked_ * 2) return kNoPlace;
  starts_.push(static_cast<std::uint32_t>(bytes_.size()));
  bytes_.push_as(static_cast<std::uint32_t>(text.size()));
  bytes_.append(text.data(), text.size());
  return static_cast<std::uint32_t>(size() - 1);
}

void TextDictionary::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.index == kNoPlace) continue;
    std::size_t place = slot.hash & mask;
    while (larger[place].index != kNoPlace) place = (place + 1) & mask;
    larger[place] = slot;
  }
  slots_ = std::move(larger);
}

void TextDictionary::clear() {
  bytes_.clear();
  starts_.clear();
  slots_.assign(slots_.size(), Slot{});
  asked_ = 0;
}

}  // namespace headrace::parquet_file
