#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "core/log.h"
#include "ledger/rocksdb/group.h"

namespace headrace::rocks {

/// The one thread that writes. Whatever waits is one commit; there is no linger, because the commit
/// before it is wait enough.
class Writer {
 public:
  struct Request {
    std::size_t bytes = 0;
    /// Adds what is asked for to the commit.
    std::move_only_function<void(Group&)> apply;
    /// Told once: null when it is durable, else why nothing of it is.
    std::move_only_function<void(std::exception_ptr)> finish;
  };

  Writer(WriterState& state, const Log& log);
  /// Writes what was submitted, then ends.
  ~Writer() { close(); }

  /// Fails at once with kCancelled after close().
  void submit(Request request);
  void close();

 private:
  void run();
  std::vector<Request> next();
  std::exception_ptr write(Group& group, std::vector<Request>& requests);

  WriterState& state_;
  const Log& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace headrace::rocks
