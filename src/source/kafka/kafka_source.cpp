#include "source/kafka/kafka_source.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <limits>
#include <map>
#include <set>

#include "core/error.h"
#include "core/retry.h"
#include "source/message_source.h"
#include "source/wake.h"

namespace headrace {
namespace {

constexpr Duration kPollAtLeast = std::chrono::seconds(1);
/// Between two turns of the loop, so that a full topic does not starve it.
constexpr int kMessagesAtOnce = 256;

class KafkaSource final : public MessageSource {
 public:
  KafkaSource(KafkaOptions options, CpuPool& io, Store& store, KeyMatcher matcher, Clock& clock,
              Random& random, const Log& log)
      : MessageSource(options.messages, store, std::move(matcher), clock, log),
        options_(std::move(options)),
        io_(io),
        clock_(clock),
        random_(random),
        log_(log) {}

  Task<> ack(Receipt receipt) override {
    messages_.ack(receipt);
    wake_.ring();
    co_return;
  }

  void drain() override {
    draining_ = true;
    wake_.ring();
  }

  Task<> run() override;
  void describe(JsonWriter& json) const override;

 private:
  /// A partition while it is ours: which of its messages are under way, and which of those done.
  struct Progress {
    bool ours = true;
    bool at_end = false;
    std::deque<std::pair<std::int64_t, bool>> under_way;  // Offsets, ascending.
  };

  KafkaConsumer::Events events();
  Task<> consume(boost::asio::posix::stream_descriptor& readable);
  Task<> take(KafkaMessage message);
  void done(const KafkaPartition& partition, Progress& progress, std::int64_t offset);
  void rest_or_go_on();
  bool finished() const;
  bool has_ended() const override { return ended_; }

  const KafkaOptions options_;
  CpuPool& io_;
  Clock& clock_;
  Random& random_;
  const Log& log_;

  std::unique_ptr<KafkaConsumer> consumer_;
  std::map<KafkaPartition, std::shared_ptr<Progress>> partitions_;
  Wake wake_;
  bool assigned_ = false;
  bool paused_ = false;
  bool draining_ = false;
  bool ended_ = false;
  std::optional<std::string> hopeless_;

  std::uint64_t empty_ = 0;
  std::uint64_t troubles_ = 0;
};

KafkaConsumer::Events KafkaSource::events() {
  KafkaConsumer::Events events;
  events.assigned = [this](std::vector<KafkaPartition> partitions) {
    assigned_ = true;
    if (!partitions.empty()) hopeless_.reset();
    for (const auto& one : partitions) partitions_[one] = std::make_shared<Progress>();
    if (paused_) consumer_->pause();
    log_.info("partitions assigned",
              {{"source", options_.messages.name}, {"count", partitions.size()}});
  };
  events.revoked = [this](std::vector<KafkaPartition> partitions) {
    for (const auto& one : partitions) {
      const auto found = partitions_.find(one);
      if (found == partitions_.end()) continue;
      found->second->ours = false;
      partitions_.erase(found);
    }
    log_.info("partitions taken away",
              {{"source", options_.messages.name}, {"count", partitions.size()}});
  };
  events.at_end = [this](const KafkaPartition& partition) {
    const auto found = partitions_.find(partition);
    if (found != partitions_.end()) found->second->at_end = true;
  };
  events.trouble = [this](const std::string& what, bool hopeless) {
    ++troubles_;
    log_.warning("kafka is in trouble", {{"source", options_.messages.name}, {"error", what}});
    if (hopeless) hopeless_ = what;
  };
  return events;
}

Task<> KafkaSource::run() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw errno_error(errno, "eventfd");
  boost::asio::posix::stream_descriptor readable(co_await boost::asio::this_coro::executor, fd);
  consumer_ = std::make_unique<KafkaConsumer>(options_.address, fd, events(), log_);
  std::exception_ptr stopped;
  try {
    co_await consume(readable);
  } catch (...) {
    stopped = std::current_exception();
  }
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  // Out of reach first: an ack() may come while it closes.
  co_await run_on(io_, [closing = std::move(consumer_)]() mutable {
    closing->close();
    closing.reset();
  });
  if (stopped) std::rethrow_exception(stopped);
  ended_ = true;
  changed_.notify_all();
}

Task<> KafkaSource::consume(boost::asio::posix::stream_descriptor& readable) {
  auto told = [&readable]() -> Task<> {
    co_await readable.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 boost::asio::use_awaitable);
  };
  while (true) {
    KafkaMessage message;
    int taken = 0;
    while (taken < kMessagesAtOnce && consumer_->poll(message)) {
      co_await take(std::exchange(message, {}));
      ++taken;
    }
    if (taken > 0) changed_.notify_all();
    rest_or_go_on();
    if (draining_ && hopeless_) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("kafka source {}: {}", options_.messages.name, *hopeless_));
    }
    if (finished()) co_return;
    if (taken == kMessagesAtOnce) {
      co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                 boost::asio::use_awaitable);
      continue;
    }
    co_await wake_.wait(clock_, clock_.now() + kPollAtLeast, told);
    std::uint64_t ignored = 0;
    (void)!::read(readable.native_handle(), &ignored, sizeof ignored);
  }
}

Task<> KafkaSource::take(KafkaMessage message) {
  const auto found = partitions_.find(message.partition);
  if (found == partitions_.end()) co_return;  // Taken away meanwhile: another's now.
  const std::shared_ptr<Progress> progress = found->second;
  progress->at_end = false;
  progress->under_way.emplace_back(message.offset, false);
  ReadMessage read;
  if (message.body.empty() && message.attributes.empty()) {
    ++empty_;
  } else {
    const RetryPolicy for_ever{std::numeric_limits<int>::max(),
                               {std::chrono::milliseconds(200), std::chrono::seconds(20)}};
    auto decode = [&] { return reader_.read(message.body, message.attributes); };
    read = co_await with_retry(for_ever, clock_, random_, decode);
  }
  messages_.push(std::move(read),
                 [this, partition = message.partition, progress, offset = message.offset] {
                   done(partition, *progress, offset);
                 });
}

void KafkaSource::done(const KafkaPartition& partition, Progress& progress, std::int64_t offset) {
  auto& under_way = progress.under_way;
  const auto at =
      std::ranges::lower_bound(under_way, offset, {}, &std::pair<std::int64_t, bool>::first);
  if (at == under_way.end() || at->first != offset) return;
  at->second = true;
  std::optional<std::int64_t> committed;
  while (!under_way.empty() && under_way.front().second) {
    committed = under_way.front().first + 1;
    under_way.pop_front();
  }
  if (committed && progress.ours && consumer_) consumer_->store(partition, *committed);
}

/// Keeps what is held within bounds. Polling goes on while partitions rest: the group would take a
/// silent member for dead.
void KafkaSource::rest_or_go_on() {
  if (!paused_ && messages_.held() >= options_.held) {
    paused_ = true;
    consumer_->pause();
  } else if (paused_ && messages_.held() <= options_.held / 2) {
    paused_ = false;
    consumer_->resume();
  }
}

bool KafkaSource::finished() const {
  return draining_ && assigned_ && messages_.held() == 0 &&
         std::ranges::all_of(partitions_, [](const auto& one) { return one.second->at_end; });
}

void KafkaSource::describe(JsonWriter& json) const {
  reader_.describe(json);
  json.key("partitions").number(static_cast<std::uint64_t>(partitions_.size()));
  json.key("unacknowledged").number(static_cast<std::uint64_t>(messages_.held()));
  json.key("paused").boolean(paused_);
  json.key("empty").number(empty_).key("troubles").number(troubles_);
}

}  // namespace

std::unique_ptr<Source> make_kafka_source(KafkaOptions options, CpuPool& io, Store& store,
                                          KeyMatcher matcher, Clock& clock, Random& random,
                                          const Log& log) {
  return std::make_unique<KafkaSource>(std::move(options), io, store, std::move(matcher), clock,
                                       random, log);
}

}  // namespace headrace
