#include "format/parquet/encoding.h"

#include <gmock/gmock.h>
#include <parquet/encoding.h>

#include <limits>
#include <vector>

#include "core/random.h"
#include "format/parquet/text_dictionary.h"

namespace headrace::parquet_file {
namespace {

using testing::ElementsAre;

std::uint64_t take_varint(BytesView& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(0));
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
}

/// Runs and packed groups, undone bit by bit as Parquet's specification tells it.
std::vector<std::uint32_t> decoded_runs(BytesView bytes, int bits, std::size_t count) {
  std::vector<std::uint32_t> values;
  const auto width = static_cast<std::size_t>(bits);
  const auto bit = [&](std::size_t i) {
    return (static_cast<unsigned char>(bytes.at(i / 8)) >> (i % 8)) & 1u;
  };
  while (!bytes.empty()) {
    const std::uint64_t header = take_varint(bytes);
    const bool packed = (header & 1) != 0;
    const std::size_t here = (header >> 1) * (packed ? 8 : 1);
    for (std::size_t i = 0; i < here; ++i) {
      std::uint32_t value = 0;
      for (std::size_t k = 0; k < width; ++k) value |= bit((packed ? i * width : 0) + k) << k;
      values.push_back(value);
    }
    bytes.remove_prefix(packed ? here / 8 * width : (width + 7) / 8);
  }
  EXPECT_GE(values.size(), count);
  EXPECT_LT(values.size(), count + 8);
  values.resize(count);
  return values;
}

/// Numbers of so many bits in stretches of all lengths, alike and unlike.
template <class T>
std::vector<T> stretches(SeededRandom& random, int bits, std::size_t count) {
  const std::uint64_t limit = std::uint64_t{1} << bits;
  std::vector<T> values;
  while (values.size() < count) {
    const bool alike = random.below(2) == 0;
    auto value = static_cast<T>(random.below(limit));
    for (std::uint64_t left = 1 + random.below(40); left > 0; --left) {
      if (!alike) value = static_cast<T>(random.below(limit));
      values.push_back(value);
    }
  }
  values.resize(count);
  return values;
}

TEST(Runs, ReadBackForEveryWidthAndLength) {
  SeededRandom random(1);
  for (int bits = 0; bits <= 21; ++bits) {
    for (std::size_t count = 0; count < 70; ++count) {
      const auto values = stretches<std::uint32_t>(random, bits, count);
      std::string bytes;
      append_runs(bytes, std::span<const std::uint32_t>(values), bits);
      ASSERT_EQ(decoded_runs(bytes, bits, count), values) << bits << " bits, " << count;
    }
    const auto many = stretches<std::uint32_t>(random, bits, 5'000);
    std::string bytes;
    append_runs(bytes, std::span<const std::uint32_t>(many), bits);
    ASSERT_EQ(decoded_runs(bytes, bits, many.size()), many) << bits << " bits";
  }
}

TEST(Runs, OfLevelsHaveTheirLengthBeforeThem) {
  SeededRandom random(2);
  for (int bits = 1; bits <= 7; ++bits) {
    const auto levels = stretches<std::uint8_t>(random, bits, 3'000);
    std::string bytes = "x";
    append_levels(bytes, levels, bits);
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + 1, sizeof length);
    ASSERT_EQ(bytes.size(), 1 + sizeof length + length);
    const std::vector<std::uint32_t> wide(levels.begin(), levels.end());
    ASSERT_EQ(decoded_runs(BytesView(bytes).substr(5), bits, levels.size()), wide);
  }
}

template <class Type, class T>
void expect_deltas(const std::vector<T>& values) {
  std::string bytes;
  append_deltas(bytes, std::span<const T>(values));
  const auto decoder = parquet::MakeTypedDecoder<Type>(parquet::Encoding::DELTA_BINARY_PACKED);
  decoder->SetData(static_cast<int>(values.size()),
                   reinterpret_cast<const std::uint8_t*>(bytes.data()),
                   static_cast<int>(bytes.size()));
  std::vector<T> found(values.size());
  ASSERT_EQ(decoder->Decode(found.data(), static_cast<int>(found.size())),
            static_cast<int>(values.size()));
  ASSERT_EQ(found, values);
}

template <class Type, class T>
void expect_all_deltas(std::uint64_t seed) {
  using Limits = std::numeric_limits<T>;
  SeededRandom random(seed);
  expect_deltas<Type, T>({});
  expect_deltas<Type, T>({7});
  expect_deltas<Type, T>({Limits::min(), Limits::max(), Limits::min(), 0, Limits::max(), -1});
  for (int bits = 0; bits <= Limits::digits; ++bits) {
    for (const std::size_t count : {2u, 31u, 33u, 128u, 129u, 130u, 161u, 1'000u}) {
      std::vector<T> values;
      for (std::size_t i = 0; i < count; ++i) {
        const auto any = random.next() >> (64 - Limits::digits - 1);
        values.push_back(static_cast<T>(static_cast<T>(any) >> (Limits::digits - bits)));
      }
      expect_deltas<Type, T>(values);
      std::ranges::sort(values);
      expect_deltas<Type, T>(values);
    }
  }
}

TEST(Deltas, AreReadByLibparquetForEveryWidthAndLength) {
  expect_all_deltas<parquet::Int32Type, std::int32_t>(3);
  expect_all_deltas<parquet::Int64Type, std::int64_t>(4);
}

TEST(Booleans, TakeABitEachFromTheLowestOn) {
  std::string bytes;
  const std::vector<std::uint8_t> values = {1, 0, 1, 1, 0, 0, 0, 0, 0, 1};
  append_booleans(bytes, values);
  EXPECT_THAT(bytes, ElementsAre('\x0D', '\x02'));
}

TEST(TextDictionary, GivesEveryTextOneIndexHoweverLongItIs) {
  TextDictionary dictionary;
  SeededRandom random(5);
  std::vector<std::string> texts;
  for (std::size_t length = 0; length < 80; ++length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(random.below(256));
    texts.push_back(text);
    // Texts that differ in one byte only, wherever it is.
    for (std::size_t i = 0; i < length; ++i) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ 1);
      texts.push_back(other);
    }
  }
  for (int again = 0; again < 3; ++again) {
    for (std::size_t i = 0; i < 900; ++i) {
      ASSERT_EQ(dictionary.index_of(texts[i]), i);
      ASSERT_EQ(dictionary.at(static_cast<std::uint32_t>(i)), texts[i]);
    }
  }
  std::string encoded;
  for (std::size_t i = 0; i < 900; ++i) {
    const auto length = static_cast<std::uint32_t>(texts[i].size());
    encoded.append(reinterpret_cast<const char*>(&length), sizeof length);
    encoded += texts[i];
  }
  EXPECT_EQ(dictionary.encoded(), encoded);
  dictionary.clear();
  EXPECT_EQ(dictionary.index_of("after"), 0u);
}

TEST(TextDictionary, GivesUpWhenTextsHardlyRepeat) {
  TextDictionary dictionary;
  for (int i = 0; i < 1'024; ++i) {
    ASSERT_EQ(dictionary.index_of(std::to_string(i)), static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(dictionary.index_of("one more"), TextDictionary::kNoPlace);
}

TEST(TextDictionary, GivesUpAtAMebibyte) {
  TextDictionary dictionary;
  const std::string large(1u << 19, 'x');
  EXPECT_EQ(dictionary.index_of(large + "a"), 0u);
  EXPECT_EQ(dictionary.index_of(large + "b"), TextDictionary::kNoPlace);
  EXPECT_EQ(dictionary.index_of("small"), 1u);
}

}  // namespace
}  // namespace headrace::parquet_file
