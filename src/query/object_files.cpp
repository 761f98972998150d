#include "query/object_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <utility>

#include "core/hash.h"

namespace headrace {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kPart = 4u << 20;   // Of a long range: bytes of one request.
constexpr std::size_t kAtATime = 4;         // Requests of one range.
constexpr std::size_t kMostFailures = 100;  // Kept of one statement.

Error stopped_error() { return Error(ErrorKind::kCancelled, "query interrupted"); }

}  // namespace

struct ObjectFiles::Object {
  Executor executor;
  Store* store;
  ObjectInfo info;
  std::string url;
};

/// One call of read(): what the waiting thread and the task that reads for it share.
struct ObjectFiles::Read {
  std::shared_ptr<const Object> object;
  char* into;  // Not to be touched once it is abandoned.
  ByteRange range;
  asio::strand<Executor> strand;
  asio::cancellation_signal cancel;  // On the strand, as `next`.
  std::uint64_t next = 0;            // Where the first part begins that is not asked for yet.
  bool abandoned = false;            // Nobody waits for it any more.
  bool ended = false;
  std::optional<Error> failure;
};

class ObjectFiles::File final : public RangeFile {
 public:
  File(std::shared_ptr<ObjectFiles> files, std::shared_ptr<const Object> object)
      : files_(std::move(files)), object_(std::move(object)) {}

  std::uint64_t size() const override { return object_->info.size; }
  std::string version() const override { return object_->info.etag.value; }
  std::int64_t modified_us() const override {
    return object_->info.modified.time_since_epoch().count();
  }
  void read(char* buffer, std::uint64_t bytes, std::uint64_t offset) override {
    files_->read(object_, buffer, bytes, offset);
  }

 private:
  std::shared_ptr<ObjectFiles> files_;
  std::shared_ptr<const Object> object_;
};

std::string ObjectFiles::add(Executor executor, Store& store, ObjectInfo object, std::string url) {
  // The same content has the same path in each statement: what the engine keeps of it is found.
  std::string path =
      fmt::format("{}{:016x}", kObjectScheme, hash64(object.etag.value, hash64(url)));
  const std::lock_guard lock(mutex_);
  objects_[path] = std::make_shared<const Object>(std::move(executor), &store, std::move(object),
                                                  std::move(url));
  return path;
}

void ObjectFiles::clear() {
  const std::lock_guard lock(mutex_);
  objects_.clear();
  failures_.clear();
  bytes_ = 0;
  requests_ = 0;
}

std::shared_ptr<RangeFile> ObjectFiles::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(path);
  if (found == objects_.end()) return nullptr;
  return std::make_shared<File>(shared_from_this(), found->second);
}

void ObjectFiles::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  let_go();
}

void ObjectFiles::allow() {
  const std::lock_guard lock(mutex_);
  stopped_ = false;
}

void ObjectFiles::join() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return std::ranges::none_of(reads_, &Read::abandoned); });
}

void ObjectFiles::without_reads(const std::function<void()>& work) {
  {
    const std::lock_guard lock(mutex_);
    ++quiet_;
    let_go();
  }
  work();
  const std::lock_guard lock(mutex_);
  --quiet_;
}

/// Wakes all who wait for a read, and has the reads cancelled.
void ObjectFiles::let_go() {
  for (const std::shared_ptr<Read>& read : reads_) {
    if (std::exchange(read->abandoned, true)) continue;
    asio::post(read->strand, [read] { read->cancel.emit(asio::cancellation_type::terminal); });
  }
  changed_.notify_all();
}

Error ObjectFiles::cause_of(const Error& error) const {
  const std::string_view text = error.what();
  const std::lock_guard lock(mutex_);
  for (const Error& failure : failures_) {
    if (text.contains(failure.what())) return failure;
  }
  return error;
}

RangeReads ObjectFiles::reads() const {
  const std::lock_guard lock(mutex_);
  RangeReads reads{.objects = objects_.size(), .bytes = bytes_, .requests = requests_};
  for (const auto& [path, object] : objects_) reads.of_bytes += object->info.size;
  return reads;
}

void ObjectFiles::read(const std::shared_ptr<const Object>& object, char* into, std::uint64_t bytes,
                       std::uint64_t offset) {
  if (bytes == 0) return;
  const auto read = std::make_shared<Read>(object, into, ByteRange{offset, bytes},
                                           asio::make_strand(object->executor));
  std::unique_lock lock(mutex_);
  if (stopped()) throw stopped_error();
  reads_.push_back(read);
  asio::post(read->strand, [self = shared_from_this(), read] { self->start(read); });
  changed_.wait(lock, [&] { return read->ended || read->abandoned; });
  if (!read->ended) throw stopped_error();
  if (!read->failure) return;
  if (failures_.size() < kMostFailures) failures_.push_back(*read->failure);
  throw *read->failure;
}

void ObjectFiles::start(const std::shared_ptr<Read>& read) {
  const bool begins = [&] {
    const std::lock_guard lock(mutex_);
    return !read->abandoned;
  }();
  if (!begins) return end(read, nullptr);  // Its signal came before there was who takes it.
  asio::co_spawn(
      read->strand, fetch(*this, read),
      asio::bind_cancellation_slot(read->cancel.slot(), [self = shared_from_this(),
                                                         read](const std::exception_ptr& failure) {
        self->end(read, failure);
      }));
}

void ObjectFiles::end(const std::shared_ptr<Read>& read, const std::exception_ptr& failure) {
  const std::lock_guard lock(mutex_);
  if (failure) read->failure = to_error(failure).during("read " + read->object->url);
  read->ended = true;
  reads_.remove(read);
  changed_.notify_all();
}

/// Reads a range into its buffer: in parts, some at once.
Task<> ObjectFiles::fetch(ObjectFiles& self, std::shared_ptr<Read> read) {
  const std::uint64_t parts = (read->range.length + kPart - 1) / kPart;
  if (parts == 1) co_return co_await self.fetch_parts(*read);
  const auto executor = co_await asio::this_coro::executor;
  const auto worker = [&] {
    return asio::co_spawn(executor, self.fetch_parts(*read), asio::deferred);
  };
  std::vector<decltype(worker())> workers;
  while (workers.size() < std::min<std::uint64_t>(parts, kAtATime)) workers.push_back(worker());
  auto [order, failures] =
      co_await asio::experimental::make_parallel_group(std::move(workers))
          .async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  for (const std::size_t i : order) {
    if (failures[i]) std::rethrow_exception(failures[i]);
  }
}

Task<> ObjectFiles::fetch_parts(Read& read) {
  while (read.next < read.range.length) {
    const std::uint64_t at = std::exchange(read.next, read.next + kPart);
    co_await fetch_part(read, {read.range.offset + at, std::min(kPart, read.range.length - at)});
  }
}

Task<> ObjectFiles::fetch_part(Read& read, ByteRange part) {
  const ObjectInfo& info = read.object->info;
  const auto object = co_await read.object->store->get(info.key, {part, info.etag});
  if (!object) {
    throw Error(ErrorKind::kConflict, "it was removed or replaced while it was read; ask again");
  }
  std::uint64_t had = 0;
  for (Bytes piece = co_await object->body->read(); !piece.empty();
       piece = co_await object->body->read()) {
    if (piece.size() > part.length - had) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("more came than the {} bytes asked for", part.length));
    }
    if (!take(read, part.offset - read.range.offset + had, piece)) co_return;
    had += piece.size();
  }
  if (had < part.length) {
    throw Error(ErrorKind::kTransient,
                fmt::format("{} bytes came of the {} asked for", had, part.length));
  }
  const std::lock_guard lock(mutex_);
  ++requests_;
}

/// Puts a piece into its place; false if nobody waits for it any more.
bool ObjectFiles::take(const Read& read, std::uint64_t at, const Bytes& piece) {
  const std::lock_guard lock(mutex_);
  if (read.abandoned) return false;
  std::memcpy(read.into + at, piece.data(), piece.size());
  bytes_ += piece.size();
  return true;
}

}  // namespace headrace
