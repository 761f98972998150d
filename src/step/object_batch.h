#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "event/event.h"
#include "format/json_rows.h"
#include "format/lines_to_parquet.h"
#include "step/step.h"

namespace headrace {

/// An object of a batch on its way to the converter: its plain bytes if it is small, else a source
/// of them.
struct ReadObject {
  std::size_t index = 0;  ///< Of its event in the batch.
  KeyFields constants;
  std::uint64_t first_line = 1;  ///< Where the bytes begin in the object.
  Bytes bytes;
  std::unique_ptr<ByteSource> source;  ///< Set for a large object.
};

/// What takes the rows of a batch's objects, one object after another.
class RowReceiver {
 public:
  virtual ~RowReceiver() = default;
  virtual void begin_object(const ReadObject& object) = 0;
  virtual void write(BytesView piece) = 0;  ///< Any cut, also inside a row.
  virtual ObjectRows end_object() = 0;
};

/// Rows on their way into Parquet files.
class ParquetReceiver final : public RowReceiver {
 public:
  explicit ParquetReceiver(LinesToParquet& convert) : convert_(convert) {}
  void begin_object(const ReadObject& object) override {
    convert_.begin_object(object.constants, object.first_line);
  }
  void write(BytesView piece) override { convert_.write(piece); }
  ObjectRows end_object() override { return convert_.end_object(); }

 private:
  LinesToParquet& convert_;
};

/// How rows are read in batches, and how much is told of bad ones.
JsonRowsOptions batch_rows_options();

/// Turns the faults of a batch's objects into dead lines. A line's text is left out if it is long,
/// or once the batch holds too much: a redrive reads it from the object again.
class FaultBudget {
 public:
  void add(const ObjectRows& rows, std::vector<DeadLine>& lines);

 private:
  std::uint64_t text_bytes_ = 0;
};

struct ConvertedObject {
  std::size_t index = 0;
  ObjectRows rows;
  bool broken = false;  ///< A large object failed in the middle; its item says why.
};

/// Makes other bytes of an object's plain ones before they are cut into rows; null if there are no
/// rows. Adds what it could not work on to the dead lines.
using ObjectTransform = std::function<Task<std::unique_ptr<ByteSource>>(
    const Event& event, std::unique_ptr<ByteSource> plain, std::vector<DeadLine>& dead)>;

/// Reads the objects of a batch in order, some at a time and side by side, with bounded memory.
/// What needs no conversion (gone, changed, empty, unreadable) it writes into the batch's items.
///
/// Threads  The services' executor.
class ObjectBatchReader {
 public:
  /// `events` and `items` outlive the reader. Events marked in `left_out` are passed over, and so
  /// are objects that a sink of the route `own` made. `transform` may be empty.
  ObjectBatchReader(const std::vector<Event>& events, const std::vector<bool>& left_out,
                    std::vector<Sink::Item>& items, StepServices services,
                    std::uint64_t plain_bytes, std::string own = {},
                    ObjectTransform transform = {});

  /// The next objects; empty at the end.
  Task<std::vector<ReadObject>> next();

 private:
  Task<> read(std::size_t index, std::optional<ReadObject>& out);
  Task<std::optional<ReadObject>> open(std::size_t index);
  Task<std::optional<ReadObject>> transformed(ReadObject object);

  const std::vector<Event>& events_;
  const std::vector<bool>& left_out_;
  std::vector<Sink::Item>& items_;
  StepServices services_;
  std::uint64_t plain_bytes_;
  std::string own_;
  ObjectTransform transform_;
  std::size_t at_ = 0;
};

/// Feeds objects to the receiver on the CPU pool. One that fails is marked broken and its failure
/// put into its item; the receiver then holds rows of it and must be dropped.
Task<std::vector<ConvertedObject>> convert_objects(RowReceiver& convert,
                                                   std::vector<ReadObject>& objects,
                                                   StepServices services,
                                                   std::vector<Sink::Item>& items);

}  // namespace headrace
