#pragma once

#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/task.h"

namespace headrace {

/// The answer one waiting task gets, from whatever thread; the task resumes on its own executor.
/// Exactly one counts: who claims it must resume it. A cancellation of the task claims it too.
template <class T>
class Answer {
 public:
  template <class Handler>
  explicit Answer(Handler handler)
      : executor_(boost::asio::get_associated_executor(handler)),
        work_(executor_),
        handler_(std::move(handler)) {}

  /// True for the first who asks.
  bool claim() { return !claimed_.exchange(true); }
  bool claimed() const { return claimed_.load(); }

  /// Only after claim() said true.
  void resume(std::exception_ptr failure, T value) {
    // The guard goes along: once the task has its answer, its loop may end and be gone.
    const Executor executor = std::move(executor_);
    boost::asio::post(executor,
                      [handler = std::move(handler_), work = std::move(work_), failure,
                       value = std::move(value)]() mutable { handler(failure, std::move(value)); });
  }

  void give(T value) {
    if (claim()) resume(nullptr, std::move(value));
  }
  void fail(std::exception_ptr failure) {
    if (claim()) resume(failure, T());
  }
  void fail(const Error& error) { fail(std::make_exception_ptr(error)); }

 private:
  std::atomic<bool> claimed_ = false;
  Executor executor_;
  boost::asio::executor_work_guard<Executor> work_;
  std::move_only_function<void(std::exception_ptr, T)> handler_;
};

template <class T>
using AnswerPtr = std::shared_ptr<Answer<T>>;

enum class Cancellable : bool { kNo, kYes };

/// Calls `start(answer)` and waits for the answer. Cancellation throws kCancelled, or, for what
/// must not be left half known, is ignored.
template <class T, class Start>
Task<T> await_answer(Cancellable cancellable, Start start) {
  auto initiate = [cancellable](auto handler, Start begin) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto answer = std::make_shared<Answer<T>>(std::move(handler));
    if (cancellable == Cancellable::kYes && slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(answer)](boost::asio::cancellation_type) {
        const auto waiting = weak.lock();
        if (waiting) waiting->fail(Error(ErrorKind::kCancelled, "cancelled while waiting"));
      });
    }
    begin(std::move(answer));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                     void(std::exception_ptr, T)>(
      std::move(initiate), boost::asio::use_awaitable, std::move(start));
}

}  // namespace headrace
