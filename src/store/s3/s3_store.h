#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/task.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/http_client.h"
#include "store/s3/conditions.h"
#include "store/s3/messages.h"
#include "store/s3/s3_config.h"
#include "store/store.h"

namespace headrace {

/// What a form has to send along with a file, for a presigned POST.
struct PostGrant {
  std::string url;
  std::map<std::string, std::string> fields;  ///< To be sent before the file.
};

/// Who may upload what: the policy of a presigned POST.
struct PostPolicy {
  ObjectKey key;  ///< May end in "${filename}", or be a prefix with `key_is_prefix`.
  bool key_is_prefix = false;
  Duration valid = std::chrono::hours(1);
  std::uint64_t least_bytes = 0;
  std::uint64_t most_bytes = 1u << 20;
  std::map<std::string, std::string> fields;  ///< Content-Type, x-amz-meta-*, tagging, ...
};

/// A store that speaks the S3 protocol, with what S3 has beyond a Store.
///
/// Promises   Those of Store. Conditions are probed once per bucket (conditions.h); what the store
///            ignores is refused, or done in a way that it does not ignore, never assumed.
/// Buckets    A write makes its bucket only with `create_buckets`; without it the write is refused
///            and says what to do, since a name mistyped is a bucket nobody wanted.
/// Etags      Are made of the content by most stores: the same bytes have the same etag again.
/// Retries    None, but for the parts of large objects: wrap it in make_retrying_store.
/// Threads    Any executor may call; the work is done on the store's own.
class S3Store : public Store {
 public:
  /// True if the bucket is new, false if it was there already and ours.
  virtual Task<bool> create_bucket(std::string bucket) = 0;
  /// Only empty ones; false if there was none.
  virtual Task<bool> remove_bucket(std::string bucket) = 0;
  virtual Task<bool> has_bucket(std::string bucket) = 0;

  /// One page of all versions and delete markers; go on with both `next` fields.
  virtual Task<s3::VersionsAnswer> list_versions(std::string bucket, std::string prefix,
                                                 std::string key_marker,
                                                 std::string version_marker) = 0;
  /// A version's bytes; nullopt if there is none, or it is a delete marker.
  virtual Task<std::optional<Object>> get_version(ObjectKey key, std::string version) = 0;
  /// Deletes versions for good (an empty version: the current one, leaving a marker).
  virtual Task<> remove_versions(std::string bucket, std::vector<s3::Deletion> deletions) = 0;

  /// Throws away what an upload by parts has left; nothing if there is none.
  virtual Task<> abort_upload(ObjectKey key, std::string upload) = 0;

  /// A URL that holds for `valid` (7 days at most) without credentials. PUT has no bound of size.
  virtual Task<Url> presign(std::string method, ObjectKey key, Duration valid) = 0;
  virtual Task<PostGrant> presign_post(PostPolicy policy) = 0;

  /// What the endpoint obeys in this bucket, from memory or by trying: writes and removes a few
  /// objects under ".headrace/".
  virtual Task<ConditionSupport> conditions(std::string bucket) = 0;

  /// Anything else of the protocol, signed: `{"PUT", bucket, {{"notification", ""}}, body}`. A
  /// status is an answer; the body of an error is its XML.
  struct RawCall {
    std::string method = "GET";
    std::string bucket;
    std::vector<std::pair<std::string, std::string>> query{};
    Bytes body{};
    Headers headers{};
  };
  virtual Task<HttpAnswer> call(RawCall call) = 0;

  /// How far the store's clock is ahead of ours, as far as it was noticed.
  virtual Task<Duration> clock_offset() = 0;
  virtual Task<std::optional<Credentials>> credentials() = 0;
};

/// All that is given outlives the store but `client` and `credentials`, which it owns; both use
/// `executor`.
std::unique_ptr<S3Store> make_s3_store(S3StoreConfig config, Executor executor, Clock& clock,
                                       Random& random, std::unique_ptr<HttpClient> client,
                                       std::unique_ptr<CredentialsProvider> credentials);

/// The client, the credentials and the store that a stanza asks for. `region` is used where the
/// stanza names none.
std::unique_ptr<S3Store> make_s3_store(const S3StoreStanza& stanza, std::string name,
                                       std::string region, Executor executor, Clock& clock,
                                       Random& random);

}  // namespace headrace
