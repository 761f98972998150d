#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/task.h"
#include "net/http.h"

namespace headrace {

/// Stands between an HTTP client and a real server on this machine and spoils some exchanges, the
/// same ones for the same seed and order of requests: connections are reset before a request or
/// after it was carried out (a lost answer), servers seem to fail (500) or to throttle (503),
/// bodies come slowly or break off, and XML ends in its middle. Others fall silent with the
/// connection open, before the server hears of the request or in the middle of its answer: the
/// client needs a short idle timeout, or waits for all of it each time.
///
/// Threads  One executor; `url` and `faults` from anywhere.
class FaultProxy {
 public:
  /// `share`: of all exchanges, those that are spoiled.
  FaultProxy(const Executor& executor, const Url& server, std::uint64_t seed, double share);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;

  /// "http://127.0.0.1:PORT"
  std::string url() const;
  std::uint64_t faults() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace headrace
