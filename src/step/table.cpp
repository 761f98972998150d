#include "step/table.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "step/culprits.h"
#include "step/object_batch.h"
#include "step/table_batch.h"
#include "step/tables_sink.h"

namespace headrace {
namespace {

constexpr std::size_t kEncodeHelpers = 2;  // Row groups of a batch encoded meanwhile.

class TableSink final : public TablesSink {
 public:
  TableSink(std::string table, Catalog& catalog, StepServices services, TableSinkLimits limits)
      : TablesSink(catalog, services, std::move(limits)), table_(std::move(table)) {}

  std::string group_of(const Event& event) override {
    return catalog().name_for(table_, event.key_fields);
  }

  Task<std::unique_ptr<Prepared>> prepare(std::string group, std::string app_id,
                                          std::vector<Event> events) override;

 private:
  /// One go at a batch: everything that is not left out, converted; uploaded too, unless it is only
  /// a trial. Says which large object broke off in the middle, if one did.
  struct Batch {
    Table& table;
    const TableConfig& config;
    const ConvertOptions& options;
    const std::vector<Event>& events;
    TablesPrepared& prepared;
    TableBatch::One& made;
  };
  Task<std::optional<std::size_t>> convert(Batch batch, const std::vector<bool>& left_out,
                                           bool trial);
  Task<> convert_all(Batch batch, std::vector<bool> left_out);
  Task<bool> leave_out_culprits(Batch batch, std::vector<bool>& left_out);

  std::string table_;
};

Task<std::unique_ptr<Sink::Prepared>> TableSink::prepare(std::string group, std::string app_id,
                                                         std::vector<Event> events) {
  auto prepared = std::make_unique<TablesPrepared>();
  const TableSinkLimits& limits = given();
  if (!limits.only.empty() && !limits.only.contains(group)) {
    prepared->items.resize(events.size());
    for (Item& item : prepared->items) {
      item.result = {Outcome::kSkipped, "the table is not in its family's list"};
    }
    prepared->empty = true;
    co_return prepared;
  }
  Table& table = catalog().open(group);
  const TableConfig& config = *catalog().config_of(group);
  TableBatch::One& made = prepared->batch.tables.emplace_back();
  made.table = group;
  made.append.app_id = app_id;
  ConvertOptions options;
  {
    const auto now = co_await table.snapshot();
    made.append.seq = next_seq(now, app_id);
    options = convert_options(now, config, limits.keep);
  }
  // Row groups are encoded by the other threads of the pool, while the next one fills.
  options.helpers = kEncodeHelpers;
  options.run_on_helper = [&cpu = services().cpu](std::function<void()> work) {
    boost::asio::post(cpu, std::move(work));
  };
  options.object_column = limits.object_column;
  options.line_column = limits.line_column;
  if (limits.follow.any()) {
    FollowedBatch followed(limits.follow, std::move(events));
    co_await followed.check_lines(services().stores);
    prepared->items = std::move(followed.items());
    co_await convert_all({table, config, options, followed.events(), *prepared, made},
                         followed.left_out());
    followed.items() = std::move(prepared->items);
    made.outdated = co_await followed.outdated(services().stores);
    prepared->items = followed.take_items();
  } else {
    if (limits.object_column) {
      for (Event& event : events) add_provenance(event);
    }
    prepared->items.resize(events.size());
    co_await convert_all({table, config, options, events, *prepared, made},
                         std::vector<bool>(events.size(), false));
  }
  prepared->close();
  co_return prepared;
}

/// What one object does wrong must not cost the others: such a batch is converted again without
/// it. Small objects are read whole before they are converted, so this is rare.
Task<> TableSink::convert_all(Batch batch, std::vector<bool> left_out) {
  while (true) {
    std::optional<std::size_t> broken;
    std::optional<Error> failure;
    try {
      broken = co_await convert(batch, left_out, false);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure && failure->kind() != ErrorKind::kInvalid) throw *failure;
    if (failure && !co_await leave_out_culprits(batch, left_out)) throw *failure;
    if (broken) left_out[*broken] = true;
    if (!failure && !broken) co_return;
    for (std::size_t i = 0; i < left_out.size(); ++i) {
      if (!left_out[i]) batch.prepared.items[i] = {};
    }
  }
}

Task<std::optional<std::size_t>> TableSink::convert(Batch batch, const std::vector<bool>& left_out,
                                                    bool trial) {
  using namespace boost::asio::experimental::awaitable_operators;
  TablesPrepared& prepared = batch.prepared;
  Append& append = batch.made.append;
  append.files.clear();
  prepared.batch.rows = 0;
  prepared.left_out = 0;
  FaultBudget faults;
  LinesToParquet converter(batch.options);
  ParquetReceiver receiver(converter);
  ObjectBatchReader reader(batch.events, left_out, prepared.items, services(), given().plain_bytes,
                           {}, given().transform);
  std::vector<ReadObject> objects = co_await reader.next();
  while (!objects.empty()) {
    // The next objects are fetched while these are converted.
    auto convert_these = convert_objects(receiver, objects, services(), prepared.items);
    auto [rows, next] = co_await (std::move(convert_these) && reader.next());
    for (const ConvertedObject& object : rows) {
      if (object.broken) co_return object.index;
      prepared.batch.rows += object.rows.rows;
      prepared.left_out += object.rows.left_out;
      faults.add(object.rows, prepared.items[object.index].dead_lines);
    }
    std::vector<ParquetFile> files = converter.take_files();
    if (!trial) {
      co_await upload_files(batch.table, batch.config, std::move(files), services(), append.files);
    }
    objects = std::move(next);
  }
  auto finish = [&converter] { return converter.finish(); };
  std::vector<ParquetFile> files = co_await run_on(services().cpu, finish);
  if (!trial) {
    co_await upload_files(batch.table, batch.config, std::move(files), services(), append.files);
  }
  append.schema = converter.schema();
  co_return std::nullopt;
}

/// A batch broke a limit that speaks of no object (too many columns): leaves out those that cannot
/// even be converted by themselves. False if that is none, or all.
Task<bool> TableSink::leave_out_culprits(Batch batch, std::vector<bool>& left_out) {
  std::vector<std::size_t> suspects;
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    if (!left_out[i]) suspects.push_back(i);
  }
  const std::size_t tried = suspects.size();
  auto fails = [&](std::vector<std::size_t> some) -> Task<std::optional<Error>> {
    std::vector<bool> others(batch.events.size(), true);
    for (const std::size_t i : some) others[i] = false;
    std::optional<Error> failure;
    try {
      co_await convert(batch, others, true);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure && failure->kind() != ErrorKind::kInvalid) throw *failure;
    co_return failure;
  };
  const auto culprits = co_await find_culprits(std::move(suspects), fails);
  for (const Culprit& culprit : culprits) {
    left_out[culprit.index] = true;
    batch.prepared.items[culprit.index] = {};
    batch.prepared.items[culprit.index].failed = culprit.error;
  }
  co_return !culprits.empty() && culprits.size() < tried;
}

}  // namespace

std::unique_ptr<Sink> make_table_sink(std::string table, Catalog& catalog, StepServices services,
                                      TableSinkLimits limits) {
  return std::make_unique<TableSink>(std::move(table), catalog, services, std::move(limits));
}

}  // namespace headrace
