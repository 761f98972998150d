#include "step/table_family.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "core/key_template.h"
#include "step/batch_sort.h"
#include "step/object_batch.h"
#include "step/table_batch.h"
#include "step/tables_sink.h"
#include "step/temp_file.h"

namespace headrace {
namespace {

/// A record of a numbered pile (row_sorter.h).
struct Record {
  std::size_t index = 0;
  std::uint64_t line = 0;
  BytesView row;
};

/// Takes the first record off `rest`.
Record take_record(BytesView& rest) {
  Record record;
  const char* at = rest.data();
  const char* const end = rest.data() + rest.size();
  at = std::from_chars(at, end, record.index).ptr + 1;
  at = std::from_chars(at, end, record.line).ptr + 1;
  rest.remove_prefix(static_cast<std::size_t>(at - rest.data()));
  record.row = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(record.row.size() + 1, rest.size()));
  return record;
}

/// Rows of one table on their way into files. On the CPU pool.
class PileConverter {
 public:
  PileConverter(ConvertOptions options, const std::vector<Event>& events)
      : convert_(std::move(options)), events_(events) {}

  void write(BytesView records) {
    while (!records.empty()) {
      const Record record = take_record(records);
      if (!open_ || record.index != index_) begin(record.index);
      lines_.push_back(record.line);
      text_.append(record.row).push_back('\n');
      if (text_.size() > kPieceBytes) flush();
    }
    flush();
  }
  std::vector<ParquetFile> take_files() { return convert_.take_files(); }
  std::vector<ParquetFile> finish() {
    end();
    return convert_.finish();
  }
  Schema schema() const { return convert_.schema(); }

  std::uint64_t rows = 0;
  /// Faults by the object's index, with lines of the object.
  std::vector<std::pair<std::size_t, ObjectRows>> faults;
  std::set<std::size_t> objects;

 private:
  static constexpr std::size_t kPieceBytes = 1u << 20;

  void begin(std::size_t index) {
    end();
    index_ = index;
    open_ = true;
    objects.insert(index);
    lines_.clear();
    convert_.begin_object(events_[index].key_fields);
  }
  void flush() {
    if (!text_.empty()) convert_.write(text_);
    text_.clear();
  }
  void end() {
    if (!open_) return;
    flush();
    ObjectRows came = convert_.end_object();
    rows += came.rows;
    open_ = false;
    if (came.fault_count == 0) return;
    for (LineFault& fault : came.faults) fault.line = lines_.at(fault.line - 1);
    faults.emplace_back(index_, std::move(came));
  }

  LinesToParquet convert_;
  const std::vector<Event>& events_;
  std::vector<std::uint64_t> lines_;  // Of the rows of the object at hand.
  Bytes text_;
  std::size_t index_ = 0;
  bool open_ = false;
};

class TableFamilySink final : public TablesSink {
 public:
  TableFamilySink(std::string family, Catalog& catalog, StepServices services,
                  TableFamilyOptions options)
      : TablesSink(catalog, services, std::move(options.limits)),
        family_(std::move(family)),
        name_(KeyTemplate::parse(family_)),
        piles_(options.tables),
        folder_(std::move(options.folder)),
        memory_(options.memory) {
    remove_leftovers(folder_, "", ".rows");
  }

  std::string group_of(const Event&) override { return family_; }

  Task<std::unique_ptr<Prepared>> prepare(std::string, std::string app_id,
                                          std::vector<Event> events) override;

 private:
  struct Batch {
    const std::vector<Event>& events;
    std::vector<bool>& left_out;
    std::vector<Item>& items;
    std::string app_id;
    TableBatch& made;
  };
  Task<bool> convert(Batch& batch, RowPiles& piles);
  Task<bool> convert_pile(Batch& batch, RowPiles& piles, std::size_t pile, FaultBudget& faults);
  void bury(Batch& batch, RowPiles& piles, std::size_t pile, const Error& why,
            FaultBudget& faults) const;

  std::string family_;
  KeyTemplate name_;
  std::size_t piles_;
  std::filesystem::path folder_;
  std::uint64_t memory_;
};

Task<std::unique_ptr<Sink::Prepared>> TableFamilySink::prepare(std::string, std::string app_id,
                                                               std::vector<Event> events) {
  auto prepared = std::make_unique<TablesPrepared>();
  prepared->items.resize(events.size());
  std::vector<bool> left_out(events.size(), false);
  const std::set<std::string>& only = given().only;
  const BatchSort sort{
      .rules = {.name = name_,
                .given = {},
                .missing = {},
                .keep = given().keep,
                .admit = only.empty() ? std::function<bool(const std::string&)>()
                                      : [&only](const std::string& n) { return only.contains(n); },
                .rows = batch_rows_options()},
      .limits = {.memory_bytes = memory_, .piles = piles_},
      .folder = folder_,
      .own = {},
      .transform = given().transform,
      .numbered = true};
  Batch batch{events, left_out, prepared->items, std::move(app_id), prepared->batch};
  while (true) {
    const SortedBatch sorted =
        co_await sort_batch(sort, events, left_out, prepared->items, services());
    prepared->left_out = sorted.left_out;
    batch.made = {};
    if (co_await convert(batch, *sorted.piles)) break;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!left_out[i]) prepared->items[i] = {};
    }
  }
  prepared->close();
  co_return prepared;
}

/// False if objects had to be left out, and all is to be done again without them.
Task<bool> TableFamilySink::convert(Batch& batch, RowPiles& piles) {
  FaultBudget faults;
  for (std::size_t pile = 0; pile < piles.size(); ++pile) {
    if (!co_await convert_pile(batch, piles, pile, faults)) co_return false;
  }
  co_return true;
}

Task<bool> TableFamilySink::convert_pile(Batch& batch, RowPiles& piles, std::size_t pile,
                                         FaultBudget& faults) {
  const std::string& name = piles.name(pile);
  Table* table = nullptr;
  std::optional<Error> refused;
  try {
    table = &catalog().open(name);
  } catch (const Error& error) {
    refused = error;
  }
  if (refused) {
    if (refused->kind() != ErrorKind::kInvalid) throw *refused;
    bury(batch, piles, pile, *refused, faults);
    co_return true;
  }
  const TableConfig& config = *catalog().config_of(name);
  TableBatch::One one{.table = name, .append = {}, .outdated = {}};
  one.append.app_id = batch.app_id;
  ConvertOptions options;
  {
    const auto now = co_await table->snapshot();
    one.append.seq = next_seq(now, batch.app_id);
    options = convert_options(now, config, {});  // Unwanted rows were left out in the sorting.
  }
  PileConverter converter(std::move(options), batch.events);
  Bytes rows;
  auto next = [&] {
    rows = piles.next(pile);
    converter.write(rows);
    return converter.take_files();
  };
  auto finish = [&] { return converter.finish(); };
  std::optional<Error> failure;
  try {
    do {
      auto files = co_await run_on(services().cpu, next);
      co_await upload_files(*table, config, std::move(files), services(), one.append.files);
    } while (!rows.empty());
    auto files = co_await run_on(services().cpu, finish);
    co_await upload_files(*table, config, std::move(files), services(), one.append.files);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    // It speaks of this table, so all objects with rows for it are left out, and no other.
    if (failure->kind() != ErrorKind::kInvalid || converter.objects.empty()) throw *failure;
    for (const std::size_t index : converter.objects) {
      batch.left_out[index] = true;
      batch.items[index] = {};
      batch.items[index].failed = failure->during("table " + name);
    }
    co_return false;
  }
  for (const auto& [index, came] : converter.faults) {
    faults.add(came, batch.items[index].dead_lines);
  }
  one.append.schema = converter.schema();
  batch.made.rows += converter.rows;
  batch.made.tables.push_back(std::move(one));
  co_return true;
}

/// All rows of a pile become dead lines.
void TableFamilySink::bury(Batch& batch, RowPiles& piles, std::size_t pile, const Error& why,
                           FaultBudget& faults) const {
  const JsonRowsOptions kept = batch_rows_options();
  std::map<std::size_t, ObjectRows> by_object;
  for (Bytes rows = piles.next(pile); !rows.empty(); rows = piles.next(pile)) {
    for (BytesView rest = rows; !rest.empty();) {
      const Record record = take_record(rest);
      ObjectRows& object = by_object[record.index];
      if (object.fault_count++ >= kept.faults_per_object) continue;
      object.faults.push_back(
          {record.line, why.what(), Bytes(record.row.substr(0, kept.fault_bytes))});
    }
  }
  for (const auto& [index, rows] : by_object) faults.add(rows, batch.items[index].dead_lines);
}

}  // namespace

std::unique_ptr<Sink> make_table_family_sink(std::string family, Catalog& catalog,
                                             StepServices services, TableFamilyOptions options) {
  return std::make_unique<TableFamilySink>(std::move(family), catalog, services,
                                           std::move(options));
}

}  // namespace headrace
