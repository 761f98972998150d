#include "source/watch/watch_source.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "source/given_objects.h"
#include "source/wake.h"
#include "source/watch/folder_scan.h"
#include "source/watch/inotify.h"

namespace headrace {
namespace {

using watch::Change;
using watch::FolderScan;
using watch::Inotify;

constexpr std::size_t kMostChanged = 65'536;
constexpr std::size_t kMostSettling = 65'536;
constexpr std::size_t kScanStep = 1024;

std::string folder_of(const std::string& prefix) {
  return prefix.substr(0, prefix.rfind('/') + 1);  // npos + 1 is 0.
}

/// Keys that something happened to, each once, in the order of their first change.
class Changed {
 public:
  enum class What : unsigned char { kWritten, kLinked, kGone };

  void add(std::string key, What what) {
    const auto [at, is_new] = what_.insert_or_assign(key, what);
    if (is_new) order_.push_back(std::move(key));
  }
  std::vector<std::string> first(std::size_t most) const {
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(std::min(most, order_.size()));
    return {order_.begin(), end};
  }
  What pop() {
    auto node = what_.extract(order_.front());
    order_.pop_front();
    return node.mapped();
  }
  std::size_t size() const { return order_.size(); }

 private:
  std::deque<std::string> order_;
  std::unordered_map<std::string, What> what_;
};

/// What the pool works on. Shared with the work under way, so that the source may be destroyed
/// meanwhile; touched by one at a time, because next() waits for the pool.
struct Tree {
  explicit Tree(FolderScan the_scan) : scan(std::move(the_scan)) {}
  FolderScan scan;
  std::optional<Inotify> inotify;  // From the start on.
  std::vector<ObjectInfo> found;
};

class WatchSource final : public Source {
 public:
  WatchSource(WatchOptions options, KeyMatcher matcher, SourceMemory& memory, CpuPool& io,
              Clock& clock, Random& random, const Log& log)
      : options_(std::move(options)),
        origin_{options_.name, options_.store, "watch"},
        matcher_(std::move(matcher)),
        io_(io),
        clock_(clock),
        random_(random),
        log_(log),
        tree_(std::make_shared<Tree>(FolderScan(options_.root, options_.bucket,
                                                folder_of(options_.prefix), options_.prefix))),
        given_(memory, options_.name, options_.remember) {}

  Task<std::optional<EventBatch>> next() override {
    try {
      if (!started_) co_await start();
      while (true) {
        read_changes();
        EventBatch batch = co_await gather();
        if (!batch.events.empty()) co_return batch;
        if (has_work()) continue;
        if (draining_ && settling_.empty()) co_return std::nullopt;
        co_await wait();
      }
    } catch (const boost::system::system_error&) {
      throw to_error(std::current_exception());
    }
  }

  Task<> ack(Receipt receipt) override { co_await given_.settle(receipt); }

  void drain() override {
    draining_ = true;
    wake_.ring();
  }

 private:
  struct Settling {
    std::string key;
    Etag etag;
  };
  /// A batch being put together. Nothing may be awaited while one is held: a cancelled next()
  /// would lose what is in it.
  struct Draft {
    std::vector<Event> events;
    std::vector<GivenObjects::Given> given;
  };

  Task<> start() {
    co_await given_.load();
    tree_->inotify.emplace();
    // A descriptor of its own, because Asio's object closes what it is given.
    readable_.emplace(co_await boost::asio::this_coro::executor,
                      ::fcntl(tree_->inotify->fd(), F_DUPFD_CLOEXEC, 0));
    look_at_everything();
    started_ = true;
  }

  void look_at_everything() {
    given_.begin_pass();
    in_pass_ = true;
    tree_->scan.restart();
  }

  /// Takes what the kernel has, as long as there is room for it here.
  void read_changes() {
    while (changed_.size() < kMostChanged) {
      std::vector<Change> changes = tree_->inotify->read();
      if (changes.empty()) return;
      for (Change& change : changes) take(std::move(change));
    }
  }

  void take(Change change) {
    switch (change.kind) {
      case Change::Kind::kWritten:
        return changed(std::move(change.path), Changed::What::kWritten);
      case Change::Kind::kLinked:
        return changed(std::move(change.path), Changed::What::kLinked);
      case Change::Kind::kGone:
        return changed(std::move(change.path), Changed::What::kGone);
      case Change::Kind::kNewFolder:
        return tree_->scan.add(std::move(change.path));
      case Change::Kind::kFolderGone:
        log_.warning("a folder was moved away; what was in it gives no deletions",
                     {{"source", options_.name}, {"folder", change.path}});
        return;
      case Change::Kind::kRootGone:
        log_.warning("the watched folder is gone; it is made again", {{"source", options_.name}});
        return look_at_everything();
      case Change::Kind::kOverflow:
        log_.warning("the kernel dropped changes; listing everything", {{"source", options_.name}});
        return look_at_everything();
    }
  }

  void changed(std::string key, Changed::What what) {
    if (tree_->scan.wants(key)) changed_.add(std::move(key), what);
  }

  bool has_work() const {
    return changed_.size() > 0 || at_ < tree_->found.size() || !tree_->scan.done() || in_pass_ ||
           any_settled();
  }
  bool any_settled() const {
    return !settling_.empty() && settling_.begin()->first <= clock_.now();
  }

  /// One step of whatever is to be done.
  Task<EventBatch> gather() {
    const bool listing = at_ < tree_->found.size() || !tree_->scan.done();
    changes_next_ = !changes_next_ || !listing;
    if (changed_.size() > 0 && changes_next_) co_return co_await look_at_changed();
    if (any_settled()) co_return co_await look_at_settled();
    if (at_ < tree_->found.size()) co_return take_found();
    if (!tree_->scan.done()) {
      if (settling_.size() < kMostSettling) {
        co_await scan_on();
      } else {
        co_await wait();
      }
    } else if (in_pass_) {
      in_pass_ = false;
      co_await given_.end_pass();
      log_.debug("listing ended", {{"source", options_.name},
                                   {"watches", tree_->inotify->watches()},
                                   {"remembered", given_.size()},
                                   {"unmatched", unmatched_}});
    }
    co_return EventBatch{};
  }

  Task<> scan_on() {
    tree_->found.clear();
    at_ = 0;
    co_await run_on(io_,
                    [tree = tree_] { tree->scan.step(*tree->inotify, kScanStep, tree->found); });
  }

  Task<std::vector<std::optional<FolderScan::Now>>> look_at(std::vector<std::string> keys) {
    co_return co_await run_on(
        io_, [tree = tree_, keys = std::move(keys)] { return tree->scan.look_at(keys); });
  }

  Task<EventBatch> look_at_changed() {
    const std::vector<std::string> keys = changed_.first(kMostEvents);
    auto now = co_await look_at(keys);
    Draft draft;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Changed::What what = changed_.pop();
      if (!now[i]) {
        if (what == Changed::What::kGone) add_deleted(draft, keys[i]);
      } else if (what != Changed::What::kLinked) {
        add_created(draft, std::move(now[i]->info));
      } else if (now[i]->links > 1) {
        // With one name only it is a file being written: its end will be told.
        add_when_settled(draft, std::move(now[i]->info));
      }
    }
    co_return finish(std::move(draft));
  }

  EventBatch take_found() {
    Draft draft;
    for (; at_ < tree_->found.size() && draft.events.size() < kMostEvents; ++at_) {
      add_when_settled(draft, std::move(tree_->found[at_]));
    }
    return finish(std::move(draft));
  }

  Task<EventBatch> look_at_settled() {
    std::vector<std::string> keys;
    const Time time = clock_.now();
    for (auto at = settling_.begin(); at != settling_.end() && at->first <= time; ++at) {
      keys.push_back(at->second.key);
      if (keys.size() == kMostEvents) break;
    }
    auto now = co_await look_at(keys);
    Draft draft;
    for (auto& one : now) {
      const Settling waited = std::move(settling_.extract(settling_.begin()).mapped());
      if (!one) continue;
      if (one->info.etag == waited.etag) {
        add_created(draft, std::move(one->info));
      } else if (draining_) {
        log_.warning("a file is still being written; it is left for the next run",
                     {{"source", options_.name}, {"key", waited.key}});
      } else if (given_.is_new(waited.key, one->info.etag)) {
        settling_.emplace(clock_.now() + options_.settle,
                          Settling{waited.key, std::move(one->info.etag)});
      }
    }
    co_return finish(std::move(draft));
  }

  std::optional<KeyFields> fields_of(const std::string& key) {
    std::optional<KeyFields> fields = match_key(matcher_, key);
    if (!fields) {
      ++unmatched_;
      log_.debug("key does not fit the template", {{"source", options_.name}, {"key", key}});
    }
    return fields;
  }

  void add_created(Draft& draft, ObjectInfo object) {
    std::optional<KeyFields> fields = fields_of(object.key.path);
    if (!fields || !given_.is_new(object.key.path, object.etag)) return;
    draft.given.push_back(GivenObjects::given(object.key.path, object.etag));
    draft.events.push_back(created_event(origin_, std::move(object), std::move(*fields), random_));
  }

  void add_deleted(Draft& draft, const std::string& key) {
    if (!given_.has(key)) return;  // Nobody was told that it was there: a file on its way.
    std::optional<KeyFields> fields = fields_of(key);
    if (!fields) return;
    draft.given.push_back(GivenObjects::given(key, std::nullopt));
    draft.events.push_back(deleted_event(origin_, ObjectKey{options_.bucket, key},
                                         std::move(*fields), clock_.now(), random_));
  }

  void add_when_settled(Draft& draft, ObjectInfo object) {
    const Time now = clock_.now();
    if (object.modified + options_.settle <= now) return add_created(draft, std::move(object));
    if (!match_key(matcher_, object.key.path)) return;
    if (!given_.is_new(object.key.path, object.etag)) return;
    settling_.emplace(now + options_.settle,
                      Settling{std::move(object.key.path), std::move(object.etag)});
  }

  EventBatch finish(Draft draft) {
    EventBatch batch;
    if (draft.events.empty()) return batch;
    batch.events = std::move(draft.events);
    batch.receipt = given_.give(std::move(draft.given));
    return batch;
  }

  Task<> wait() {
    std::optional<Time> due;
    if (!settling_.empty()) due = settling_.begin()->first;
    co_await wake_.wait(clock_, due, [this]() -> Task<> {
      co_await readable_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                     boost::asio::use_awaitable);
    });
  }

  const WatchOptions options_;
  const EventOrigin origin_;
  const KeyMatcher matcher_;
  CpuPool& io_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  const std::shared_ptr<Tree> tree_;
  std::optional<boost::asio::posix::stream_descriptor> readable_;
  GivenObjects given_;
  Wake wake_;
  bool started_ = false;
  bool draining_ = false;
  bool in_pass_ = false;

  Changed changed_;
  std::size_t at_ = 0;        // Into tree_->found.
  bool changes_next_ = true;  // Changes and the listing take turns.
  std::multimap<Time, Settling> settling_;
  std::uint64_t unmatched_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_watch_source(WatchOptions options, KeyMatcher matcher,
                                          SourceMemory& memory, CpuPool& io, Clock& clock,
                                          Random& random, const Log& log) {
  return std::make_unique<WatchSource>(std::move(options), std::move(matcher), memory, io, clock,
                                       random, log);
}

}  // namespace headrace
