#include "step/row_piles.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "step/temp_file.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

std::string take(RowPiles& piles, std::size_t pile) {
  std::string all;
  for (Bytes piece = piles.next(pile); !piece.empty(); piece = piles.next(pile)) all += piece;
  return all;
}

TEST(RowPiles, KeepTheirRecordsInOrderWithOrWithoutAFile) {
  for (const std::uint64_t memory :
       {std::uint64_t{100}, std::uint64_t{5'000}, std::uint64_t{1} << 30}) {
    TempFolder folder;
    RowPiles piles(folder / "rows", {.memory_bytes = memory, .piles = 10});
    std::vector<std::string> expected(10);
    for (int i = 0; i < 3'000; ++i) {
      // One pile gets half of all.
      const std::size_t number = i % 2 == 0 ? 0 : static_cast<std::size_t>(i) % 10;
      const auto pile = piles.find("pile " + std::to_string(number));
      ASSERT_TRUE(pile);
      piles.add(*pile, std::to_string(i), "\n");
      expected[number] += std::to_string(i) + "\n";
    }
    EXPECT_EQ(std::filesystem::exists(folder / "rows"), memory < 1ull << 30);
    for (std::size_t i = 0; i < piles.size(); ++i) {
      const auto number = static_cast<std::size_t>(piles.name(i).back() - '0');
      EXPECT_EQ(take(piles, i), expected[number]);
      EXPECT_EQ(take(piles, i), "");
    }
  }
}

TEST(RowPiles, RecordsAreNeverCutByAPiece) {
  TempFolder folder;
  RowPiles piles(folder / "rows", {.memory_bytes = 64, .piles = 2});
  for (int i = 0; i < 100; ++i) piles.add(*piles.find(i % 3 == 0 ? "a" : "b"), "0123456789", "\n");
  for (std::size_t i = 0; i < piles.size(); ++i) {
    for (Bytes piece = piles.next(i); !piece.empty(); piece = piles.next(i)) {
      EXPECT_EQ(piece.size() % 11, 0u);
    }
  }
}

/// Such a piece unpacks to far more than a stranger's bytes may.
TEST(RowPiles, VeryRegularRecordsComeBackToo) {
  TempFolder folder;
  RowPiles piles(folder / "rows", {.memory_bytes = 70u << 20, .piles = 1});
  const std::string record(1u << 20, 'x');
  for (int i = 0; i < 71; ++i) piles.add(*piles.find("a"), record, "\n");
  EXPECT_EQ(take(piles, 0).size(), 71u * ((1u << 20) + 1));
}

TEST(RowPiles, AreNoMoreThanAllowed) {
  TempFolder folder;
  RowPiles piles(folder / "rows", {.memory_bytes = 100, .piles = 2});
  EXPECT_EQ(piles.find("a"), 0u);
  EXPECT_EQ(piles.find("b"), 1u);
  EXPECT_EQ(piles.find("c"), std::nullopt);
  EXPECT_EQ(piles.find("a"), 0u);
}

TEST(RowPiles, LeaveNoFileBehind) {
  TempFolder folder;
  {
    RowPiles piles(folder / "deep/rows", {.memory_bytes = 1, .piles = 2});
    piles.add(*piles.find("a"), "row", "\n");
    EXPECT_TRUE(std::filesystem::exists(folder / "deep/rows"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/rows"));
}

TEST(TempFile, LeftoversGoByTheirNames) {
  TempFolder folder;
  folder.write("a.rows", "");
  folder.write("sql-1-spill/x", "");
  folder.write("b.objects", "");
  remove_leftovers(folder.path(), "", ".rows");
  remove_leftovers(folder.path(), "sql-", "");
  remove_leftovers(folder / "none", "", "");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.rows"));
  EXPECT_FALSE(std::filesystem::exists(folder / "sql-1-spill"));
  EXPECT_TRUE(std::filesystem::exists(folder / "b.objects"));
}

TEST(TempFile, OutlivesItselfOnlyIfKept) {
  TempFolder folder;
  const auto path = folder / "file";
  {
    TempFile file(path);
    EXPECT_EQ(file.append("one"), 0u);
    EXPECT_EQ(file.append("two"), 3u);
    EXPECT_EQ(file.read(2, 3), "etw");
    file.keep();
  }
  EXPECT_EQ(read_file_part(path, 3, 3), "two");
  EXPECT_THROW(TempFile{path}, Error);
  try {
    read_file_part(path, 3, 4);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace headrace
