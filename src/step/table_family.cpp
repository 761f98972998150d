#include "step/table_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "core/crash_point.h"
#include "core/key_template.h"
#include "step/batch_sort.h"
#include "step/object_batch.h"
#include "step/side_by_side.h"
#include "step/table_appends.h"
#include "step/temp_file.h"

namespace headrace {
namespace {

constexpr std::size_t kSideBySide = 8;

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

class TableFamilySink final : public Sink {
 public:
  TableFamilySink(std::string family, Catalog& catalog, StepServices services,
                  TableFamilyOptions options)
      : family_(std::move(family)),
        name_(KeyTemplate::parse(family_)),
        catalog_(catalog),
        services_(services),
        options_(std::move(options)) {
    remove_leftovers(options_.folder, "", ".rows");
  }

  Limits limits() const override {
    return {options_.limits.commit_bytes, options_.limits.commit_every,
            options_.limits.commit_tasks};
  }
  std::string group_of(const Event&) override { return family_; }

  Task<std::unique_ptr<Prepared>> prepare(std::string, std::string app_id,
                                          std::vector<Event> events) override;
  Task<std::string> commit(std::string, Prepared& prepared, std::string, std::uint64_t) override;
  /// Each table has a seq of its own; the plan knows them.
  Task<std::uint64_t> committed(std::string, std::string) override { co_return 0; }
  Task<bool> resolve(std::string, std::string, std::uint64_t, Bytes plan) override;

 private:
  struct Batch {
    const std::vector<Event>& events;
    std::vector<bool>& left_out;
    std::vector<Item>& items;
    std::string app_id;
    TableAppends appends;
  };
  Task<bool> convert(Batch& batch, RowPiles& piles);
  Task<bool> convert_pile(Batch& batch, RowPiles& piles, std::size_t pile, FaultBudget& faults);
  void bury(Batch& batch, RowPiles& piles, std::size_t pile, const Error& why,
            FaultBudget& faults) const;

  std::string family_;
  KeyTemplate name_;
  Catalog& catalog_;
  StepServices services_;
  TableFamilyOptions options_;
};

Task<std::unique_ptr<Sink::Prepared>> TableFamilySink::prepare(std::string, std::string app_id,
                                                               std::vector<Event> events) {
  auto prepared = std::make_unique<Prepared>();
  prepared->items.resize(events.size());
  std::vector<bool> left_out(events.size(), false);
  const std::set<std::string>& only = options_.limits.only;
  const BatchSort sort{
      .rules = {.name = name_,
                .given = {},
                .missing = {},
                .keep = options_.limits.keep,
                .admit = only.empty() ? std::function<bool(const std::string&)>()
                                      : [&only](const std::string& n) { return only.contains(n); },
                .rows = batch_rows_options()},
      .limits = {.memory_bytes = options_.memory, .piles = options_.tables},
      .folder = options_.folder,
      .own = {},
      .transform = options_.limits.transform,
      .numbered = true};
  Batch batch{events, left_out, prepared->items, std::move(app_id), {}};
  while (true) {
    const SortedBatch sorted =
        co_await sort_batch(sort, events, left_out, prepared->items, services_);
    prepared->left_out = sorted.left_out;
    batch.appends = {};
    if (co_await convert(batch, *sorted.piles)) break;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!left_out[i]) prepared->items[i] = {};
    }
  }
  prepared->empty = batch.appends.tables.empty();
  if (!prepared->empty) prepared->plan = encode(batch.appends);
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
    table = &catalog_.open(name);
  } catch (const Error& error) {
    refused = error;
  }
  if (refused) {
    if (refused->kind() != ErrorKind::kInvalid) throw *refused;
    bury(batch, piles, pile, *refused, faults);
    co_return true;
  }
  const TableConfig& config = *catalog_.config_of(name);
  TableAppends::One one{.table = name, .append = {}};
  one.append.app_id = batch.app_id;
  one.append.seq = co_await table->last_txn(batch.app_id) + 1;
  // Rows that are not wanted were left out while they were sorted.
  PileConverter converter(co_await convert_options(*table, config, {}), batch.events);
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
      auto files = co_await run_on(services_.cpu, next);
      co_await upload_files(*table, config, std::move(files), services_, one.append.files);
    } while (!rows.empty());
    auto files = co_await run_on(services_.cpu, finish);
    co_await upload_files(*table, config, std::move(files), services_, one.append.files);
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
  batch.appends.rows += converter.rows;
  if (!one.append.files.empty()) batch.appends.tables.push_back(std::move(one));
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

Task<std::string> TableFamilySink::commit(std::string, Prepared& prepared, std::string,
                                          std::uint64_t) {
  TableAppends appends = decode_appends(prepared.plan).value();
  std::size_t files = 0;
  auto append_one = [&](std::size_t i) -> Task<> {
    files += appends.tables[i].append.files.size();
    const TableAppends::One& one = appends.tables[i];
    co_await catalog_.open(one.table).append(one.append);
    crash_point("tables.appended");
    if (options_.limits.committed) options_.limits.committed(one.table, one.append.files.size());
  };
  co_await side_by_side(services_.executor, appends.tables.size(), kSideBySide, append_one);
  co_return fmt::format("{} rows in {} files of {} tables", appends.rows, files,
                        appends.tables.size());
}

Task<bool> TableFamilySink::resolve(std::string, std::string, std::uint64_t, Bytes plan) {
  const auto appends = decode_appends(plan);
  if (!appends) co_return false;  // It is no plan of ours.
  std::size_t done = 0;
  std::optional<Error> refused;
  for (const TableAppends::One& one : appends->tables) {
    try {
      co_await catalog_.open(one.table).append(one.append);
      ++done;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kBug) throw;
      if (error.kind() == ErrorKind::kTransient) throw;
      refused = error.during("table " + one.table);
    }
  }
  if (!refused) co_return true;
  if (done == 0) co_return false;
  throw Error(
      ErrorKind::kTransient,
      fmt::format("{} of {} tables have their rows of a batch, and another refuses its own: "
                  "{}",
                  done, appends->tables.size(), refused->what()));
}

}  // namespace

std::unique_ptr<Sink> make_table_family_sink(std::string family, Catalog& catalog,
                                             StepServices services, TableFamilyOptions options) {
  return std::make_unique<TableFamilySink>(std::move(family), catalog, services,
                                           std::move(options));
}

}  // namespace headrace
