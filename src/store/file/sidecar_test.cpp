#include "store/file/sidecar.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "store/file_layout.h"

namespace headrace::file {
namespace {

const ObjectKey kKey{"bucket", "a b/\xc3\xa9"};

TEST(Sidecar, ReadsBackWhatWasWritten) {
  const Sidecar sidecar{{{"name", "value"}, {"empty", ""}, {"odd", " %\n\t\xff\x01"}},
                        {{"", "no name"}, {"two words", "x y"}}};
  const std::string text = encode_sidecar(kKey, sidecar);
  const Sidecar back = decode_sidecar(kKey, text);
  EXPECT_EQ(back.metadata, sidecar.metadata);
  EXPECT_EQ(back.tags, sidecar.tags);
  EXPECT_EQ(owner_of_sidecar(text), kKey);
}

TEST(Sidecar, IsTextForPeople) {
  const ObjectKey key{"lake", "a b.json"};
  EXPECT_EQ(encode_sidecar(key, {{{"headrace-by", "load"}}, {{"processed", "100%"}}}),
            "headrace-sidecar 1\n"
            "object lake a%20b.json\n"
            "metadata headrace-by load\n"
            "tag processed 100%25\n");
}

TEST(Sidecar, RefusesBrokenText) {
  const std::string good = encode_sidecar(kKey, {{{"name", "value"}}, {}});
  for (const std::string& text :
       {std::string(), std::string("headrace-sidecar 2\n"), good.substr(0, good.size() - 1),
        good + "other a b\n", good + "tag a\n", good + "tag a %4\n", good + "tag a %zz\n",
        encode_sidecar(ObjectKey{"bucket", "other"}, {})}) {
    try {
      decode_sidecar(kKey, text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << text;
    }
  }
}

TEST(FileLayout, RefusesKeysThatNoFileCanHave) {
  for (const char* path : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "./a",
                           ".headrace", "a/.headrace/b", ".headrace-tmp-1", "\xff", "a/\xc3"}) {
    EXPECT_TRUE(fault_in_key(ObjectKey{"bucket", path})) << path;
  }
  EXPECT_TRUE(fault_in_key(ObjectKey{"bucket", std::string("a\0b", 3)}));
  EXPECT_TRUE(fault_in_key(ObjectKey{"bucket", std::string(256, 'x')}));
  EXPECT_TRUE(
      fault_in_key(ObjectKey{"bucket", std::string(200, 'x') + "/" + std::string(825, 'y')}));
  for (const char* bucket : {"", ".", "..", ".headrace", "a/b"}) {
    EXPECT_TRUE(fault_in_key(ObjectKey{bucket, "key"})) << bucket;
  }
}

TEST(FileLayout, TakesEverythingElse) {
  for (const char* path : {"a", "a/b/c", ".hidden", "...", "a b", "\xc3\xa9", "a\nb", "-rf", "*?",
                           "headrace", "_delta_log/00000000000000000000.json"}) {
    EXPECT_EQ(fault_in_key(ObjectKey{"bucket", path}), std::nullopt) << path;
  }
  EXPECT_EQ(fault_in_key(ObjectKey{"bucket", std::string(255, 'x')}), std::nullopt);
}

}  // namespace
}  // namespace headrace::file
