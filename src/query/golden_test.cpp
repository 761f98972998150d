#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "query/test_lake.h"

// Delta tables made by other writers, with the rows that a reader must see. They lie beside the
// project, in ../shared/data, and are not part of it.

namespace headrace {
namespace {

std::filesystem::path golden_folder() {
  std::filesystem::path folder = std::filesystem::path(__FILE__);
  if (folder.is_relative()) folder = std::filesystem::current_path() / folder;
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    const auto golden = folder / "../shared/data/delta/golden";
    if (std::filesystem::exists(golden)) return golden;
  }
  return {};
}

std::vector<std::string> golden_tables() {
  std::vector<std::string> names;
  const auto folder = golden_folder();
  if (folder.empty()) return {"none"};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".tar.zst")) names.push_back(name.substr(0, name.size() - 8));
  }
  std::ranges::sort(names);
  return names;
}

/// Of the tables that come without rows: those whose log names one file twice, which leaves it
/// removed, and a folder without a log, which is files to us. No reader may accept the others.
bool is_readable(const std::string& name) {
  return name.starts_with("canonicalized-paths") || name == "no-delta-log-folder";
}

class GoldenTable : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTable, GivesTheRowsThatAreExpected) {
  const auto archive = golden_folder() / (GetParam() + ".tar.zst");
  if (!std::filesystem::exists(archive)) GTEST_SKIP() << "no shared data";
  TestLake lake;
  const std::string unpack =
      fmt::format("tar --zstd -xf '{}' -C '{}'", archive.string(), lake.root().string());
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  const auto table = lake.root() / GetParam();
  const std::string ours = fmt::format("file://{}/delta", table.string());
  if (!std::filesystem::exists(table / "expected")) {
    if (is_readable(GetParam())) {
      EXPECT_NO_THROW(lake.lines("SELECT * FROM '" + ours + "'"));
    } else {
      lake.error("SELECT * FROM '" + ours + "'");
    }
    return;
  }
  const std::string expected =
      fmt::format("read_parquet('{}/expected/**/*.parquet')", table.string());
  std::vector<std::string> rows = lake.lines("SELECT * FROM '" + ours + "'");
  auto wanted = lake.lines("SELECT * FROM " + expected);
  std::ranges::sort(rows);
  std::ranges::sort(wanted);
  EXPECT_EQ(rows, wanted);
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenTable, testing::ValuesIn(golden_tables()),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace headrace
