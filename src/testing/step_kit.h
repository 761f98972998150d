#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "format/compression.h"
#include "step/own_marks.h"
#include "step/step.h"
#include "store/memory/memory_store.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

/// What tests of steps share: a store that can fail and can be interfered with, and tasks on it.
namespace headrace::step_kit {

/// Passes calls on; `before` runs first and hears what is to be done.
class HookStore final : public Store {
 public:
  explicit HookStore(Store& inner) : inner_(inner) {}

  std::function<void(std::string_view call)> before = [](std::string_view) {};

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    before("get");
    return inner_.get(std::move(key), std::move(options));
  }
  Task<std::optional<ObjectInfo>> head(ObjectKey key) override {
    before("head");
    return inner_.head(std::move(key));
  }
  Task<ListPage> list(std::string bucket, ListOptions options) override {
    return inner_.list(std::move(bucket), std::move(options));
  }
  Task<std::vector<std::string>> list_buckets() override { return inner_.list_buckets(); }
  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override {
    before("put");
    return inner_.put_stream(std::move(key), body, std::move(options));
  }
  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    before("remove");
    return inner_.remove(std::move(key), std::move(if_match));
  }
  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    before("copy");
    return inner_.copy(std::move(from), std::move(to), std::move(options));
  }
  Task<std::optional<Tags>> tags(ObjectKey key) override {
    before("tags");
    return inner_.tags(std::move(key));
  }
  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    before("set_tags");
    return inner_.set_tags(std::move(key), std::move(tags));
  }

 private:
  Store& inner_;
};

/// Remembers what was announced.
class AnnouncedWrites final : public SelfWrites {
 public:
  Task<std::string> begin(std::string store, ObjectKey key) override {
    fail_if_due();
    const std::string id = "w" + std::to_string(begun.size() + 1);
    begun.push_back(store + "://" + key.text());
    open.insert_or_assign(id, key);
    co_return id;
  }
  Task<> end(std::string id, std::optional<Etag> etag) override {
    fail_if_due();
    open.erase(id);
    ended.push_back(std::move(etag));
    co_return;
  }

  int fail_at = 0;  ///< The call that fails, from 1.
  std::vector<std::string> begun;
  std::map<std::string, ObjectKey> open;
  std::vector<std::optional<Etag>> ended;

 private:
  void fail_if_due() {
    if (++calls_ == fail_at) throw Error(ErrorKind::kTransient, "the ledger is full");
  }
  int calls_ = 0;
};

/// One object as a test sees it.
struct Seen {
  Bytes body;
  Tags tags;
  Metadata metadata;
  bool operator==(const Seen&) const = default;
};

/// Runs a task on the services' loop to its end and returns or throws what it did: for a sink,
/// whose work on the CPU pool comes back into that loop.
template <class T>
T await(boost::asio::io_context& loop, Task<T> task) {
  std::exception_ptr failure;
  std::optional<T> result;
  loop.restart();
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
    failure = error;
    if (!error) result.emplace(std::move(value));
  });
  // The loop must not end while it waits for the pool.
  const auto guard = boost::asio::make_work_guard(loop);
  while (!failure && !result) loop.run_one();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

class World {
 public:
  World() {
    stores.add("lake", std::make_unique<HookStore>(faults));
    stores.add("cold", std::make_unique<HookStore>(cold_faults));
  }

  /// Puts an object behind the back of faults and hooks, and gives the event that tells of it.
  Event put(ObjectKey key, Bytes body, PutOptions options = {}) {
    Event event;
    event.id = "event-" + std::to_string(++events_);
    event.store = "lake";
    event.object = key;
    event.size = body.size();
    event.etag = run_task(lake->put(std::move(key), std::move(body), std::move(options)));
    return event;
  }

  /// The event of what a key holds now, as a producer would tell of it.
  Event announce(const ObjectKey& key) {
    Event event;
    event.id = "event-" + std::to_string(++events_);
    event.store = "lake";
    event.object = key;
    event.etag = run_task(lake->head(key)).value().etag;
    return event;
  }

  static TaskContext task(const Event& event, std::string route = "route") {
    TaskContext context;
    context.event = event;
    context.route = std::move(route);
    context.object = event.object;
    context.etag = event.etag;
    return context;
  }

  std::optional<Seen> see(ObjectKey key) { return see(*lake, std::move(key)); }
  static std::optional<Seen> see(Store& store, const ObjectKey& key) {
    auto object = run_task(store.get(key));
    if (!object) return std::nullopt;
    return Seen{run_task(read_all(*object->body, 1u << 30)), run_task(store.tags(key)).value(),
                object->info.metadata};
  }
  Bytes body(ObjectKey key) { return see(std::move(key)).value().body; }

  /// Everything in both stores. The id of a write is left out: each try has its own.
  std::map<std::string, Seen> all() {
    std::map<std::string, Seen> all;
    for (const auto& [name, store] : {std::pair("lake", lake), std::pair("cold", cold)}) {
      for (const std::string& bucket : run_task(store->list_buckets())) {
        for (const ObjectInfo& info : run_task(store->list(bucket, {})).objects) {
          Seen seen = see(*store, info.key).value();
          seen.metadata.erase(std::string(kWriteId));
          all.emplace(std::string(name) + "://" + info.key.text(), std::move(seen));
        }
      }
    }
    return all;
  }

  template <class T>
  T await(Task<T> task) {
    return step_kit::await(loop, std::move(task));
  }

  /// A process brings a batch to a sink and dies, if it comes so far, as the fault says; the next
  /// one resolves what it left. `process` gives each its sink.
  struct CutShort {
    bool died = false;
    std::vector<Event> again;  ///< What the next one has to bring then.
  };
  CutShort cut_short(StoreFault fault, const std::string& group, const std::vector<Event>& events,
                     const std::function<Sink&()>& process) {
    CutShort out;
    std::unique_ptr<Sink::Prepared> prepared;
    Sink& first = process();
    faults.add(std::move(fault));
    try {
      prepared = await(first.prepare(group, "app", events));
      for (const auto& item : prepared->items) out.died = out.died || item.failed;
      if (!out.died) await(first.commit(*prepared));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kTransient) throw;
      out.died = true;
    }
    faults.clear();
    Sink& second = process();
    const bool planned = prepared && !prepared->empty;
    const bool done = planned && await(second.resolve(prepared->plan));
    if (planned) second.forget(prepared->plan);
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!done || prepared->items[i].failed) out.again.push_back(events[i]);
    }
    return out;
  }

  HookStore& hook() { return static_cast<HookStore&>(stores.at("lake")); }

  ManualClock clock;
  SeededRandom random{1};
  FaultStore faults{make_memory_store(clock), clock, 1};
  FaultStore cold_faults{make_memory_store(clock), clock, 1};
  Store* lake = &faults;  // Tests add faults only around the step under test.
  Store* cold = &cold_faults;
  Stores stores;
  CpuPool cpu{1};
  AnnouncedWrites self_writes;
  boost::asio::io_context loop;
  StepServices services{.executor = loop.get_executor(),
                        .stores = stores,
                        .cpu = cpu,
                        .clock = clock,
                        .random = random,
                        .self_writes = self_writes};

 private:
  int events_ = 0;
};

inline Bytes packed(Compression compression, BytesView plain) {
  Compressor compressor(compression);
  Bytes out = compressor.push(plain);
  return out + compressor.finish();
}

inline Bytes unpacked(Bytes bytes) {
  const auto source = decompressing(source_of(std::move(bytes)));
  return run_task(read_all(*source, 1u << 30));
}

}  // namespace headrace::step_kit
