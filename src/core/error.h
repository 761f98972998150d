#pragma once

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace headrace {

/// What the caller should do next. A new kind needs a caller that would act differently; anything
/// finer goes into the message.
enum class ErrorKind : unsigned char {
  kTransient,  ///< Timeout, throttled, disk full, connection lost: try again later.
  kConflict,   ///< Someone else won: re-read, then decide again.
  kInvalid,    ///< Bad configuration, credentials or request: a person must act.
  kCorrupt,    ///< The input's bytes are wrong: quarantine it, carry on.
  kCancelled,  ///< We were asked to stop: unwind quietly, count nothing.
  kBug,        ///< An invariant broke: park the task, shout.
};

/// "transient", "conflict", ...: the word used in logs, dead letters and the API.
std::string_view to_string(ErrorKind kind);

/// The one exception that leaves a room. Rooms translate foreign errors (errno, Asio, RocksDB,
/// Arrow, DuckDB) into it at their edge, and nobody else does. The message says what, where and
/// what to do next; it never holds a secret.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::chrono::milliseconds retry_after = {})
      : std::runtime_error(what), kind_(kind), retry_after_(retry_after) {}

  ErrorKind kind() const noexcept { return kind_; }
  /// What the other side asked us to wait; zero leaves it to the caller.
  std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }
  /// The same failure, told from one level up: "PUT a/b: 503 SlowDown".
  Error during(std::string_view action) const;

 private:
  ErrorKind kind_;
  std::chrono::milliseconds retry_after_;
};

/// Any exception as an Error: ours stays as it is, Asio's cancellation becomes kCancelled, memory
/// exhaustion kTransient, everything else kBug. For the places that catch all.
Error to_error(std::exception_ptr error);

/// A failed system call as an Error: ENOSPC, EDQUOT, EIO, EMFILE and their like are kTransient,
/// EACCES and EROFS are kInvalid. `action` says what was tried on what: "open a/b".
Error errno_error(int code, std::string_view action);

}  // namespace headrace
