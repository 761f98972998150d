#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <list>

#include "core/error.h"
#include "net/http_client.h"
#include "source/source.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"

namespace headrace {

/// A loop on which a source runs as in the engine: run() beside next(). The source's clock stands
/// still; its sockets are real.
class SourceTest : public testing::Test {
 protected:
  void TearDown() override { stop_all(); }

  /// Runs the loop until the condition holds.
  void until(const std::function<bool()>& condition) {
    loop_.restart();
    while (!condition()) ASSERT_EQ(loop_.run_one(), 1u) << "nothing left to wait for";
  }
  struct Background {
    boost::asio::cancellation_signal stop;
    std::exception_ptr failure;
    bool ended = false;
  };
  /// A background task, which stop_all() cancels and waits for.
  Background& start(Task<> task) {
    auto& one = background_.emplace_back();
    boost::asio::co_spawn(
        loop_, std::move(task),
        boost::asio::bind_cancellation_slot(one.stop.slot(), [&one](std::exception_ptr failure) {
          one.failure = failure;
          one.ended = true;
        }));
    return one;
  }
  void stop(Background& one) {
    if (one.ended) return;
    one.stop.emit(boost::asio::cancellation_type::terminal);
    until([&] { return one.ended; });
  }
  /// The last first.
  void stop_all() {
    for (auto one = background_.rbegin(); one != background_.rend(); ++one) stop(*one);
  }
  void stop_last() { stop(background_.back()); }
  /// The background task that was started last.
  const Background& background() const { return background_.back(); }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      result.emplace(std::move(value));
    });
    until([&] { return result.has_value(); });
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  /// How the background task that was started last ended.
  std::optional<ErrorKind> failure() {
    auto& last = background_.back();
    until([&] { return last.ended; });
    if (!last.failure) return std::nullopt;
    return to_error(last.failure).kind();
  }

  std::optional<EventBatch> next() { return run(source_->next()); }
  void ack(const EventBatch& batch) {
    run([](Source& source, Receipt receipt) -> Task<bool> {
      co_await source.ack(receipt);
      co_return true;
    }(*source_, batch.receipt));
  }
  std::vector<std::string> keys_of(const EventBatch& batch) {
    std::vector<std::string> keys;
    for (const Event& event : batch.events) keys.push_back(event.object.path);
    return keys;
  }
  /// Everything until the source ends, acknowledged.
  std::vector<std::string> drain() {
    source_->drain();
    std::vector<std::string> keys;
    while (auto batch = next()) {
      for (const std::string& key : keys_of(*batch)) keys.push_back(key);
      ack(*batch);
    }
    return keys;
  }

  /// An S3 record of AWS.
  static std::string record(const std::string& key, const std::string& bucket = "bucket") {
    return fmt::format(
        R"({{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-central-1",)"
        R"("eventTime":"2027-01-15T08:00:00.000Z","eventName":"ObjectCreated:Put",)"
        R"("s3":{{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{{"name":"{}"}},)"
        R"("object":{{"key":"{}","size":5,"eTag":"e1","sequencer":"0055AED6DCD90281E5"}}}}}})",
        bucket, key);
  }
  static std::string message(const std::vector<std::string>& records) {
    return fmt::format(R"({{"Records":[{}]}})", fmt::join(records, ","));
  }
  static std::string created(const std::string& key) { return message({record(key)}); }

  boost::asio::io_context loop_;
  ManualClock clock_;
  HttpClient client_{loop_.get_executor(), real_clock()};
  std::unique_ptr<Store> store_ = make_memory_store(clock_);
  std::unique_ptr<Source> source_;

 private:
  std::list<Background> background_;
};

}  // namespace headrace
