#include "store/memory/memory_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/error.h"
#include "store/page_builder.h"

namespace headrace {
namespace {

constexpr std::uint64_t kLargest = 1u << 30;
constexpr std::size_t kPiece = 1u << 20;

void check(const ObjectKey& key) {
  if (!key.bucket.empty() && !key.path.empty() && key.path.size() <= 1024) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("\"{}\": a bucket and a key of 1 to 1024 bytes are needed", key.text()));
}

struct Entry {
  std::shared_ptr<const Bytes> body;
  Etag etag;
  Time modified;
  Metadata metadata;
  Tags tags;
};

class SharedBody final : public ByteSource {
 public:
  SharedBody(std::shared_ptr<const Bytes> body, ByteRange range)
      : body_(std::move(body)), at_(std::min<std::uint64_t>(range.offset, body_->size())) {
    end_ = at_ + std::min<std::uint64_t>(range.length, body_->size() - at_);
  }

  Task<Bytes> read() override {
    Bytes piece = body_->substr(at_, std::min<std::uint64_t>(kPiece, end_ - at_));
    at_ += piece.size();
    co_return piece;
  }

 private:
  std::shared_ptr<const Bytes> body_;
  std::uint64_t at_;
  std::uint64_t end_;
};

/// Every call is one critical section without a wait in it, so that conditions are atomic.
class MemoryStore final : public Store {
 public:
  explicit MemoryStore(Clock& clock) : clock_(clock) {}

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    check(key);
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(key);
    if (entry == nullptr || (options.if_match && *options.if_match != entry->etag)) {
      co_return std::nullopt;
    }
    auto body = std::make_unique<SharedBody>(entry->body, options.range);
    co_return Object{info(key, *entry), std::move(body)};
  }

  Task<std::optional<ObjectInfo>> head(ObjectKey key) override {
    check(key);
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(key);
    if (entry == nullptr) co_return std::nullopt;
    co_return info(key, *entry);
  }

  Task<ListPage> list(std::string bucket, ListOptions options) override {
    const std::string from = std::max(options.prefix, options.start_after);
    PageBuilder page(std::move(options));
    const std::lock_guard lock(mutex_);
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) co_return ListPage{};
    const Objects& objects = found->second;
    for (auto at = objects.lower_bound(from); at != objects.end(); ++at) {
      if (!page.wants(at->first)) {
        if (at->first == from) continue;
        break;
      }
      ObjectInfo listed = info(ObjectKey{bucket, at->first}, at->second);
      listed.metadata.clear();
      if (!page.add(std::move(listed))) break;
    }
    co_return std::move(page).take();
  }

  Task<std::vector<std::string>> list_buckets() override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, objects] : buckets_) names.push_back(name);
    co_return names;
  }

  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override {
    check(key);
    auto bytes = std::make_shared<const Bytes>(co_await read_all(body, kLargest));
    const std::lock_guard lock(mutex_);
    co_return place(key, std::move(bytes), std::move(options));
  }

  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    check(key);
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(key);
    if (entry == nullptr || (if_match && *if_match != entry->etag)) co_return false;
    buckets_.find(key.bucket)->second.erase(key.path);
    co_return true;
  }

  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    check(from);
    check(to);
    const std::lock_guard lock(mutex_);
    const Entry* source = find(from);
    if (source == nullptr) co_return std::nullopt;
    options.metadata.insert(source->metadata.begin(), source->metadata.end());
    options.tags.insert(source->tags.begin(), source->tags.end());
    co_return place(to, source->body, std::move(options));
  }

  Task<std::optional<Tags>> tags(ObjectKey key) override {
    check(key);
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(key);
    if (entry == nullptr) co_return std::nullopt;
    co_return entry->tags;
  }

  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    check(key);
    const std::lock_guard lock(mutex_);
    Entry* entry = find(key);
    if (entry == nullptr) co_return false;
    entry->tags = std::move(tags);
    co_return true;
  }

 private:
  using Objects = std::map<std::string, Entry, std::less<>>;

  static ObjectInfo info(const ObjectKey& key, const Entry& entry) {
    return ObjectInfo{key, entry.body->size(), entry.etag, entry.modified, entry.metadata};
  }

  Entry* find(const ObjectKey& key) {
    const auto bucket = buckets_.find(key.bucket);
    if (bucket == buckets_.end()) return nullptr;
    const auto object = bucket->second.find(key.path);
    return object == bucket->second.end() ? nullptr : &object->second;
  }

  std::optional<Etag> place(const ObjectKey& key, std::shared_ptr<const Bytes> body,
                            PutOptions options) {
    const Entry* old = find(key);
    const WriteCondition& condition = options.condition;
    if (condition.if_absent && old != nullptr) return std::nullopt;
    if (condition.if_match && (old == nullptr || old->etag != *condition.if_match)) {
      return std::nullopt;
    }
    const Etag etag{fmt::format("m{:x}", ++writes_)};
    buckets_[key.bucket].insert_or_assign(
        key.path, Entry{std::move(body), etag, clock_.now(), std::move(options.metadata),
                        std::move(options.tags)});
    return etag;
  }

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Objects, std::less<>> buckets_;
  std::uint64_t writes_ = 0;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(Clock& clock) {
  return std::make_unique<MemoryStore>(clock);
}

}  // namespace headrace
