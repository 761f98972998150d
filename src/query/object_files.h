#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/task.h"
#include "query/object_file_system.h"
#include "query/query.h"
#include "store/store.h"

namespace headrace {

/// Objects of stores as files of the engine, which reads them by ranges in place of a copy. Each
/// range is a GET that holds only for the etag the object had when it was added; a long one is
/// several at once.
///
/// Waiting   The engine's threads wait in read() for what runs on the executor that an object came
///           with. That executor must never wait for the engine without stop() or without_reads():
///           these let every waiting thread go at once, whether the executor runs or not.
/// Lifetime  A read that nobody waits for any more is cancelled and ends when its executor runs
///           next; it holds this object, and its store outlives it. join() waits for such reads.
/// Errors    kConflict for an object that is gone or changed, kCancelled after stop(), else what
///           the store throws, under the object's URL. The engine keeps only an error's text:
///           cause_of() finds the Error again.
/// Threads   Any.
class ObjectFiles : public std::enable_shared_from_this<ObjectFiles> {
 public:
  /// Makes an object readable and gives the path by which the engine opens it. `store` outlives the
  /// reads.
  std::string add(Executor executor, Store& store, ObjectInfo object, std::string url);
  /// Forgets objects, counts and failures of the statement before. Open files stay readable.
  void clear();

  /// The file of a path that add() gave; null for others.
  std::shared_ptr<RangeFile> open(const std::string& path);

  /// Ends what is read now, and all that is asked for before allow(), with kCancelled.
  void stop();
  void allow();
  /// Waits until reads that were cancelled have ended. Never on their executor.
  void join();
  /// Does `work` while nothing is read: what is read now ends with kCancelled.
  void without_reads(const std::function<void()>& work);

  /// The Error of a read whose text `error` holds; else `error` itself.
  Error cause_of(const Error& error) const;
  RangeReads reads() const;

 private:
  struct Object;
  struct Read;
  class File;

  void read(const std::shared_ptr<const Object>& object, char* into, std::uint64_t bytes,
            std::uint64_t offset);
  bool stopped() const { return stopped_ || quiet_ > 0; }
  void let_go();
  void start(const std::shared_ptr<Read>& read);
  void end(const std::shared_ptr<Read>& read, const std::exception_ptr& failure);
  static Task<> fetch(ObjectFiles& self, std::shared_ptr<Read> read);
  Task<> fetch_parts(Read& read);
  Task<> fetch_part(Read& read, ByteRange part);
  bool take(const Read& read, std::uint64_t at, const Bytes& piece);

  mutable std::mutex mutex_;  // Guards what follows, and the buffers that are read into.
  std::condition_variable changed_;
  bool stopped_ = false;
  int quiet_ = 0;
  std::map<std::string, std::shared_ptr<const Object>, std::less<>> objects_;  // By path.
  std::list<std::shared_ptr<Read>> reads_;                                     // Under way.
  std::vector<Error> failures_;
  std::uint64_t bytes_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace headrace
