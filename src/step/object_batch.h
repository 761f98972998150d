#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "event/event.h"
#include "format/lines_to_parquet.h"
#include "step/step.h"

namespace headrace {

/// An object of a batch on its way to the converter: its plain bytes if it is small, else a source
/// of them.
struct ReadObject {
  std::size_t index = 0;  ///< Of its event in the batch.
  KeyFields constants;
  Bytes bytes;
  std::unique_ptr<ByteSource> source;  ///< Set for a large object.
};

struct ConvertedObject {
  std::size_t index = 0;
  ObjectRows rows;
  bool broken = false;  ///< A large object failed in the middle; its item says why.
};

/// Reads the objects of a batch in order, some at a time and side by side, with bounded memory.
/// What needs no conversion (gone, changed, empty, unreadable) it writes into the batch's items.
///
/// Threads  The services' executor.
class ObjectBatchReader {
 public:
  /// `events` and `items` outlive the reader. Events marked in `left_out` are passed over.
  ObjectBatchReader(const std::vector<Event>& events, const std::vector<bool>& left_out,
                    std::vector<Sink::Item>& items, StepServices services,
                    std::uint64_t plain_bytes);

  /// The next objects; empty at the end.
  Task<std::vector<ReadObject>> next();

 private:
  Task<> read(std::size_t index, std::optional<ReadObject>& out);
  Task<std::optional<ReadObject>> open(std::size_t index);

  const std::vector<Event>& events_;
  const std::vector<bool>& left_out_;
  std::vector<Sink::Item>& items_;
  StepServices services_;
  std::uint64_t plain_bytes_;
  std::size_t at_ = 0;
};

/// Feeds objects to the converter on the CPU pool. A large object that fails is marked broken and
/// its failure put into its item; the converter then holds rows of it and must be dropped.
Task<std::vector<ConvertedObject>> convert_objects(LinesToParquet& convert,
                                                   std::vector<ReadObject>& objects,
                                                   StepServices services,
                                                   std::vector<Sink::Item>& items);

}  // namespace headrace
