// What S3 has beyond a Store, on a real server (testing/s3_server.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "net/http_client.h"
#include "store/s3/s3_store.h"
#include "testing/run_task.h"
#include "testing/s3_server.h"

namespace headrace::s3 {
namespace {

constexpr std::size_t kPart = 5u << 20;

Bytes some_bytes(std::size_t size, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  Bytes bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) bytes[i] = static_cast<char>(random.next());
  return bytes;
}

class S3ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (server_variable("_ENDPOINT").empty()) GTEST_SKIP() << kNoServer;
    stanza_ = server_stanza(server_variable("_ENDPOINT"));
    store_ = make();
    empty_server(*store_);
    run_task(store_->create_bucket("bucket"));
  }

  std::unique_ptr<S3Store> make() {
    return make_s3_store(stanza_, "s3", "us-east-1", loop_.executor(), real_clock(), real_random());
  }

  HttpAnswer fetch_plain(HttpRequest request) {
    return run_task([](LoopThread& loop, HttpRequest r) -> Task<HttpAnswer> {
      HttpClient client(loop.executor(), real_clock());
      co_return co_await fetch(client, std::move(r), 1u << 30);
    }(loop_, std::move(request)));
  }

  std::size_t unfinished_uploads() {
    const auto answer = run_task(store_->call({.bucket = "bucket", .query = {{"uploads", ""}}}));
    return parse_uploads(answer.body).size();
  }

  bool is(const char* server) const { return server_variable("") == server; }

  LoopThread loop_;
  S3StoreStanza stanza_;
  std::unique_ptr<S3Store> store_;
  const ObjectKey key_{"bucket", "folder/large + object"};
};

/// Gives `pieces` MiB and then fails.
class BreakingSource final : public ByteSource {
 public:
  explicit BreakingSource(int pieces) : left_(pieces) {}
  Task<Bytes> read() override {
    if (left_-- <= 0) throw Error(ErrorKind::kCorrupt, "the source broke");
    co_return Bytes(1u << 20, 'x');
  }

 private:
  int left_;
};

TEST_F(S3ServerTest, LargeObjectsGoUpInPartsAndComeDownWhole) {
  for (const std::size_t size : {kPart, kPart + 1, 4 * kPart, 4 * kPart + 12345}) {
    const Bytes bytes = some_bytes(size);
    PutOptions options{.metadata = {{"color", "blue"}}, .tags = {{"a", "1"}}};
    const auto etag = run_task(store_->put(key_, bytes, options));
    ASSERT_TRUE(etag);
    EXPECT_EQ(etag->value.find('-') != std::string::npos, size > kPart) << size;
    EXPECT_TRUE(run_task(read_object(*store_, key_, size)) == bytes) << size;
    EXPECT_EQ(run_task(store_->head(key_))->metadata, options.metadata);
    EXPECT_EQ(run_task(store_->tags(key_)), options.tags);
  }
  EXPECT_EQ(unfinished_uploads(), 0u);
}

TEST_F(S3ServerTest, ABrokenUploadLeavesNothingBehind) {
  run_task(store_->put(key_, "old"));
  BreakingSource body(17);
  EXPECT_THROW(run_task(store_->put_stream(key_, body, {})), Error);
  EXPECT_EQ(run_task(read_object(*store_, key_, 10)), "old");
  EXPECT_EQ(unfinished_uploads(), 0u);
}

TEST_F(S3ServerTest, ConditionsOnLargeObjectsHoldOrAreRefused) {
  const Bytes bytes = some_bytes(kPart + 1);
  const ConditionSupport can = run_task(store_->conditions("bucket"));
  if (!can.parts_if_absent) {
    EXPECT_THROW(run_task(store_->put_if_absent(key_, bytes)), Error);
    return;
  }
  const auto first = run_task(store_->put_if_absent(key_, bytes));
  ASSERT_TRUE(first);
  EXPECT_EQ(run_task(store_->put_if_absent(key_, some_bytes(kPart + 1, 2))), std::nullopt);
  if (can.parts_if_match) {
    EXPECT_EQ(run_task(store_->put_if_match(key_, bytes, Etag{"none"})), std::nullopt);
    EXPECT_TRUE(run_task(store_->put_if_match(key_, bytes, *first)));
  }
  EXPECT_TRUE(run_task(read_object(*store_, key_, kPart + 1)) == bytes);
  EXPECT_EQ(unfinished_uploads(), 0u);
}

TEST_F(S3ServerTest, LargeObjectsAreCopiedInParts) {
  S3StoreConfig config;
  config.endpoint = stanza_.endpoint;
  config.region = stanza_.region;
  config.largest_single_copy = kPart;
  config.copy_part_size = kPart;
  auto client = std::make_unique<HttpClient>(loop_.executor(), real_clock());
  auto credentials = make_credentials(stanza_.credentials, *client, real_clock());
  const auto store = make_s3_store(config, loop_.executor(), real_clock(), real_random(),
                                   std::move(client), std::move(credentials));
  const Bytes bytes = some_bytes(2 * kPart + 100);
  run_task(store_->put(key_, bytes, {.metadata = {{"color", "blue"}}, .tags = {{"a", "1"}}}));
  const ObjectKey copy{"bucket", "copy of it"};
  ASSERT_TRUE(run_task(store->copy(key_, copy, {.metadata = {{"by", "us"}}, .tags = {}})));
  EXPECT_TRUE(run_task(read_object(*store, copy, bytes.size())) == bytes);
  EXPECT_EQ(run_task(store->head(copy))->metadata, (Metadata{{"by", "us"}, {"color", "blue"}}));
  EXPECT_EQ(run_task(store->tags(copy)), (Tags{{"a", "1"}}));
}

TEST_F(S3ServerTest, PresignedUrlsWorkWithoutCredentials) {
  HttpRequest put{.method = "PUT",
                  .url = run_task(store_->presign("PUT", key_, std::chrono::minutes(5))),
                  .headers = {},
                  .body = {}};
  put.body.bytes = "by hand";
  EXPECT_EQ(fetch_plain(std::move(put)).status, 200);
  HttpRequest get{.method = "GET",
                  .url = run_task(store_->presign("GET", key_, std::chrono::minutes(5))),
                  .headers = {},
                  .body = {}};
  EXPECT_EQ(fetch_plain(get).body, "by hand");
  if (is("moto")) return;  // Takes any signature.
  get.url.query.back() = get.url.query.back() == '0' ? '1' : '0';
  EXPECT_EQ(fetch_plain(std::move(get)).status, 403);
}

TEST_F(S3ServerTest, APresignedPostTakesWhatItsPolicyAllows) {
  PostPolicy policy;
  policy.key = {"bucket", "in/${filename}"};
  policy.most_bytes = 10;
  const PostGrant grant = run_task(store_->presign_post(policy));
  const auto post = [&](const std::string& content) {
    std::string form;
    for (const auto& [name, value] : grant.fields) {
      form += "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
              "\r\n";
    }
    form += "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n" +
            std::string("Content-Type: text/plain\r\n\r\n") + content + "\r\n--edge--\r\n";
    HttpRequest request{.method = "POST", .url = parse_url(grant.url), .headers = {}, .body = {}};
    request.headers.set("Content-Type", "multipart/form-data; boundary=edge");
    request.body.bytes = std::move(form);
    return fetch_plain(std::move(request)).status;
  };
  EXPECT_EQ(post("hello") / 100, 2);
  EXPECT_THAT(run_task(store_->list("bucket", {})).objects, testing::SizeIs(1));
  if (is("moto")) return;  // Does not enforce the policy.
  EXPECT_EQ(post("far too long for it"), 400);
}

TEST_F(S3ServerTest, VersionsAreListedReadAndRemoved) {
  const auto enabled = run_task(store_->call(
      {.method = "PUT",
       .bucket = "bucket",
       .query = {{"versioning", ""}},
       .body = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
               "<Status>Enabled</Status></VersioningConfiguration>"}));
  if (enabled.status != 200) GTEST_SKIP() << "the server keeps no versions: " << enabled.body;
  run_task(store_->put(key_, "one"));
  run_task(store_->put(key_, "two"));
  EXPECT_TRUE(run_task(store_->remove(key_)));
  EXPECT_EQ(run_task(store_->head(key_)), std::nullopt);
  const VersionsAnswer all = run_task(store_->list_versions("bucket", "", "", ""));
  ASSERT_EQ(all.versions.size(), 3u);
  std::vector<Deletion> deletions;
  std::vector<std::string> contents;
  for (const ObjectVersion& version : all.versions) {
    deletions.push_back({version.key.path, version.version});
    auto object = run_task(store_->get_version(key_, version.version));
    EXPECT_EQ(object.has_value(), !version.is_delete_marker);
    if (object) contents.push_back(run_task(read_all(*object->body, 10)));
  }
  EXPECT_THAT(contents, testing::UnorderedElementsAre("one", "two"));
  run_task(store_->remove_versions("bucket", deletions));
  EXPECT_THAT(run_task(store_->list_versions("bucket", "", "", "")).versions, testing::IsEmpty());
  EXPECT_TRUE(run_task(store_->remove_bucket("bucket")));
}

TEST_F(S3ServerTest, BucketsAreMadeAndRemoved) {
  EXPECT_TRUE(run_task(store_->create_bucket("second")));
  EXPECT_FALSE(run_task(store_->create_bucket("second")));
  EXPECT_TRUE(run_task(store_->has_bucket("second")));
  run_task(store_->put({"second", "key"}, "x"));
  EXPECT_THROW(run_task(store_->remove_bucket("second")), Error);
  run_task(store_->remove({"second", "key"}));
  EXPECT_TRUE(run_task(store_->remove_bucket("second")));
  EXPECT_FALSE(run_task(store_->remove_bucket("second")));
  EXPECT_FALSE(run_task(store_->has_bucket("second")));
}

TEST_F(S3ServerTest, ABucketIsMadeByAWriteOnlyIfAskedFor) {
  stanza_.create_buckets = false;
  const auto careful = make();
  try {
    run_task(careful->put({"second", "key"}, "x"));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), testing::HasSubstr("s3://second/key: PUT: 404 NoSuchBucket"));
    EXPECT_THAT(error.what(), testing::HasSubstr("create_buckets"));
  }
  run_task(store_->put({"second", "key"}, "x"));
  EXPECT_TRUE(run_task(careful->head({"second", "key"})));
}

/// Is the key kept as it is, refused, or taken for another?
const char* fate_of_key(S3Store& store, const std::string& path) {
  try {
    run_task(store.put({"bucket", path}, "x"));
    const ListPage page = run_task(store.list("bucket", {}));
    const bool kept = page.objects.size() == 1 && page.objects[0].key.path == path;
    for (const ObjectInfo& info : page.objects) run_task(store.remove(info.key));
    run_task(store.remove({"bucket", path}));
    return kept ? "kept" : "taken for another";
  } catch (const Error&) {
    return "refused";
  }
}

/// What docs/stores.md tells of the server (tools/store-table prints it).
TEST_F(S3ServerTest, TheProbeOfConditionsFindsTheSameAgain) {
  const ConditionSupport can = run_task(store_->conditions("bucket"));
  EXPECT_EQ(run_task(make()->conditions("bucket")), can);
  EXPECT_THAT(run_task(store_->list("bucket", {})).objects, testing::IsEmpty());
  const auto record = [](const char* what, bool obeyed) {
    RecordProperty(what, obeyed ? "obeyed" : "not obeyed");
  };
  record("PUT If-None-Match: *", can.put_if_absent);
  record("PUT If-Match", can.put_if_match);
  record("completion of parts, If-None-Match: *", can.parts_if_absent);
  record("completion of parts, If-Match", can.parts_if_match);
  record("copy, If-None-Match: *", can.copy_if_absent);
  record("copy, If-Match", can.copy_if_match);
  record("DELETE If-Match", can.remove_if_match);
  RecordProperty("etag in If-Match of a write",
                 can.etag_form == ConditionSupport::EtagForm::kQuoted ? "quoted" : "bare");
  for (const char* path : {"a//b", "a/../b", "a/./b", "/a", "a/", "a\x01"}) {
    const std::string shown = path[1] == '\x01' ? "a, U+0001" : path;
    RecordProperty("key " + shown, fate_of_key(*store_, path));
  }
}

TEST_F(S3ServerTest, AWrongSecretIsSaidWithoutTellingIt) {
  if (is("moto")) GTEST_SKIP() << "moto takes any secret";
  stanza_.credentials.secret_key = "not-the-secret";
  const auto stranger = make();
  try {
    run_task(stranger->list("bucket", {}));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), testing::HasSubstr("403 SignatureDoesNotMatch"));
    EXPECT_THAT(error.what(), testing::HasSubstr("the secret key is not the one of access key"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("not-the-secret")));
  }
}

}  // namespace
}  // namespace headrace::s3
