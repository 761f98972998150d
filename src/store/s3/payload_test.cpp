#include "store/s3/payload.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"
#include "store/s3/checksum.h"
#include "testing/run_task.h"

namespace headrace::s3 {
namespace {

Bytes joined(const Payload& payload) {
  Bytes all;
  for (const Bytes& piece : payload.pieces()) all += piece;
  return all;
}

Bytes random_bytes(std::size_t size) {
  SeededRandom random(5);
  Bytes bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

TEST(Payload, HoldsAndSumsWhatWasAdded) {
  const Bytes bytes = random_bytes(10'000);
  Payload payload(true);
  for (std::size_t at = 0; at < bytes.size(); at += 999) payload.add(bytes.substr(at, 999));
  payload.add({});
  EXPECT_EQ(payload.size(), bytes.size());
  EXPECT_TRUE(joined(payload) == bytes);
  EXPECT_EQ(payload.crc32(), crc32(bytes));
}

/// However small the pieces, and however much room they bring along.
TEST(Payload, TakesAtMostTwiceItsSize) {
  for (const std::size_t size : {1u, 100u, 70'000u}) {
    for (const std::size_t room : {size, std::size_t{256} << 10}) {
      Payload payload;
      std::size_t added = 0;
      for (; added < std::min<std::size_t>(2 << 20, 3000 * size); added += size) {
        Bytes piece(size, 'x');
        piece.reserve(room);
        payload.add(std::move(piece));
      }
      std::size_t taken = 0;
      for (const Bytes& piece : payload.pieces()) taken += piece.capacity() + sizeof(Bytes);
      EXPECT_EQ(payload.size(), added);
      EXPECT_LE(taken, 2 * added + (std::size_t{256} << 10)) << size << " in " << room;
    }
  }
}

/// Parts are of one size whatever the pieces: some stores refuse others.
TEST(PartReader, CutsABodyIntoPartsOfOneSize) {
  const Bytes bytes = random_bytes(1000);
  for (const std::size_t piece : {1u, 7u, 100u, 250u, 999u, 1000u}) {
    for (const std::size_t size : {1u, 100u, 333u, 500u, 1000u, 1001u}) {
      run_task([&]() -> Task<> {
        const auto body = source_of(bytes, piece);
        PartReader parts(*body, size, true);
        for (std::size_t at = 0; at < bytes.size(); at += size) {
          const Payload part = co_await parts.next();
          EXPECT_TRUE(joined(part) == bytes.substr(at, size)) << piece << " into " << size;
          EXPECT_EQ(part.crc32(), crc32(bytes.substr(at, size)));
        }
        EXPECT_EQ((co_await parts.next()).size(), 0u);
        EXPECT_EQ((co_await parts.next()).size(), 0u);
      }());
    }
  }
}

}  // namespace
}  // namespace headrace::s3
