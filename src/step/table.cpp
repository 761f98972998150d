#include "step/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "step/object_batch.h"

namespace headrace {
namespace {

constexpr std::size_t kFaultBytes = 16u << 10;  // Of a line's text in a dead letter.
constexpr std::size_t kFaultsPerObject = 100;   // Told one by one; the rest as a number.
constexpr std::uint64_t kFaultTextPerBatch = 8u << 20;

class TablePrepared final : public Sink::Prepared {
 public:
  std::vector<NewFile> files;
  Schema schema;
  std::uint64_t rows = 0;
};

class TableSink final : public Sink {
 public:
  TableSink(std::string table, Catalog& catalog, StepServices services, TableSinkLimits limits)
      : table_(std::move(table)), catalog_(catalog), services_(services), limits_(limits) {}

  Limits limits() const override {
    return {limits_.commit_bytes, limits_.commit_every, limits_.commit_tasks};
  }

  std::string group_of(const Event& event) override {
    return catalog_.name_for(table_, event.key_fields);
  }

  Task<std::unique_ptr<Prepared>> prepare(std::string group, std::string app_id,
                                          std::vector<Event> events) override;
  Task<std::string> commit(std::string group, Prepared& prepared, std::string app_id,
                           std::uint64_t seq) override;

  Task<std::uint64_t> committed(std::string group, std::string app_id) override {
    co_return co_await catalog_.open(group).last_txn(app_id);
  }

 private:
  Task<ConvertOptions> options_for(Table& table, const TableConfig& config);
  Task<> upload(Table& table, const TableConfig& config, std::vector<ParquetFile> files,
                TablePrepared& prepared);

  std::string table_;
  Catalog& catalog_;
  StepServices services_;
  TableSinkLimits limits_;
};

Task<ConvertOptions> TableSink::options_for(Table& table, const TableConfig& config) {
  ConvertOptions options;
  options.partition_by = config.partition_by;
  options.fault_bytes = kFaultBytes;
  options.faults_per_object = kFaultsPerObject;
  const auto snapshot = co_await table.snapshot();
  if (!snapshot) co_return options;
  options.schema = snapshot->schema;
  co_return options;
}

/// The faults of one object as dead lines; their text is left out once the batch holds too much.
void add_faults(const ObjectRows& rows, std::vector<DeadLine>& lines, std::uint64_t& text_bytes) {
  for (const LineFault& fault : rows.faults) {
    const bool whole = fault.text.size() < kFaultBytes;
    const bool room = text_bytes + fault.text.size() <= kFaultTextPerBatch;
    text_bytes += whole && room ? fault.text.size() : 0;
    lines.push_back({fault.line, fault.reason, whole && room ? fault.text : ""});
  }
  if (rows.fault_count > rows.faults.size()) {
    lines.push_back({rows.faults.empty() ? 1 : rows.faults.back().line + 1,
                     fmt::format("{} more bad lines follow in this object",
                                 rows.fault_count - rows.faults.size()),
                     ""});
  }
}

Task<std::unique_ptr<Sink::Prepared>> TableSink::prepare(std::string group, std::string,
                                                         std::vector<Event> events) {
  using namespace boost::asio::experimental::awaitable_operators;
  Table& table = catalog_.open(group);
  const TableConfig& config = *catalog_.config_of(group);
  ConvertOptions options = co_await options_for(table, config);
  auto prepared = std::make_unique<TablePrepared>();
  prepared->items.resize(events.size());
  std::uint64_t fault_text = 0;

  // An object that breaks off in the middle has left rows behind: such a batch is converted again
  // without it. Small objects are read whole first, so this is for large ones only.
  std::vector<bool> left_out(events.size(), false);
  while (true) {
    prepared->files.clear();
    prepared->rows = fault_text = 0;
    LinesToParquet convert(options);
    ObjectBatchReader reader(events, left_out, prepared->items, services_, limits_.plain_bytes);
    std::optional<std::size_t> broken;
    std::vector<ReadObject> objects = co_await reader.next();
    while (!objects.empty() && !broken) {
      // The next objects are fetched while these are converted.
      auto convert_these = convert_objects(convert, objects, services_, prepared->items);
      auto [rows, next] = co_await (std::move(convert_these) && reader.next());
      for (const ConvertedObject& object : rows) {
        if (object.broken) broken = object.index;
        prepared->rows += object.rows.rows;
        add_faults(object.rows, prepared->items[object.index].dead_lines, fault_text);
      }
      co_await upload(table, config, convert.take_files(), *prepared);
      objects = std::move(next);
    }
    if (broken) {
      left_out[*broken] = true;
      for (std::size_t i = 0; i < events.size(); ++i) {
        if (!left_out[i]) prepared->items[i] = {};
      }
      continue;
    }
    auto finish = [&convert] { return convert.finish(); };
    co_await upload(table, config, co_await run_on(services_.cpu, finish), *prepared);
    prepared->schema = convert.schema();
    break;
  }
  prepared->empty = prepared->files.empty();
  co_return prepared;
}

Task<> TableSink::upload(Table& table, const TableConfig& config, std::vector<ParquetFile> files,
                         TablePrepared& prepared) {
  Store& store = services_.stores.at(config.store);
  for (ParquetFile& file : files) {
    NewFile added{.path = table.new_data_path(file.partition),
                  .partition = std::move(file.partition),
                  .size = file.bytes.size(),
                  .rows = file.rows,
                  .stats = std::move(file.stats)};
    co_await store.put(table.key_of(added.path), std::move(file.bytes));
    prepared.files.push_back(std::move(added));
  }
}

Task<std::string> TableSink::commit(std::string group, Prepared& prepared, std::string app_id,
                                    std::uint64_t seq) {
  auto& batch = static_cast<TablePrepared&>(prepared);
  Append append;
  append.app_id = app_id;
  append.seq = seq;
  append.files = batch.files;
  append.schema = batch.schema;
  const AppendResult result = co_await catalog_.open(group).append(std::move(append));
  co_return fmt::format("version {}, {} rows in {} files", result.version, batch.rows,
                        batch.files.size());
}

}  // namespace

std::unique_ptr<Sink> make_table_sink(std::string table, Catalog& catalog, StepServices services,
                                      TableSinkLimits limits) {
  return std::make_unique<TableSink>(std::move(table), catalog, services, limits);
}

}  // namespace headrace
