#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "store/store.h"

// The XML that S3 and its clients send each other. Broken XML in an answer is kTransient: something
// between cut it short or is not the store.
namespace headrace::s3 {

/// What an <Error> says; all may be empty.
struct ErrorMessage {
  std::string code;
  std::string text;
  std::string region;
  std::string condition;  ///< Which precondition failed, where the store says so.
};

/// nullopt if `xml` is no error: also answers with status 200 can be one.
std::optional<ErrorMessage> parse_error(std::string_view xml);

struct ListAnswer {
  std::vector<ObjectInfo> objects;  ///< Bucket of their keys as asked for.
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string next_token;
};
ListAnswer parse_list(std::string_view xml, const std::string& bucket);

std::vector<std::string> parse_buckets(std::string_view xml);
Tags parse_tagging(std::string_view xml);
std::string tagging_xml(const Tags& tags);

/// The text of the first element of this name anywhere: UploadId, ETag, LocationConstraint.
std::string find_element(std::string_view xml, const char* name);

struct UploadedPart {
  int number = 0;
  Etag etag;
  std::uint64_t size = 0;
  std::optional<std::uint32_t> crc32;
};
std::string complete_xml(const std::vector<UploadedPart>& parts);

/// One version of a key, or one mark that says the key was deleted.
struct ObjectVersion {
  ObjectKey key;
  std::string version;
  std::uint64_t size = 0;
  Etag etag;
  Time modified;
  bool is_latest = false;
  bool is_delete_marker = false;
};
struct VersionsAnswer {
  std::vector<ObjectVersion> versions;
  bool truncated = false;
  std::string next_key;
  std::string next_version;
};
VersionsAnswer parse_versions(std::string_view xml, const std::string& bucket);

/// A key to delete; `version` empty: the current one.
struct Deletion {
  std::string path;
  std::string version;
};
std::string delete_xml(const std::vector<Deletion>& deletions);
struct RefusedDeletion {
  std::string path;
  std::string code;
  std::string text;
};
/// Those that could not be deleted; a missing key is none of them.
std::vector<RefusedDeletion> parse_delete_result(std::string_view xml);

std::string create_bucket_xml(std::string_view region);

/// The upload ids of unfinished uploads and their keys.
std::vector<std::pair<std::string, std::string>> parse_uploads(std::string_view xml);

}  // namespace headrace::s3
