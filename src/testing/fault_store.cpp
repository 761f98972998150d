#include "testing/fault_store.h"

#include <algorithm>
#include <limits>

namespace headrace {
namespace {

using Kind = StoreFault::Kind;

[[noreturn]] void strike(const StoreFault& fault, const char* when) {
  throw Error(fault.error, std::string("injected fault ") + when);
}

/// Lets `length` bytes through and then breaks, or ends.
class CutBody final : public ByteSource {
 public:
  CutBody(std::unique_ptr<ByteSource> body, std::uint64_t length, StoreFault fault)
      : body_(std::move(body)), left_(length), fault_(std::move(fault)) {}

  Task<Bytes> read() override {
    if (left_ == 0) {
      if (fault_.kind == Kind::kCut) strike(fault_, "in a body");
      co_return Bytes{};
    }
    Bytes piece = co_await body_->read();
    if (piece.size() > left_) piece.resize(left_);
    left_ -= piece.size();
    co_return piece;
  }

 private:
  std::unique_ptr<ByteSource> body_;
  std::uint64_t left_;
  StoreFault fault_;
};

}  // namespace

FaultStore::FaultStore(std::unique_ptr<Store> inner, Clock& clock, std::uint64_t seed)
    : inner_(std::move(inner)), clock_(clock), random_(seed) {}

void FaultStore::add(StoreFault fault) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(fault), 0});
}

void FaultStore::clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

std::uint64_t FaultStore::calls(StoreCall call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

std::vector<FaultStore::LatePut> FaultStore::take_late(bool all) {
  const std::lock_guard lock(mutex_);
  std::vector<LatePut> due;
  std::vector<LatePut> left;
  for (LatePut& put : late_) {
    (all || put.late_by-- == 0 ? due : left).push_back(std::move(put));
  }
  late_ = std::move(left);
  return due;
}

Task<> FaultStore::land(std::vector<LatePut> late) {
  for (LatePut& put : late) {
    co_await inner_->put(std::move(put.key), std::move(put.body), std::move(put.options));
  }
}

Task<std::size_t> FaultStore::land() {
  std::vector<LatePut> late = take_late(true);
  const std::size_t count = late.size();
  co_await land(std::move(late));
  co_return count;
}

FaultStore::Fate FaultStore::decide(StoreCall call, const std::string& key) {
  const std::lock_guard lock(mutex_);
  ++calls_[call];
  Fate fate;
  fate.chance = random_.next();
  for (Rule& rule : rules_) {
    const StoreFault& fault = rule.fault;
    if (fault.call && *fault.call != call) continue;
    if (!key.starts_with(fault.key)) continue;
    const std::uint64_t number = ++rule.matched;
    if (number < fault.first || number - fault.first >= fault.times) continue;
    if (fault.probability < 1 && random_.unit() >= fault.probability) continue;
    if (fault.kind == Kind::kDelay) {
      fate.delay += fault.delay;
    } else if (!fate.fault) {
      fate.fault = fault;
    }
  }
  return fate;
}

Task<FaultStore::Fate> FaultStore::begin(StoreCall call, std::string key) {
  const Fate fate = decide(call, key);
  co_await land(take_late(false));
  if (fate.delay > Duration::zero()) co_await clock_.sleep(fate.delay);
  co_return fate;
}

template <class Work>
auto FaultStore::suffer(StoreCall call, std::string key, Work work) -> decltype(work()) {
  const Fate fate = co_await begin(call, key);
  if (fate.is(Kind::kFailBefore)) strike(*fate.fault, "before the call");
  auto answer = co_await work();
  if (fate.is(Kind::kFailAfter)) strike(*fate.fault, "after the call");
  co_return answer;
}

Task<std::optional<Object>> FaultStore::get(ObjectKey key, GetOptions options) {
  const Fate fate = co_await begin(StoreCall::kGet, key.text());
  if (fate.is(Kind::kFailBefore)) strike(*fate.fault, "before the call");
  std::optional<Object> object = co_await inner_->get(std::move(key), std::move(options));
  if (fate.is(Kind::kFailAfter)) strike(*fate.fault, "after the call");
  if (object && object->info.size > 0 && (fate.is(Kind::kCut) || fate.is(Kind::kCutQuietly))) {
    object->body = std::make_unique<CutBody>(std::move(object->body),
                                             fate.chance % object->info.size, *fate.fault);
  }
  co_return object;
}

Task<std::optional<ObjectInfo>> FaultStore::head(ObjectKey key) {
  co_return co_await suffer(StoreCall::kHead, key.text(), [&] { return inner_->head(key); });
}

Task<ListPage> FaultStore::list(std::string bucket, ListOptions options) {
  co_return co_await suffer(StoreCall::kList, bucket,
                            [&] { return inner_->list(bucket, options); });
}

Task<std::vector<std::string>> FaultStore::list_buckets() {
  co_return co_await suffer(StoreCall::kListBuckets, "", [&] { return inner_->list_buckets(); });
}

Task<std::optional<Etag>> FaultStore::put_stream(ObjectKey key, ByteSource& body,
                                                 PutOptions options) {
  const Fate fate = co_await begin(StoreCall::kPut, key.text());
  if (fate.is(Kind::kFailBefore)) strike(*fate.fault, "before the call");
  if (fate.is(Kind::kCut)) {
    co_await body.read();
    strike(*fate.fault, "in the middle of a put");
  }
  if (fate.is(Kind::kLate)) {
    Bytes whole = co_await read_all(body, std::numeric_limits<std::uint64_t>::max());
    {
      const std::lock_guard lock(mutex_);
      late_.push_back({std::move(key), std::move(whole), std::move(options), fate.fault->late_by});
    }
    strike(*fate.fault, "while the put is on its way");
  }
  auto etag = co_await inner_->put_stream(std::move(key), body, std::move(options));
  if (fate.is(Kind::kFailAfter)) strike(*fate.fault, "after the call");
  co_return etag;
}

Task<bool> FaultStore::remove(ObjectKey key, std::optional<Etag> if_match) {
  co_return co_await suffer(StoreCall::kRemove, key.text(),
                            [&] { return inner_->remove(key, if_match); });
}

Task<std::optional<Etag>> FaultStore::copy(ObjectKey from, ObjectKey to, PutOptions options) {
  co_return co_await suffer(StoreCall::kCopy, to.text(),
                            [&] { return inner_->copy(from, to, options); });
}

Task<std::optional<Tags>> FaultStore::tags(ObjectKey key) {
  co_return co_await suffer(StoreCall::kTags, key.text(), [&] { return inner_->tags(key); });
}

Task<bool> FaultStore::set_tags(ObjectKey key, Tags tags) {
  co_return co_await suffer(StoreCall::kSetTags, key.text(),
                            [&] { return inner_->set_tags(key, tags); });
}

}  // namespace headrace
