#include "store/retrying_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

/// Gives out pieces that are kept, and then what is left of the body they were read from.
class ReplaySource final : public ByteSource {
 public:
  ReplaySource(const std::vector<Bytes>& pieces, ByteSource* rest) : pieces_(pieces), rest_(rest) {}

  Task<Bytes> read() override {
    if (next_ < pieces_.size()) co_return pieces_[next_++];
    if (rest_ == nullptr) co_return Bytes{};
    co_return co_await rest_->read();
  }

 private:
  const std::vector<Bytes>& pieces_;
  ByteSource* rest_;
  std::size_t next_ = 0;
};

/// What all calls share; outlives the store's bodies with the store.
struct Retrying {
  std::unique_ptr<Store> store;
  Clock& clock;
  Random& random;
  RetryingStoreConfig config;
  std::unique_ptr<RetryBudget> budget;  // What config.policy refers to, if there is one.

  template <class Make>
  auto run(Make make) {
    return with_retry(config.policy, clock, random, std::move(make));
  }
};

/// A body that goes on where it broke.
class ResumingBody final : public ByteSource {
 public:
  ResumingBody(Retrying& retrying, ObjectInfo info, ByteRange range,
               std::unique_ptr<ByteSource> body)
      : retrying_(retrying),
        info_(std::move(info)),
        body_(std::move(body)),
        at_(std::min(range.offset, info_.size)) {
    end_ = at_ + std::min(range.length, info_.size - at_);
  }

  Task<Bytes> read() override {
    if (at_ == end_) co_return Bytes{};
    co_return co_await retrying_.run([this] { return read_once(); });
  }

 private:
  Task<Bytes> read_once() {
    // Out of the member while it is read: a body that failed is never read again.
    std::unique_ptr<ByteSource> body = std::move(body_);
    if (!body) {
      GetOptions options{{at_, end_ - at_}, info_.etag};
      std::optional<Object> object = co_await retrying_.store->get(info_.key, std::move(options));
      if (!object) {
        throw Error(ErrorKind::kConflict,
                    info_.key.text() + " was replaced while it was read; read it anew");
      }
      body = std::move(object->body);
    }
    Bytes piece = co_await body->read();
    if (piece.empty()) {
      throw Error(ErrorKind::kTransient, fmt::format("{}: the body ended at byte {} instead of {}",
                                                     info_.key.text(), at_, end_));
    }
    at_ += piece.size();
    body_ = std::move(body);
    co_return piece;
  }

  Retrying& retrying_;
  const ObjectInfo info_;
  std::unique_ptr<ByteSource> body_;  // None: to be opened at `at_`.
  std::uint64_t at_;
  std::uint64_t end_;
};

bool is_conditional(const PutOptions& options) {
  return options.condition.if_absent || options.condition.if_match.has_value();
}

class RetryingStore final : public Store {
 public:
  explicit RetryingStore(Retrying retrying) : retrying_(std::move(retrying)) {}

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    std::optional<Object> object =
        co_await retrying_.run([&] { return inner().get(key, options); });
    if (!object) co_return std::nullopt;
    auto body = std::make_unique<ResumingBody>(retrying_, object->info, options.range,
                                               std::move(object->body));
    co_return Object{std::move(object->info), std::move(body)};
  }

  Task<std::optional<ObjectInfo>> head(ObjectKey key) override {
    co_return co_await retrying_.run([&] { return inner().head(key); });
  }

  Task<ListPage> list(std::string bucket, ListOptions options) override {
    co_return co_await retrying_.run([&] { return inner().list(bucket, options); });
  }

  Task<std::vector<std::string>> list_buckets() override {
    co_return co_await retrying_.run([&] { return inner().list_buckets(); });
  }

  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override {
    std::vector<Bytes> pieces;
    std::uint64_t held = 0;
    bool whole = false;
    while (!whole && held <= retrying_.config.replay_bytes) {
      Bytes piece = co_await body.read();
      whole = piece.empty();
      held += piece.size();
      if (!whole) pieces.push_back(std::move(piece));
    }
    if (!whole) {
      ReplaySource once(pieces, &body);
      co_return co_await inner().put_stream(std::move(key), once, std::move(options));
    }
    co_return co_await write(key, std::move(options),
                             [&](PutOptions with) -> Task<std::optional<Etag>> {
                               ReplaySource source(pieces, nullptr);
                               co_return co_await inner().put_stream(key, source, std::move(with));
                             });
  }

  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    bool tried = false;
    co_return co_await retrying_.run([&]() -> Task<bool> {
      const bool again = std::exchange(tried, true);
      const bool removed = co_await inner().remove(key, if_match);
      if (removed || !again) co_return removed;
      co_return !if_match || !co_await inner().head(key);
    });
  }

  Task<> remove_many(std::string bucket, std::vector<std::string> paths) override {
    co_await retrying_.run([&] { return inner().remove_many(bucket, paths); });
  }

  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    co_return co_await write(to, std::move(options), [&](PutOptions with) {
      return inner().copy(from, to, std::move(with));
    });
  }

  Task<std::optional<Tags>> tags(ObjectKey key) override {
    co_return co_await retrying_.run([&] { return inner().tags(key); });
  }

  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    co_return co_await retrying_.run([&] { return inner().set_tags(key, tags); });
  }

 private:
  Store& inner() { return *retrying_.store; }

  /// Tries `once(options)` until it answers, and asks the object itself when a condition broke
  /// after an answer was lost.
  template <class Once>
  Task<std::optional<Etag>> write(const ObjectKey& key, PutOptions options, Once once) {
    const bool conditional = is_conditional(options);
    if (conditional) {
      options.metadata.try_emplace(std::string(kWriteId), retrying_.random.uuid());
    }
    bool tried = false;
    co_return co_await retrying_.run([&]() -> Task<std::optional<Etag>> {
      const bool again = std::exchange(tried, true);
      std::optional<Etag> etag;
      try {
        etag = co_await once(options);
      } catch (const Error& error) {
        // No refusal of the whole: what an earlier try sent may still land.
        const bool refused =
            error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kConflict;
        if (!refused || !again || !conditional) throw;
        throw Error(ErrorKind::kTransient,
                    fmt::format("{}; an earlier try may still land", error.what()));
      }
      if (etag || !again || !conditional) co_return etag;
      const std::optional<ObjectInfo> there = co_await inner().head(key);
      if (!there) co_return std::nullopt;
      const auto id = there->metadata.find(kWriteId);
      if (id == there->metadata.end()) co_return std::nullopt;
      if (id->second != options.metadata.find(kWriteId)->second) co_return std::nullopt;
      co_return there->etag;
    });
  }

  Retrying retrying_;
};

}  // namespace

std::unique_ptr<Store> make_retrying_store(std::unique_ptr<Store> inner, Clock& clock,
                                           Random& random, RetryingStoreConfig config) {
  Retrying retrying{std::move(inner), clock, random, std::move(config), nullptr};
  if (retrying.config.budget) {
    retrying.budget = std::make_unique<RetryBudget>();
    retrying.config.policy.budget = retrying.budget.get();
  }
  return std::make_unique<RetryingStore>(std::move(retrying));
}

}  // namespace headrace
