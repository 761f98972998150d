#include "store/file/file_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

#include "core/error.h"
#include "store/file/folder_tree.h"
#include "store/file_layout.h"

namespace headrace {
namespace {

using file::FolderTree;
using file::OpenObject;
using file::TempFile;

constexpr std::uint64_t kPiece = 1u << 20;
constexpr std::uint64_t kCopyPiece = 16u << 20;

void check(const ObjectKey& key) {
  const auto fault = fault_in_key(key);
  if (fault) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}\" can't be an object in a folder: {}", key.text(), *fault));
  }
}

/// run_on with Asio's cancellation told in our words.
template <class Work>
Task<std::invoke_result_t<Work&>> visit(CpuPool& pool, Work work) {
  try {
    co_return co_await run_on(pool, std::move(work));
  } catch (const boost::system::system_error&) {
    throw to_error(std::current_exception());
  }
}

/// The rest of a large object: one visit to the pool per MiB.
class FileBody final : public ByteSource {
 public:
  FileBody(CpuPool& io, OpenObject object, ByteRange range)
      : io_(io),
        object_(std::make_shared<OpenObject>(std::move(object))),
        at_(range.offset),
        end_(range.offset + range.length) {}

  Task<Bytes> read() override {
    if (at_ >= end_) co_return Bytes{};
    Bytes piece =
        co_await visit(io_, [object = object_, at = at_, length = std::min(kPiece, end_ - at_)] {
          return object->read(at, length);
        });
    at_ += piece.size();
    co_return piece;
  }

 private:
  CpuPool& io_;
  std::shared_ptr<OpenObject> object_;
  std::uint64_t at_;
  std::uint64_t end_;
};

ByteRange clip(ByteRange range, std::uint64_t size) {
  range.offset = std::min(range.offset, size);
  range.length = std::min(range.length, size - range.offset);
  return range;
}

class FileStore final : public Store {
 public:
  FileStore(FileStoreConfig config, CpuPool& io, Clock& clock)
      : io_(io), tree_(std::move(config), clock) {}

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    check(key);
    struct Found {
      OpenObject object;
      ByteRange range;
      std::optional<Bytes> whole;
    };
    auto found = co_await visit(io_, [this, key, options]() -> std::optional<Found> {
      auto object = tree_.open(key);
      if (!object) return std::nullopt;
      if (options.if_match && *options.if_match != object->info().etag) return std::nullopt;
      const ByteRange range = clip(options.range, object->info().size);
      std::optional<Bytes> whole;
      if (range.length <= kPiece) whole = object->read(range.offset, range.length);
      return Found{std::move(*object), range, std::move(whole)};
    });
    if (!found) co_return std::nullopt;
    ObjectInfo info = found->object.info();
    if (found->whole) co_return Object{std::move(info), source_of(std::move(*found->whole))};
    co_return Object{std::move(info),
                     std::make_unique<FileBody>(io_, std::move(found->object), found->range)};
  }

  Task<std::optional<ObjectInfo>> head(ObjectKey key) override {
    check(key);
    co_return co_await visit(io_, [this, key] { return tree_.head(key); });
  }

  Task<ListPage> list(std::string bucket, ListOptions options) override {
    co_return co_await visit(io_, [this, bucket, options] { return tree_.list(bucket, options); });
  }

  Task<std::vector<std::string>> list_buckets() override {
    co_return co_await visit(io_, [this] { return tree_.buckets(); });
  }

  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override {
    check(key);
    Bytes piece = co_await body.read();
    Bytes next = piece.empty() ? Bytes{} : co_await body.read();
    if (next.empty()) {
      co_return co_await visit(io_, [this, key, options, piece = std::move(piece)] {
        const auto temp = tree_.begin(key);
        temp->write(piece);
        return tree_.commit(*temp, key, options);
      });
    }
    const std::shared_ptr<TempFile> temp =
        co_await visit(io_, [this, key, first = std::move(piece)]() -> std::shared_ptr<TempFile> {
          auto begun = tree_.begin(key);
          begun->write(first);
          return begun;
        });
    while (!next.empty()) {
      co_await visit(io_, [temp, bytes = std::move(next)] { temp->write(bytes); });
      next = co_await body.read();
    }
    co_return co_await visit(
        io_, [this, temp, key, options] { return tree_.commit(*temp, key, options); });
  }

  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    check(key);
    co_return co_await visit(io_, [this, key, if_match] { return tree_.remove(key, if_match); });
  }

  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    check(from);
    check(to);
    const auto source = co_await visit(io_, [this, from]() -> std::shared_ptr<OpenObject> {
      auto opened = tree_.open(from);
      return opened ? std::make_shared<OpenObject>(std::move(*opened)) : nullptr;
    });
    if (!source) co_return std::nullopt;
    options.metadata.insert(source->info().metadata.begin(), source->info().metadata.end());
    options.tags.insert(source->tags().begin(), source->tags().end());
    const std::shared_ptr<TempFile> temp =
        co_await visit(io_, [this, to]() -> std::shared_ptr<TempFile> { return tree_.begin(to); });
    for (std::uint64_t at = 0; at < source->info().size; at += kCopyPiece) {
      co_await visit(io_, [source, temp, at] { source->copy_to(*temp, at, kCopyPiece); });
    }
    co_return co_await visit(
        io_, [this, temp, to, options] { return tree_.commit(*temp, to, options); });
  }

  Task<std::optional<Tags>> tags(ObjectKey key) override {
    check(key);
    co_return co_await visit(io_, [this, key] { return tree_.tags(key); });
  }

  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    check(key);
    co_return co_await visit(io_, [this, key, tags] { return tree_.set_tags(key, tags); });
  }

 private:
  CpuPool& io_;
  FolderTree tree_;
};

}  // namespace

std::unique_ptr<Store> make_file_store(FileStoreConfig config, CpuPool& io, Clock& clock) {
  return std::make_unique<FileStore>(std::move(config), io, clock);
}

}  // namespace headrace
