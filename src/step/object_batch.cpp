#include "step/object_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "core/signal.h"
#include "format/as_lines.h"
#include "format/compression.h"
#include "step/own_marks.h"
#include "step/whole_body.h"

namespace headrace {
namespace {

constexpr std::size_t kSideBySide = 32;
constexpr std::uint64_t kBatchBytes = 16u << 20;      // Of stored objects read at a time.
constexpr std::uint64_t kSmallObject = 4u << 20;      // Stored size; larger ones are streamed.
constexpr std::uint64_t kColumnarBytes = 512u << 20;  // Of a Parquet or ORC object.
constexpr std::uint64_t kSmallPlain = 32u << 20;      // What a small one may unpack to.

constexpr std::size_t kFaultBytes = 16u << 10;  // Of a line's text in a dead letter.
constexpr std::size_t kFaultsPerObject = 100;   // Told one by one; the rest as a number.
constexpr std::uint64_t kFaultTextPerBatch = 8u << 20;

/// The line of `text` with this number, from 1; nullopt if there are fewer.
std::optional<std::string> line_of(BytesView text, std::uint64_t number) {
  for (std::uint64_t line = 1; !text.empty(); ++line) {
    const BytesView here = text.substr(0, text.find('\n'));
    if (line == number) return std::string(here);
    text.remove_prefix(std::min(here.size() + 1, text.size()));
  }
  return std::nullopt;
}

/// What was read of a source already, then the rest of it.
class Rejoined final : public ByteSource {
 public:
  Rejoined(Bytes first, std::unique_ptr<ByteSource> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  Task<Bytes> read() override {
    if (first_.empty()) co_return co_await rest_->read();
    co_return std::exchange(first_, {});
  }

 private:
  Bytes first_;
  std::unique_ptr<ByteSource> rest_;
};

}  // namespace

JsonRowsOptions batch_rows_options() {
  return {.fault_bytes = kFaultBytes, .faults_per_object = kFaultsPerObject};
}

void FaultBudget::add(const ObjectRows& rows, std::vector<DeadLine>& lines) {
  for (const LineFault& fault : rows.faults) {
    const bool whole = fault.text.size() < kFaultBytes;
    const bool room = text_bytes_ + fault.text.size() <= kFaultTextPerBatch;
    text_bytes_ += whole && room ? fault.text.size() : 0;
    lines.push_back({fault.line, fault.reason, whole && room ? fault.text : ""});
  }
  if (rows.fault_count > rows.faults.size()) {
    lines.push_back({rows.faults.empty() ? 1 : rows.faults.back().line + 1,
                     fmt::format("{} more bad lines follow in this object",
                                 rows.fault_count - rows.faults.size()),
                     ""});
  }
}

ObjectBatchReader::ObjectBatchReader(const std::vector<Event>& events,
                                     const std::vector<bool>& left_out,
                                     std::vector<Sink::Item>& items, StepServices services,
                                     std::uint64_t plain_bytes, std::string own,
                                     ObjectTransform transform)
    : events_(events),
      left_out_(left_out),
      items_(items),
      services_(services),
      plain_bytes_(plain_bytes),
      own_(std::move(own)),
      transform_(std::move(transform)) {}

Task<std::vector<ReadObject>> ObjectBatchReader::next() {
  std::vector<ReadObject> out;
  while (out.empty() && at_ < events_.size()) {
    const std::size_t first = at_;
    std::uint64_t bytes = 0;
    while (at_ < events_.size() && at_ - first < kSideBySide && bytes < kBatchBytes) {
      bytes += events_[at_++].size.value_or(kSmallObject);
    }
    std::vector<std::optional<ReadObject>> read_objects(at_ - first);
    std::size_t left = read_objects.size();
    Signal done;
    for (std::size_t i = first; i < at_; ++i) {
      boost::asio::co_spawn(services_.executor, read(i, read_objects[i - first]),
                            [&](std::exception_ptr) {
                              --left;
                              done.notify_all();
                            });
    }
    // Batches are never cancelled half-way (they finish or fail), so nobody leaves this frame while
    // the reads refer to it.
    while (left > 0) co_await done.wait();
    for (auto& object : read_objects) {
      if (object) out.push_back(std::move(*object));
    }
  }
  co_return out;
}

Task<> ObjectBatchReader::read(std::size_t index, std::optional<ReadObject>& out) {
  if (left_out_[index]) co_return;
  try {
    out = co_await open(index);
    if (out && transform_) out = co_await transformed(std::move(*out));
  } catch (...) {
    items_[index].failed =
        to_error(std::current_exception()).during("read " + events_[index].object.text());
  }
}

Task<std::optional<ReadObject>> ObjectBatchReader::transformed(ReadObject object) {
  std::unique_ptr<ByteSource> plain;
  if (object.source) {
    plain = std::make_unique<Rejoined>(std::move(object.bytes), std::move(object.source));
  } else {
    plain = source_of(std::move(object.bytes));
  }
  object.bytes.clear();
  object.source =
      co_await transform_(events_[object.index], std::move(plain), items_[object.index].dead_lines);
  if (object.source) co_return object;
  items_[object.index].result = {Outcome::kSkipped, "the object has no rows"};
  co_return std::nullopt;
}

Task<std::optional<ReadObject>> ObjectBatchReader::open(std::size_t index) {
  const Event& event = events_[index];
  ReadObject out{.index = index, .constants = event.key_fields};
  if (event.line) out.first_line = event.line->number;
  if (event.line && !event.line->text.empty()) {
    out.bytes = event.line->text;
    co_return out;
  }
  const auto skip = [&](Outcome outcome, const char* why) -> std::optional<ReadObject> {
    items_[index].result = {outcome, why};
    return std::nullopt;
  };
  if (event.kind != EventKind::kCreated) co_return skip(Outcome::kSkipped, "no rows in this event");
  auto object = co_await services_.stores.at(event.store).get(event.object);
  if (!object) co_return skip(Outcome::kGone, "the object is gone");
  if (event.etag && object->info.etag != *event.etag) {
    co_return skip(Outcome::kSuperseded, "the object has changed since; its own event follows");
  }
  if (!own_.empty() && is_sink_output(object->info, own_)) {
    co_return skip(Outcome::kSkipped, "this route's own write");
  }
  const std::uint64_t size = object->info.size;
  if (size == 0) co_return skip(Outcome::kSkipped, "the object is empty");

  auto plain = decompressing(whole_body(std::move(object->body), size),
                             {.output_bytes = plain_bytes_}, &services_.cpu);
  plain = as_json_lines(std::move(plain), event.object.path, kColumnarBytes, &services_.cpu);
  if (size > kSmallObject && !event.line) {
    out.source = std::move(plain);
    co_return out;
  }
  // A small object may still unpack to much: what is read by then is put in front of the rest.
  while (true) {
    Bytes piece = co_await plain->read();
    if (piece.empty()) break;
    out.bytes += piece;
    if (out.bytes.size() > kSmallPlain && !event.line) {
      out.source = std::move(plain);
      co_return out;
    }
  }
  if (event.line) {
    auto line = line_of(out.bytes, event.line->number);
    if (!line) co_return skip(Outcome::kSuperseded, "the object has no such line any more");
    out.bytes = std::move(*line);
  }
  co_return out;
}

namespace {

/// Is this failure about one object, so that the batch can go on without it?
bool is_of_object(const Error& error) {
  return error.kind() != ErrorKind::kBug && error.kind() != ErrorKind::kCancelled;
}

ConvertedObject convert_small(RowReceiver& convert, ReadObject& object,
                              std::vector<Sink::Item>& items) {
  ConvertedObject out{.index = object.index};
  try {
    convert.begin_object(object);
    convert.write(object.bytes);
    out.rows = convert.end_object();
    Bytes().swap(object.bytes);
  } catch (const Error& error) {
    if (!is_of_object(error)) throw;
    out.broken = true;
    items[object.index].failed = error;
  }
  return out;
}

/// Feeds one large object piece by piece.
Task<ConvertedObject> convert_stream(RowReceiver& convert, ReadObject& object,
                                     StepServices services, std::vector<Sink::Item>& items) {
  ConvertedObject out{.index = object.index};
  std::optional<Error> failure;
  convert.begin_object(object);
  try {
    Bytes piece = std::move(object.bytes);
    if (piece.empty()) piece = co_await object.source->read();
    while (!piece.empty()) {
      auto write = [&] { convert.write(piece); };
      co_await run_on(services.cpu, write);
      piece = co_await object.source->read();
    }
    auto end = [&] { return convert.end_object(); };
    out.rows = co_await run_on(services.cpu, end);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    if (!is_of_object(*failure)) throw *failure;
    out.broken = true;
    items[object.index].failed = *failure;
  }
  co_return out;
}

}  // namespace

Task<std::vector<ConvertedObject>> convert_objects(RowReceiver& convert,
                                                   std::vector<ReadObject>& objects,
                                                   StepServices services,
                                                   std::vector<Sink::Item>& items) {
  std::vector<ConvertedObject> out;
  for (std::size_t at = 0; at < objects.size();) {
    if (objects[at].source) {
      out.push_back(co_await convert_stream(convert, objects[at++], services, items));
      if (out.back().broken) co_return out;
      continue;
    }
    std::size_t end = at;
    while (end < objects.size() && !objects[end].source) ++end;
    auto small = [&] {
      for (; at < end; ++at) {
        out.push_back(convert_small(convert, objects[at], items));
        if (out.back().broken) return;
      }
    };
    co_await run_on(services.cpu, small);
    if (out.back().broken) co_return out;
  }
  co_return out;
}

}  // namespace headrace
