#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/random.h"
#include "store/store.h"

namespace headrace {

enum class StoreCall : unsigned char {
  kGet,
  kHead,
  kList,
  kListBuckets,
  kPut,
  kRemove,
  kCopy,
  kTags,
  kSetTags,
};

/// What goes wrong, and when: the calls that match `call` and `key` are counted from 1, and those
/// from number `first` on, `times` of them, are hit with `probability`.
struct StoreFault {
  enum class Kind : unsigned char {
    kFailBefore,  ///< The call does nothing and fails.
    kFailAfter,   ///< The call does its work and fails: a lost answer.
    kDelay,       ///< The call waits for `delay` first.
    kCut,         ///< get: the body fails within itself. put: fails after a piece was read.
    kCutQuietly,  ///< get: the body ends too early without saying so.
    kLate,        ///< put: fails, and lands after `late_by` more calls have begun, or at land().
  };
  Kind kind = Kind::kFailBefore;
  std::optional<StoreCall> call;  ///< Absent: any.
  std::string key;                ///< Prefix of "bucket/key"; the bucket for kList.
  double probability = 1;
  std::uint64_t first = 1;
  std::uint64_t times = std::numeric_limits<std::uint64_t>::max();
  Duration delay{};
  ErrorKind error = ErrorKind::kTransient;
  std::uint64_t late_by = std::numeric_limits<std::uint64_t>::max();
};

/// A store that fails on purpose, the same way for the same seed and order of calls. Of several
/// faults that hit a call, all delays are taken and the first other one. Any thread may call.
class FaultStore final : public Store {
 public:
  FaultStore(std::unique_ptr<Store> inner, Clock& clock, std::uint64_t seed);

  void add(StoreFault fault);
  void clear();
  /// Lets the late puts land that are left, in their order and under their conditions, as all of
  /// them do; how many there were.
  Task<std::size_t> land();
  /// How many calls of this kind came in, failed ones included.
  std::uint64_t calls(StoreCall call) const;

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override;
  Task<std::optional<ObjectInfo>> head(ObjectKey key) override;
  Task<ListPage> list(std::string bucket, ListOptions options) override;
  Task<std::vector<std::string>> list_buckets() override;
  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override;
  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override;
  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override;
  Task<std::optional<Tags>> tags(ObjectKey key) override;
  Task<bool> set_tags(ObjectKey key, Tags tags) override;

 private:
  struct Rule {
    StoreFault fault;
    std::uint64_t matched = 0;
  };
  struct LatePut {
    ObjectKey key;
    Bytes body;
    PutOptions options;
    std::uint64_t late_by;  // Calls.
  };
  /// What happens to one call.
  struct Fate {
    std::optional<StoreFault> fault;
    Duration delay{};
    std::uint64_t chance = 0;
    bool is(StoreFault::Kind kind) const { return fault && fault->kind == kind; }
  };

  Fate decide(StoreCall call, const std::string& key);
  std::vector<LatePut> take_late(bool all);
  Task<> land(std::vector<LatePut> late);
  /// What comes before a call: late puts land, and it is delayed.
  Task<Fate> begin(StoreCall call, std::string key);
  template <class Work>
  auto suffer(StoreCall call, std::string key, Work work) -> decltype(work());

  std::unique_ptr<Store> inner_;
  Clock& clock_;
  mutable std::mutex mutex_;  // Guards what follows.
  SeededRandom random_;
  std::vector<Rule> rules_;
  std::map<StoreCall, std::uint64_t> calls_;
  std::vector<LatePut> late_;
};

}  // namespace headrace
