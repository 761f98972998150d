#include "ledger/rocksdb/writer.h"

#include "core/crash_point.h"

namespace headrace::rocks {

Writer::Writer(WriterState& state, const Log& log)
    : state_(state), log_(log), thread_([this] { run(); }) {}

void Writer::submit(Request request) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      queue_.push_back(std::move(request));
      changed_.notify_one();
      return;
    }
  }
  request.finish(std::make_exception_ptr(Error(ErrorKind::kCancelled, "the ledger is closed")));
}

void Writer::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::vector<Writer::Request> Writer::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  std::vector<Request> requests;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    bytes += queue_.front().bytes;
    if (!requests.empty() && bytes > state_.limits.group_bytes) break;
    requests.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return requests;
}

void Writer::run() {
  for (auto requests = next(); !requests.empty(); requests = next()) {
    Group group(state_);  // Its memory is given back after the answers.
    const std::exception_ptr failure = write(group, requests);
    for (Request& request : requests) request.finish(failure);
    crash_point("ledger.after_answer");
  }
}

std::exception_ptr Writer::write(Group& group, std::vector<Request>& requests) {
  try {
    for (Request& request : requests) request.apply(group);
    crash_point("ledger.before_write");
    group.commit();
    crash_point("ledger.after_write");
  } catch (...) {
    group.undo();
    const Error error = to_error(std::current_exception());
    log_.warning("nothing of a commit was written",
                 {{"requests", requests.size()}, {"error", error.what()}});
    return std::make_exception_ptr(error);
  }
  group.publish();
  crash_point("ledger.after_publish");
  return nullptr;
}

}  // namespace headrace::rocks
