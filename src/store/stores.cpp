#include "store/stores.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.h"

namespace headrace {
namespace {

bool is_store_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

ObjectKey split_bucket(std::string_view rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return ObjectKey{std::string(rest), ""};
  return ObjectKey{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

}  // namespace

StoreUrl parse_store_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || !is_store_name(text.substr(0, scheme))) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}\" is no URL of an object: write <store>://bucket/key", text));
  }
  StoreUrl url{std::string(text.substr(0, scheme)), {}};
  std::string_view rest = text.substr(scheme + 3);
  if (url.store == kPlainFiles) {
    if (!rest.starts_with('/')) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("\"{}\": a file URL is an absolute path, with three slashes: "
                              "file:///folder/file",
                              text));
    }
    rest.remove_prefix(1);
  }
  url.object = split_bucket(rest);
  if (url.object.bucket.empty()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}\" names no bucket: write <store>://bucket/key", text));
  }
  return url;
}

StoreUrl plain_file_url(const std::string& path) {
  const std::filesystem::path given(path);
  std::error_code failed;
  // Absolute first: a relative path of which nothing exists yet would stay relative.
  const std::filesystem::path real =
      std::filesystem::weakly_canonical(std::filesystem::absolute(given, failed), failed);
  if (failed) {
    throw Error(ErrorKind::kInvalid, fmt::format("path {}: {}", path, failed.message()));
  }
  std::string text = real.string();
  // A trailing slash is how a prefix is told from an object; normalising may take it away.
  if (path.ends_with('/') && !text.ends_with('/')) text += '/';
  StoreUrl url{std::string(kPlainFiles), split_bucket(std::string_view(text).substr(1))};
  if (url.object.bucket.empty() || !text.substr(1).contains('/')) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("path {}: a file has to lie in a folder below the root", path));
  }
  return url;
}

void Stores::add(std::string name, std::unique_ptr<Store> store) {
  if (stores_.contains(name)) {
    throw Error(ErrorKind::kInvalid, fmt::format("there are two stores named \"{}\"", name));
  }
  stores_.emplace(std::move(name), std::move(store));
}

Store& Stores::at(std::string_view name) const {
  const auto found = stores_.find(name);
  if (found == stores_.end()) {
    throw Error(ErrorKind::kInvalid, fmt::format("there is no store \"{}\"; there are: {}", name,
                                                 fmt::join(names(), ", ")));
  }
  return *found->second;
}

bool Stores::contains(std::string_view name) const { return stores_.contains(name); }

std::vector<std::string> Stores::names() const {
  std::vector<std::string> names;
  names.reserve(stores_.size());
  for (const auto& [name, store] : stores_) names.push_back(name);
  return names;
}

}  // namespace headrace
