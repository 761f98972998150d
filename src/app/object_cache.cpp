#include "app/object_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <fstream>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtATime = 8;

/// The end of a key, by which engines know the format: "part-1.snappy.parquet".
std::string ending_of(const ObjectKey& key) {
  std::string name = key.path.substr(key.path.rfind('/') + 1);
  if (name.size() > 60) name = name.substr(name.size() - 60);
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '.'; }, '-');
  return name;
}

void check_written(const std::ofstream& file, const fs::path& path) {
  if (file) return;
  throw Error(ErrorKind::kTransient,
              fmt::format("write {}: it failed; is the disk full?", path.string()));
}

}  // namespace

ObjectCache::ObjectCache(fs::path folder, std::uint64_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes) {}

Task<std::vector<ReadableObject>> ObjectCache::fetch(Store& store, std::string store_name,
                                                     std::vector<ObjectKey> objects, bool parts) {
  namespace asio = boost::asio;
  std::vector<ReadableObject> found(objects.size());
  std::size_t next = 0;
  const auto work = [&]() -> Task<> {
    while (next < objects.size()) {
      const std::size_t mine = next++;
      found[mine] = co_await fetch_one(store, store_name, objects[mine], parts);
    }
  };
  const auto executor = co_await asio::this_coro::executor;
  std::vector<decltype(asio::co_spawn(executor, work(), asio::deferred))> workers;
  for (std::size_t i = 0; i < std::min(kAtATime, objects.size()); ++i) {
    workers.push_back(asio::co_spawn(executor, work(), asio::deferred));
  }
  if (workers.empty()) co_return found;
  auto [order, failures] =
      co_await asio::experimental::make_parallel_group(std::move(workers))
          .async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  for (const std::size_t i : order) {
    if (failures[i]) std::rethrow_exception(failures[i]);
  }
  co_return found;
}

Task<ReadableObject> ObjectCache::fetch_one(Store& store, const std::string& store_name,
                                            ObjectKey key, bool parts) {
  const auto info = co_await store.head(key);
  const std::string url = fmt::format("{}://{}", store_name, key.text());
  const auto gone = [&] {
    return Error(ErrorKind::kConflict,
                 url + " was removed or replaced while it was read; ask again");
  };
  if (!info) throw gone();
  const std::uint64_t hash =
      hash64(info->etag.value, hash64(key.path, hash64(key.bucket, hash64(store_name))));
  const fs::path path = folder_ / fmt::format("{:016x}-{}", hash, ending_of(key));
  std::error_code missing;
  if (fs::file_size(path, missing) == info->size && !missing) {
    fs::last_write_time(path, fs::file_time_type::clock::now(), missing);  // Used again.
    co_return ReadableObject{path.string()};
  }
  if (parts && info->size > kMostCopied) co_return ReadableObject{url, *info};
  make_room(info->size);
  auto object = co_await store.get(key, {.range = {}, .if_match = info->etag});
  if (!object) throw gone();
  const fs::path temporary = path.string() + "." + real_random().uuid() + ".part";
  try {
    std::ofstream file(temporary, std::ios::binary);
    for (Bytes piece = co_await object->body->read(); !piece.empty();
         piece = co_await object->body->read()) {
      file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      check_written(file, temporary);
    }
    file.close();
    check_written(file, temporary);
    fs::rename(temporary, path);
  } catch (...) {
    fs::remove(temporary, missing);
    throw;
  }
  co_return ReadableObject{path.string()};
}

void ObjectCache::make_room(std::uint64_t bytes) const {
  struct Copy {
    fs::file_time_type used;
    fs::path path;
    std::uint64_t size;
  };
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  std::vector<Copy> copies;
  std::uint64_t held = bytes;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    copies.push_back({entry.last_write_time(ignored), entry.path(), entry.file_size(ignored)});
    held += copies.back().size;
  }
  if (held <= most_bytes_) return;
  std::ranges::sort(copies, {}, &Copy::used);
  const auto recent = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const Copy& copy : copies) {
    // What was asked for lately may still be read.
    if (held <= most_bytes_ || copy.used > recent) return;
    if (fs::remove(copy.path, ignored)) held -= copy.size;
  }
}

}  // namespace headrace
