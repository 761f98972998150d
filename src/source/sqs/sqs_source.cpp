#include "source/sqs/sqs_source.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <deque>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/retry.h"
#include "source/message_source.h"
#include "source/together.h"
#include "source/wake.h"

namespace headrace {
namespace {

constexpr std::size_t kPerBatch = 10;  // SQS allows no more.
constexpr Duration kLongestLease = std::chrono::hours(12);
constexpr Duration kVisibilityUnlessTold = std::chrono::seconds(30);
constexpr Duration kShortestVisibility = std::chrono::seconds(4);
constexpr Duration kWaitWhenDraining = std::chrono::seconds(1);
constexpr Duration kGrace = std::chrono::seconds(5);
constexpr Backoff kBackoff{std::chrono::milliseconds(200), std::chrono::seconds(20)};
constexpr Duration kPauseForAPerson = std::chrono::minutes(1);

class SqsSource final : public MessageSource {
 public:
  SqsSource(SqsOptions options, HttpClient& client,
            std::unique_ptr<CredentialsProvider> credentials, Store& store, KeyMatcher matcher,
            Clock& clock, Random& random, const Log& log)
      : MessageSource(options.messages, store, std::move(matcher), clock, log),
        options_(std::move(options)),
        credentials_(std::move(credentials)),
        queue_(options_.address, client, *credentials_, clock),
        clock_(clock),
        random_(random),
        log_(log) {}

  Task<> ack(Receipt receipt) override {
    messages_.ack(receipt);
    changed_.notify_all();
    co_return;
  }

  void drain() override { draining_ = true; }
  Task<> run() override;
  void describe(JsonWriter& json) const override;

 private:
  /// A message from its receive to its delete.
  struct Held {
    std::string receipt;
    std::size_t bytes = 0;
    Duration received{};  // On the monotonic clock, as is the next.
    Duration hidden{};    // Since when for another visibility timeout.
    bool lost = false;    // No longer ours to extend.
  };
  using HeldId = std::uint64_t;

  Task<> open();
  Task<> receive_loop();
  Task<std::vector<SqsMessage>> receive();
  Task<> take(SqsMessage message);
  Task<> delete_loop();
  Task<> delete_some();
  Task<> heartbeat_loop();
  Task<> extend_due();
  Task<> settle_up();
  Task<> give_back();
  void drop(HeldId id);
  bool room() const { return held_.size() < options_.held && held_bytes_ < options_.held_bytes; }
  bool finished() const { return receiving_ == 0 && held_.empty(); }
  bool has_ended() const override { return ended_; }

  /// Tries for ever; what a person must mend ends it only until the queue has worked once, or when
  /// draining.
  template <class Make>
  auto patiently(std::string_view what, Make make) -> std::invoke_result_t<Make&>;

  const SqsOptions options_;
  const std::unique_ptr<CredentialsProvider> credentials_;
  SqsQueue queue_;
  Clock& clock_;
  Random& random_;
  const Log& log_;

  std::map<HeldId, Held> held_;  // In the order of receiving.
  std::uint64_t held_bytes_ = 0;
  HeldId next_id_ = 1;
  std::deque<HeldId> durable_;  // To be deleted.
  Wake heartbeat_;
  Duration visibility_ = kVisibilityUnlessTold;
  int receiving_ = 0;
  bool worked_ = false;
  bool draining_ = false;
  bool ended_ = false;

  std::uint64_t received_ = 0;
  std::uint64_t deleted_ = 0;
  std::uint64_t poison_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t leases_lost_ = 0;
  std::uint64_t failures_ = 0;
};

template <class Make>
auto SqsSource::patiently(std::string_view what, Make make) -> std::invoke_result_t<Make&> {
  const RetryPolicy for_ever{std::numeric_limits<int>::max(), kBackoff};
  auto told = [this, &make, what]() -> std::invoke_result_t<Make&> {
    try {
      co_return co_await make();
    } catch (const Error& error) {
      const bool mendable = error.kind() == ErrorKind::kInvalid && worked_ && !draining_;
      if (error.kind() != ErrorKind::kTransient && !mendable) throw;
      ++failures_;
      log_.warning("waiting to try again",
                   {{"source", options_.messages.name}, {"what", what}, {"error", error.what()}});
      if (!mendable) throw;
      throw Error(ErrorKind::kTransient, error.what(),
                  std::chrono::duration_cast<std::chrono::milliseconds>(kPauseForAPerson));
    }
  };
  co_return co_await with_retry(for_ever, clock_, random_, told);
}

Task<> SqsSource::run() {
  std::exception_ptr stopped;
  try {
    co_await open();
    std::vector<Task<>> tasks;
    receiving_ = options_.receivers;
    for (int i = 0; i < options_.receivers; ++i) {
      tasks.push_back(receive_loop());
      tasks.push_back(delete_loop());
    }
    tasks.push_back(heartbeat_loop());
    co_await together(std::move(tasks));
    ended_ = true;
    changed_.notify_all();
  } catch (...) {
    stopped = std::current_exception();
  }
  if (!stopped) co_return;
  co_await settle_up();
  std::rethrow_exception(stopped);
}

Task<> SqsSource::open() {
  auto find = [this] { return queue_.open(); };
  co_await patiently("find the queue", find);
  auto ask = [this] { return queue_.visibility_timeout(); };
  visibility_ = kVisibilityUnlessTold;
  if (options_.visibility) {
    visibility_ = *options_.visibility;
  } else if (const auto told = co_await patiently("read the queue's attributes", ask)) {
    visibility_ = std::max(*told, kShortestVisibility);
  }
  log_.info("receiving from a queue", {{"source", options_.messages.name},
                                       {"queue", queue_.url()},
                                       {"visibility", format_duration(visibility_)}});
}

Task<> SqsSource::receive_loop() {
  while (true) {
    while (!room()) co_await changed_.wait();
    std::vector<SqsMessage> messages = co_await receive();
    if (messages.empty() && draining_) break;
    for (SqsMessage& message : messages) co_await take(std::move(message));
  }
  --receiving_;
  changed_.notify_all();
  if (finished()) heartbeat_.ring();
}

Task<std::vector<SqsMessage>> SqsSource::receive() {
  auto poll = [this] {
    return queue_.receive(options_.batch,
                          draining_ ? std::min(options_.wait, kWaitWhenDraining) : options_.wait,
                          visibility_);
  };
  auto messages = co_await patiently("receive", poll);
  worked_ = true;
  co_return messages;
}

Task<> SqsSource::take(SqsMessage message) {
  ++received_;
  if (!message.whole && message.receives <= options_.max_receives) {
    ++damaged_;
    log_.warning("a message does not have the digest it came with; left for its next delivery",
                 {{"source", options_.messages.name}, {"message", message.id}});
    co_return;
  }
  const HeldId id = next_id_++;
  const Duration now = clock_.monotonic();
  held_.emplace(id, Held{std::move(message.receipt), message.body.size(), now, now});
  held_bytes_ += message.body.size();
  ReadMessage read;
  if (message.receives > options_.max_receives) {
    ++poison_;
    read.garbage.push_back({fmt::format("message {} was received {} times and never finished",
                                        message.id, message.receives),
                            std::move(message.body)});
  } else {
    // The body by reference: a try again needs it as well.
    auto decode = [&] { return reader_.read(message.body, message.attributes); };
    read = co_await patiently("check with the store", decode);
  }
  messages_.push(std::move(read), [this, id] {
    durable_.push_back(id);
    changed_.notify_all();
  });
  changed_.notify_all();
}

void SqsSource::drop(HeldId id) {
  const auto found = held_.find(id);
  held_bytes_ -= found->second.bytes;
  held_.erase(found);
  if (finished()) heartbeat_.ring();
}

Task<> SqsSource::delete_loop() {
  while (true) {
    while (durable_.empty()) {
      if (finished()) co_return;
      co_await changed_.wait();
    }
    co_await delete_some();
  }
}

/// One request's worth. What was not deleted is back in `durable_`, or dropped if it is lost.
Task<> SqsSource::delete_some() {
  const std::size_t count = std::min(durable_.size(), kPerBatch);
  std::vector<HeldId> ids(durable_.begin(), durable_.begin() + static_cast<std::ptrdiff_t>(count));
  durable_.erase(durable_.begin(), durable_.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<std::string> receipts;
  for (const HeldId id : ids) receipts.push_back(held_.at(id).receipt);
  std::vector<SqsQueue::Failed> failed;
  std::exception_ptr failure;
  try {
    auto remove = [&] { return queue_.remove(receipts); };
    failed = co_await patiently("delete", remove);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    durable_.insert(durable_.begin(), ids.begin(), ids.end());
    std::rethrow_exception(failure);
  }
  std::size_t lost = 0;
  std::size_t again = 0;
  for (const auto& one : failed) {
    if (one.lost) {
      ++lost;
      log_.debug("a message could not be deleted and may come again",
                 {{"source", options_.messages.name}, {"why", one.why}});
    } else {
      ++again;
      durable_.push_back(std::exchange(ids[one.entry], 0));
    }
  }
  for (const HeldId id : ids) {
    if (id != 0) drop(id);
  }
  deleted_ += count - lost - again;
  changed_.notify_all();
  if (again > 0) co_await clock_.sleep(kBackoff.pause(1, random_));
}

Task<> SqsSource::heartbeat_loop() {
  while (!finished()) {
    co_await heartbeat_.wait(clock_, clock_.now() + visibility_ / 4);
    if (!finished()) co_await extend_due();
  }
}

Task<> SqsSource::extend_due() {
  const Duration now = clock_.monotonic();
  std::vector<HeldId> due;
  for (auto& [id, held] : held_) {
    if (held.lost || now - held.hidden < visibility_ / 2) continue;
    held.lost = now + visibility_ > held.received + kLongestLease;
    if (held.lost) ++leases_lost_;
    if (!held.lost) due.push_back(id);
  }
  for (std::size_t at = 0; at < due.size(); at += kPerBatch) {
    const std::size_t end = std::min(at + kPerBatch, due.size());
    std::vector<std::string> receipts;
    std::vector<HeldId> ids;
    for (std::size_t i = at; i < end; ++i) {
      const auto held = held_.find(due[i]);
      if (held == held_.end()) continue;  // Deleted meanwhile.
      ids.push_back(due[i]);
      receipts.push_back(held->second.receipt);
    }
    if (ids.empty()) continue;
    auto extend = [&] { return queue_.extend(receipts, visibility_); };
    const auto failed = co_await patiently("keep messages hidden", extend);
    for (const HeldId id : ids) {
      if (held_.contains(id)) held_.at(id).hidden = now;
    }
    for (const auto& one : failed) {
      const auto held = held_.find(ids[one.entry]);
      if (held == held_.end()) continue;
      held->second.hidden = one.lost ? now : held->second.hidden - visibility_ / 4;
      held->second.lost = one.lost;
      leases_lost_ += one.lost ? 1 : 0;
    }
  }
}

/// The end of a run that was stopped: what is durable is deleted, the rest given back.
Task<> SqsSource::settle_up() {
  using boost::asio::experimental::awaitable_operators::operator||;
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  if (queue_.url().empty() || held_.empty()) co_return;
  try {
    co_await (give_back() || clock_.sleep(kGrace));
  } catch (const std::exception& error) {
    log_.debug("messages were not given back",
               {{"source", options_.messages.name}, {"error", error.what()}});
  }
}

Task<> SqsSource::give_back() {
  while (!durable_.empty()) co_await delete_some();
  std::vector<std::string> receipts;
  for (const auto& [id, held] : held_) {
    if (!held.lost) receipts.push_back(held.receipt);
    if (receipts.size() < kPerBatch && id != held_.rbegin()->first) continue;
    co_await queue_.extend(std::exchange(receipts, {}), Duration(0));
  }
}

void SqsSource::describe(JsonWriter& json) const {
  json.key("queue").string(queue_.url());
  reader_.describe(json);
  json.key("received").number(received_).key("deleted").number(deleted_);
  json.key("held").number(static_cast<std::uint64_t>(held_.size()));
  json.key("poison").number(poison_).key("damaged").number(damaged_);
  json.key("leases_lost").number(leases_lost_).key("failures").number(failures_);
}

}  // namespace

std::unique_ptr<Source> make_sqs_source(SqsOptions options, HttpClient& client,
                                        std::unique_ptr<CredentialsProvider> credentials,
                                        Store& store, KeyMatcher matcher, Clock& clock,
                                        Random& random, const Log& log) {
  return std::make_unique<SqsSource>(std::move(options), client, std::move(credentials), store,
                                     std::move(matcher), clock, random, log);
}

}  // namespace headrace
