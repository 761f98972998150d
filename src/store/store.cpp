#include "store/store.h"

#include <fmt/format.h>

#include "core/error.h"

namespace headrace {

Task<> Store::remove_many(std::string bucket, std::vector<std::string> paths) {
  for (std::string& path : paths) co_await remove(ObjectKey{bucket, std::move(path)});
}

Task<std::optional<Etag>> Store::put(ObjectKey key, Bytes body, PutOptions options) {
  const std::unique_ptr<ByteSource> source = source_of(std::move(body));
  co_return co_await put_stream(std::move(key), *source, std::move(options));
}

Task<std::optional<Etag>> Store::put_if_absent(ObjectKey key, Bytes body, Metadata metadata) {
  PutOptions options;
  options.metadata = std::move(metadata);
  options.condition.if_absent = true;
  co_return co_await put(std::move(key), std::move(body), std::move(options));
}

Task<std::optional<Etag>> Store::put_if_match(ObjectKey key, Bytes body, Etag etag,
                                              Metadata metadata) {
  PutOptions options;
  options.metadata = std::move(metadata);
  options.condition.if_match = std::move(etag);
  co_return co_await put(std::move(key), std::move(body), std::move(options));
}

Task<std::optional<Bytes>> read_object(Store& store, ObjectKey key, std::uint64_t limit) {
  const std::string name = key.text();
  std::optional<Object> object = co_await store.get(std::move(key));
  if (!object) co_return std::nullopt;
  if (object->info.size > limit) {
    throw Error(ErrorKind::kInvalid, fmt::format("{} has {} bytes, more than the {} allowed here",
                                                 name, object->info.size, limit));
  }
  co_return co_await read_all(*object->body, limit);
}

}  // namespace headrace
