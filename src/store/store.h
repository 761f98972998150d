#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/object.h"
#include "core/task.h"

namespace headrace {

/// What a store says of an object without giving its bytes.
struct ObjectInfo {
  ObjectKey key;
  std::uint64_t size = 0;  ///< Bytes as stored (compressed if the object is).
  Etag etag;
  Time modified;
  Metadata metadata;  ///< Empty in listings.
};

/// An object being read. `info.size` is the whole object's size, also when a range was asked for.
struct Object {
  ObjectInfo info;
  std::unique_ptr<ByteSource> body;
};

/// Part of an object: `length` bytes from `offset`, or to the end. Beyond the end is empty.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = std::numeric_limits<std::uint64_t>::max();
};

struct GetOptions {
  ByteRange range;
  std::optional<Etag> if_match;
};

/// When a write may happen. Default: always.
struct WriteCondition {
  bool if_absent = false;        ///< Only if there is no such key.
  std::optional<Etag> if_match;  ///< Only if the key holds this content now.
};

struct PutOptions {
  Metadata metadata;
  Tags tags;
  WriteCondition condition;
};

struct ListOptions {
  std::string prefix;
  std::string start_after;        ///< Only keys that sort after this one, bytewise.
  std::optional<char> delimiter;  ///< Keys that hold it after the prefix fold into `prefixes`.
  std::size_t limit = 1000;       ///< Most objects plus prefixes on a page, at least 1.
};

/// One page of a listing, keys in bytewise order. Go on with start_after = next if there is one.
struct ListPage {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> prefixes;
  std::optional<std::string> next;
};

/// An object store: buckets, and in each a flat map from keys to immutable bytes, shared by many
/// processes. Backends live in store/file, store/s3 and store/memory; only app/ names one; each
/// passes testing/store_conformance.h. Retries and faults are decorators (store/retrying_store.h).
///
/// Promises   A read that starts after a write returned sees that write or a later one. Nobody
///            ever sees half an object. A conditional write is atomic against all other writers.
/// Ownership  Keys and bytes are taken by value, so a coroutine never holds a caller's temporary.
///            The Store outlives the tasks and bodies it returned.
/// Errors     A missing key, a missing bucket on a read, and a lost condition are answers, not
///            errors. A key that the store cannot hold is kInvalid and says why. A body may end
///            in kConflict if its object is replaced while it is read; it never mixes contents.
/// Stopping   Cancelling the awaiting task ends the call with kCancelled; a write cut short may or
///            may not have happened.
/// Threads    Any executor may call; a call touches no state of another call.
class Store {
 public:
  virtual ~Store() = default;

  /// Reads an object; nullopt if there is no such key, or its etag is not `if_match`.
  virtual Task<std::optional<Object>> get(ObjectKey key, GetOptions options = {}) = 0;
  virtual Task<std::optional<ObjectInfo>> head(ObjectKey key) = 0;
  virtual Task<ListPage> list(std::string bucket, ListOptions options) = 0;
  virtual Task<std::vector<std::string>> list_buckets() = 0;

  /// Writes the whole object as it streams in, replacing what was there; the bucket is made if
  /// missing, unless the store was told not to (store/s3). Returns its new etag, or nullopt if the
  /// condition did not hold. `body` outlives the call; if it throws, nothing is written. Metadata
  /// and tags are replaced too.
  virtual Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                               PutOptions options) = 0;
  /// Removes the object with its metadata and tags; with `if_match`, only if the key holds that
  /// content now. False if there was none, or other content.
  virtual Task<bool> remove(ObjectKey key, std::optional<Etag> if_match = {}) = 0;
  /// Removes these objects of a bucket, in as few requests as the store allows. Those that are not
  /// there count as removed; on an error some are and some are not.
  virtual Task<> remove_many(std::string bucket, std::vector<std::string> paths);
  /// Copies bytes inside the store. Metadata and tags come along, `options` are added over them.
  /// nullopt if the source is missing or the condition (on `to`) did not hold.
  virtual Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) = 0;

  virtual Task<std::optional<Tags>> tags(ObjectKey key) = 0;
  /// Replaces all tags; the etag stays. False if there is no such key.
  virtual Task<bool> set_tags(ObjectKey key, Tags tags) = 0;

  // In terms of put_stream, for bytes in memory.
  Task<std::optional<Etag>> put(ObjectKey key, Bytes body, PutOptions options = {});
  /// Writes only if the key is free; nullopt if another writer got there first.
  Task<std::optional<Etag>> put_if_absent(ObjectKey key, Bytes body, Metadata metadata = {});
  /// Writes only over this content; nullopt if it is no longer there.
  Task<std::optional<Etag>> put_if_match(ObjectKey key, Bytes body, Etag etag,
                                         Metadata metadata = {});
};

/// Reads a whole small object; nullopt if missing. Throws kInvalid beyond `limit` bytes.
Task<std::optional<Bytes>> read_object(Store& store, ObjectKey key, std::uint64_t limit);

}  // namespace headrace
