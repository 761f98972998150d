#include "query/data_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <utility>

#include "core/error.h"
#include "query/delta_view.h"

namespace headrace {
namespace {

constexpr std::size_t kMostFiles = 1'000'000;
constexpr std::string_view kGlobCharacters = "*?[";

bool is_pattern(std::string_view path) {
  return path.find_first_of(kGlobCharacters) != std::string_view::npos;
}

/// Is any name below the first `skip` bytes of the key hidden, as writers' own files are?
bool is_hidden(std::string_view key, std::size_t skip) {
  std::string_view rest = key.substr(std::min(skip, key.size()));
  while (!rest.empty()) {
    if (rest[0] == '_' || rest[0] == '.') return true;
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return false;
    rest.remove_prefix(slash + 1);
  }
  return false;
}

std::string extension_of(std::string_view key) {
  const std::string_view name = key.substr(key.rfind('/') + 1);
  const std::size_t dot = name.find('.', 1);
  return dot == std::string_view::npos ? "no extension" : std::string(name.substr(dot));
}

/// "3 of .csv, 2 of .txt": what a folder holds, for a message.
std::string census(const std::vector<ObjectInfo>& files) {
  std::map<std::string, std::size_t> counts;
  for (const ObjectInfo& file : files) ++counts[extension_of(file.key.path)];
  std::string out;
  std::size_t shown = 0;
  for (const auto& [extension, count] : counts) {
    if (++shown > 5) return out + ", ...";
    out += fmt::format("{}{} of {}", out.empty() ? "" : ", ", count, extension);
  }
  return out;
}

/// The one format of the files, by their names.
DataFormat format_of(const std::vector<ObjectInfo>& files, const std::string& shown) {
  std::optional<DataFormat> common;
  for (const ObjectInfo& file : files) {
    auto format = format_of_name(file.key.path);
    const bool json = format == DataFormat::kJson || format == DataFormat::kJsonLines;
    if (json && common && *common != *format &&
        (*common == DataFormat::kJson || *common == DataFormat::kJsonLines)) {
      format = common = DataFormat::kJson;  // Lines are JSON too; the reader looks into each file.
    }
    if (!format || (common && *common != *format)) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("{}: found {}; SQL reads folders of .jsonl, .ndjson, .json, .csv or "
                              ".parquet files, one kind at a time: name a pattern such as "
                              "'folder/*.csv'",
                              shown, census(files)));
    }
    common = format;
  }
  return common.value_or(DataFormat::kAuto);
}

Task<bool> has_delta_log(Store& store, std::string bucket, std::string prefix) {
  const ListPage page =
      co_await store.list(std::move(bucket), {.prefix = prefix + "_delta_log/", .limit = 1});
  co_return !page.objects.empty();
}

/// The objects under a prefix that are data, and match `pattern` unless that is empty.
Task<std::vector<ObjectInfo>> list_data(Store& store, std::string bucket, std::string prefix,
                                        std::string pattern, std::string shown) {
  std::vector<ObjectInfo> files;
  ListOptions options{.prefix = prefix};
  for (;;) {
    ListPage page = co_await store.list(bucket, options);
    for (ObjectInfo& info : page.objects) {
      if (info.size == 0 || is_hidden(info.key.path, prefix.size())) continue;
      if (!pattern.empty() && !matches_glob(pattern, info.key.path)) continue;
      files.push_back(std::move(info));
    }
    if (files.size() > kMostFiles) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("{}: more than {} files; name a narrower prefix", shown, kMostFiles));
    }
    if (!page.next) co_return files;
    options.start_after = *page.next;
  }
}

std::string as_folder(const std::string& prefix) {
  return prefix.empty() || prefix.ends_with('/') ? prefix : prefix + '/';
}

std::string folder_of_pattern(const std::string& pattern) {
  const std::size_t glob = pattern.find_first_of(kGlobCharacters);
  const std::size_t slash = pattern.rfind('/', glob);
  return slash == std::string::npos ? "" : pattern.substr(0, slash + 1);
}

bool in_class(std::string_view set, char c) {
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      if (set[i] <= c && c <= set[i + 2]) return true;
      i += 2;
    } else if (set[i] == c) {
      return true;
    }
  }
  return false;
}

/// Takes one character's worth of pattern off if it matches `c`.
bool take_one(std::string_view& pattern, char c) {
  if (pattern[0] == '[') {
    const std::size_t end = pattern.find(']', 2);
    if (end != std::string_view::npos) {
      const bool negated = pattern[1] == '!' || pattern[1] == '^';
      const std::string_view set = pattern.substr(negated ? 2 : 1, end - (negated ? 2 : 1));
      if (in_class(set, c) == negated || c == '/') return false;
      pattern.remove_prefix(end + 1);
      return true;
    }
  }
  if (pattern[0] == '?' ? c == '/' : pattern[0] != c) return false;
  pattern.remove_prefix(1);
  return true;
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view path) {
  // Where to go on after a mismatch: the last star of each kind, and the path behind what it took.
  struct Star {
    std::string_view pattern;
    std::string_view path;
    bool active = false;
  };
  Star one;   // *: within a folder.
  Star deep;  // **: across folders.
  for (;;) {
    if (pattern.starts_with("**")) {
      pattern.remove_prefix(pattern.starts_with("**/") ? 3 : 2);
      deep = {pattern, path, true};
      one.active = false;
      continue;
    }
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      one = {pattern, path, true};
      continue;
    }
    if (pattern.empty() && path.empty()) return true;
    if (!pattern.empty() && !path.empty() && take_one(pattern, path[0])) {
      path.remove_prefix(1);
      continue;
    }
    if (one.active && !one.path.empty() && one.path[0] != '/') {
      one.path.remove_prefix(1);
      pattern = one.pattern;
      path = one.path;
    } else if (deep.active && !deep.path.empty()) {
      deep.path.remove_prefix(1);
      pattern = deep.pattern;
      path = deep.path;
      one.active = false;
    } else {
      return false;
    }
  }
}

Task<FoundData> find_data(DataPlace place, std::string shown, bool any_start) {
  Store& store = *place.store;
  const std::string& bucket = place.object.bucket;
  std::string prefix = place.object.path;
  std::string pattern;
  std::vector<ObjectInfo> files;
  if (place.format == DataFormat::kDelta) co_return FoundData{DataFormat::kDelta, {}};
  if (!prefix.empty() && !prefix.ends_with('/')) {
    if (auto info = co_await store.head(place.object)) {
      files.push_back(std::move(*info));
    } else if (is_pattern(prefix)) {
      pattern = std::exchange(prefix, folder_of_pattern(prefix));
    } else if (!any_start) {
      prefix += '/';
    }
  }
  if (files.empty()) {
    if (pattern.empty() && place.format == DataFormat::kAuto &&
        co_await has_delta_log(store, bucket, as_folder(prefix))) {
      co_return FoundData{DataFormat::kDelta, {}};
    }
    files = co_await list_data(store, bucket, prefix, pattern, shown);
  }
  if (files.empty()) {
    throw Error(ErrorKind::kInvalid, fmt::format("{}: no files there", shown));
  }
  const DataFormat format =
      place.format == DataFormat::kAuto ? format_of(files, shown) : place.format;
  co_return FoundData{format, std::move(files)};
}

Task<std::vector<std::string>> engine_paths(Engine& engine, TableResolver& resolver, Store& store,
                                            std::vector<ObjectKey> objects, DataFormat format) {
  const std::size_t count = objects.size();
  std::vector<ReadableObject> found = co_await resolver.readable(store, std::move(objects), format);
  if (found.size() != count) throw Error(ErrorKind::kBug, "the resolver lost objects");
  const Executor executor = co_await boost::asio::this_coro::executor;
  std::vector<std::string> paths;
  paths.reserve(count);
  for (ReadableObject& object : found) {
    paths.push_back(object.by_ranges
                        ? engine.objects().add(executor, store, std::move(*object.by_ranges),
                                               std::move(object.path))
                        : literal_path(object.path));
  }
  co_return paths;
}

std::string files_rows_sql(DataFormat format, const std::string& variable) {
  const std::string files = fmt::format("getvariable({})", sql_string(variable));
  switch (format) {
    case DataFormat::kJsonLines:
      return fmt::format("FROM read_json({}, format = 'newline_delimited', union_by_name = true)",
                         files);
    case DataFormat::kJson:
      return fmt::format("FROM read_json({}, union_by_name = true)", files);
    case DataFormat::kCsv:
      return fmt::format("FROM read_csv({}, union_by_name = true)", files);
    case DataFormat::kParquet:
      return fmt::format("FROM read_parquet({}, union_by_name = true)", files);
    case DataFormat::kAuto:
    case DataFormat::kDelta:
      break;
  }
  throw Error(ErrorKind::kBug, "files of no format");
}

}  // namespace headrace
