// What lies in a bucket: counted and removed a page at a time, so that memory stays bounded.

#include <algorithm>

#include "setup/outside.h"
#include "store/s3/messages.h"

namespace headrace::setup {
namespace {

using Prefixes = std::vector<std::string>;

bool is_kept(const std::string& path, const Prefixes& except) {
  return std::ranges::any_of(except, [&](const auto& prefix) { return path.starts_with(prefix); });
}

/// Removes the page's versions but those kept. Older servers take 1,000 at a time, as one page has.
Task<> remove_page(S3Store& store, std::string bucket, const s3::VersionsAnswer& page,
                   const Prefixes& except) {
  std::vector<s3::Deletion> gone;
  for (const s3::ObjectVersion& version : page.versions) {
    if (!is_kept(version.key.path, except)) gone.push_back({version.key.path, version.version});
  }
  if (!gone.empty()) co_await store.remove_versions(std::move(bucket), std::move(gone));
}

}  // namespace

Task<Contents> Outside::contents(std::string store, std::string bucket, Prefixes except) {
  Contents contents;
  S3Store& there = given_.store(store);
  s3::VersionsAnswer page;
  do {
    page = co_await tries(
        [&] { return there.list_versions(bucket, "", page.next_key, page.next_version); });
    for (const s3::ObjectVersion& version : page.versions) {
      if (is_kept(version.key.path, except)) continue;
      const bool object = version.is_latest && !version.is_delete_marker;
      ++(object ? contents.objects : contents.versions);
      contents.bytes += version.size;
    }
  } while (page.truncated);
  const HttpAnswer uploads = co_await there.call({.bucket = bucket, .query = {{"uploads", ""}}});
  if (uploads.status == 200) contents.uploads = s3::parse_uploads(uploads.body).size();
  co_return contents;
}

Task<> Outside::clear(std::string store, std::string bucket, Prefixes except) {
  S3Store& there = given_.store(store);
  s3::VersionsAnswer page;
  do {
    page = co_await tries(
        [&] { return there.list_versions(bucket, "", page.next_key, page.next_version); });
    co_await tries([&] { return remove_page(there, bucket, page, except); });
  } while (page.truncated);
  while (true) {
    const HttpAnswer answer = co_await there.call({.bucket = bucket, .query = {{"uploads", ""}}});
    if (answer.status != 200) co_return;
    const auto uploads = s3::parse_uploads(answer.body);
    for (const auto& [key, id] : uploads) co_await there.abort_upload({bucket, key}, id);
    if (uploads.empty()) co_return;
  }
}

Task<> Outside::remove_prefix(std::string store, std::string bucket, std::string prefix) {
  S3Store& there = given_.store(store);
  s3::VersionsAnswer page;
  do {
    page = co_await tries(
        [&] { return there.list_versions(bucket, prefix, page.next_key, page.next_version); });
    const Prefixes nothing;
    co_await tries([&] { return remove_page(there, bucket, page, nothing); });
  } while (page.truncated);
}

}  // namespace headrace::setup
