#include "store/stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

std::string text_of(const StoreUrl& url) {
  return url.store + " | " + url.object.bucket + " | " + url.object.path;
}

std::string failure_of(std::string_view text) {
  try {
    return "no failure: " + text_of(parse_store_url(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    return error.what();
  }
}

TEST(StoreUrl, IsTakenApart) {
  EXPECT_EQ(text_of(parse_store_url("lake://bucket/a/b.json")), "lake | bucket | a/b.json");
  EXPECT_EQ(text_of(parse_store_url("lake://bucket")), "lake | bucket | ");
  EXPECT_EQ(text_of(parse_store_url("lake://bucket/")), "lake | bucket | ");
  EXPECT_EQ(text_of(parse_store_url("s3://bucket/folder/")), "s3 | bucket | folder/");
  EXPECT_EQ(text_of(parse_store_url("s3://b//a?b#c%20d e")), "s3 | b | /a?b#c%20d e");
  EXPECT_EQ(text_of(parse_store_url("file:///home/me/a.json")), "file | home | me/a.json");
}

TEST(StoreUrl, SaysWhatIsWrong) {
  for (const char* text : {"", "bucket/key", "://bucket", "a b://bucket/key", "lake:/bucket"}) {
    EXPECT_THAT(failure_of(text), testing::HasSubstr("<store>://bucket/key")) << text;
  }
  for (const char* text : {"lake://", "lake:///key", "file:///"}) {
    EXPECT_THAT(failure_of(text), testing::HasSubstr("names no bucket")) << text;
  }
  EXPECT_THAT(failure_of("file://a/b"), testing::HasSubstr("file:///folder/file"));
}

TEST(StoreUrl, OfAPathResolvesLinksAndDots) {
  const TempFolder folder;
  folder.write("real/file.json", "x");
  std::filesystem::create_directory_symlink(folder / "real", folder / "link");
  const std::string expected = "file://" + folder.path() + "/real/file.json";
  const auto url_text = [](const StoreUrl& url) { return "file:///" + url.object.text(); };
  EXPECT_EQ(url_text(plain_file_url(folder / "link/file.json")), expected);
  EXPECT_EQ(url_text(plain_file_url(folder / "real/./x/../file.json")), expected);
  EXPECT_EQ(url_text(plain_file_url(folder / "link/")), "file://" + folder.path() + "/real/");
  EXPECT_EQ(url_text(plain_file_url(folder / "not/there")),
            "file://" + folder.path() + "/not/there");
  EXPECT_THROW(plain_file_url("/file"), Error);
  EXPECT_THROW(plain_file_url("/"), Error);
}

TEST(Stores, AreFoundByName) {
  ManualClock clock;
  Stores stores;
  stores.add("lake", make_memory_store(clock));
  stores.add("archive", make_memory_store(clock));
  EXPECT_TRUE(stores.contains("lake"));
  EXPECT_NE(&stores.at("lake"), &stores.at("archive"));
  EXPECT_THAT(stores.names(), testing::ElementsAre("archive", "lake"));
  EXPECT_THROW(stores.add("lake", make_memory_store(clock)), Error);
  try {
    stores.at("laek");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "there is no store \"laek\"; there are: archive, lake");
  }
}

}  // namespace
}  // namespace headrace
