#include "step/table.h"

#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "step/culprits.h"
#include "step/object_batch.h"
#include "step/table_appends.h"

namespace headrace {
namespace {

constexpr int kAttempts = 20;              // Of a commit that other writers stand in the way of.
constexpr std::size_t kEncodeHelpers = 2;  // Row groups of a batch encoded meanwhile.

class TablePrepared final : public Sink::Prepared {
 public:
  std::vector<NewFile> files;
  Schema schema;
  std::uint64_t rows = 0;
  std::vector<std::string> outdated;  // Objects whose rows up to now have to go.
};

class TableSink final : public Sink {
 public:
  TableSink(std::string table, Catalog& catalog, StepServices services, TableSinkLimits limits)
      : table_(std::move(table)),
        catalog_(catalog),
        services_(services),
        limits_(std::move(limits)) {
    if (limits_.follow.any()) objects_ = std::make_unique<TableObjects>(limits_.rows.value());
  }

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

  Task<bool> resolve(std::string group, std::string app_id, std::uint64_t seq,
                     Bytes plan) override {
    // Left by another kind of sink, which the route had before: nothing of it is in this table.
    if (!plan.empty()) co_return false;
    co_return co_await committed(std::move(group), std::move(app_id)) >= seq;
  }

 private:
  /// One go at a batch: everything that is not left out, converted; uploaded too, unless it is only
  /// a trial. Says which large object broke off in the middle, if one did.
  struct Batch {
    Table& table;
    const TableConfig& config;
    const ConvertOptions& options;
    const std::vector<Event>& events;
    TablePrepared& prepared;
  };
  Task<std::optional<std::size_t>> convert(Batch batch, const std::vector<bool>& left_out,
                                           bool trial);
  Task<> convert_all(Batch batch, std::vector<bool> left_out);
  Task<ChangeResult> change(std::string group, const TablePrepared& batch, std::string app_id,
                            std::uint64_t seq);
  Task<bool> leave_out_culprits(Batch batch, std::vector<bool>& left_out);

  std::string table_;
  Catalog& catalog_;
  StepServices services_;
  TableSinkLimits limits_;
  std::unique_ptr<TableObjects> objects_;  // Of a table that follows its objects.
};

Task<std::unique_ptr<Sink::Prepared>> TableSink::prepare(std::string group, std::string,
                                                         std::vector<Event> events) {
  auto prepared = std::make_unique<TablePrepared>();
  if (!limits_.only.empty() && !limits_.only.contains(group)) {
    prepared->items.resize(events.size());
    for (Item& item : prepared->items) {
      item.result = {Outcome::kSkipped, "the table is not in its family's list"};
    }
    prepared->empty = true;
    co_return prepared;
  }
  Table& table = catalog_.open(group);
  const TableConfig& config = *catalog_.config_of(group);
  ConvertOptions options = co_await convert_options(table, config, limits_.keep);
  // Row groups are encoded by the other threads of the pool, while the next one fills.
  options.helpers = kEncodeHelpers;
  options.run_on_helper = [&cpu = services_.cpu](std::function<void()> work) {
    boost::asio::post(cpu, std::move(work));
  };
  options.object_column = limits_.object_column;
  options.line_column = limits_.line_column;
  if (objects_) {
    FollowedBatch followed(limits_.follow, std::move(events));
    co_await followed.check_lines(services_.stores);
    prepared->items = std::move(followed.items());
    co_await convert_all({table, config, options, followed.events(), *prepared},
                         followed.left_out());
    followed.items() = std::move(prepared->items);
    prepared->outdated = co_await followed.outdated(services_.stores);
    prepared->items = followed.take_items();
  } else {
    if (limits_.object_column) {
      for (Event& event : events) add_provenance(event);
    }
    prepared->items.resize(events.size());
    co_await convert_all({table, config, options, events, *prepared},
                         std::vector<bool>(events.size(), false));
  }
  prepared->empty = prepared->files.empty() && prepared->outdated.empty();
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
  TablePrepared& prepared = batch.prepared;
  prepared.files.clear();
  prepared.rows = 0;
  prepared.left_out = 0;
  FaultBudget faults;
  LinesToParquet converter(batch.options);
  ParquetReceiver receiver(converter);
  ObjectBatchReader reader(batch.events, left_out, prepared.items, services_, limits_.plain_bytes,
                           {}, limits_.transform);
  std::vector<ReadObject> objects = co_await reader.next();
  while (!objects.empty()) {
    // The next objects are fetched while these are converted.
    auto convert_these = convert_objects(receiver, objects, services_, prepared.items);
    auto [rows, next] = co_await (std::move(convert_these) && reader.next());
    for (const ConvertedObject& object : rows) {
      if (object.broken) co_return object.index;
      prepared.rows += object.rows.rows;
      prepared.left_out += object.rows.left_out;
      faults.add(object.rows, prepared.items[object.index].dead_lines);
    }
    std::vector<ParquetFile> files = converter.take_files();
    if (!trial) {
      co_await upload_files(batch.table, batch.config, std::move(files), services_, prepared.files);
    }
    objects = std::move(next);
  }
  auto finish = [&converter] { return converter.finish(); };
  std::vector<ParquetFile> files = co_await run_on(services_.cpu, finish);
  if (!trial) {
    co_await upload_files(batch.table, batch.config, std::move(files), services_, prepared.files);
  }
  prepared.schema = converter.schema();
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

Task<std::string> TableSink::commit(std::string group, Prepared& prepared, std::string app_id,
                                    std::uint64_t seq) {
  auto& batch = static_cast<TablePrepared&>(prepared);
  std::int64_t version = 0;
  if (batch.outdated.empty()) {
    Append append;
    append.app_id = app_id;
    append.seq = seq;
    append.files = batch.files;
    append.schema = batch.schema;
    version = (co_await catalog_.open(group).append(std::move(append))).version;
  } else {
    version = (co_await change(group, batch, app_id, seq)).version;
  }
  if (limits_.committed) limits_.committed(group, batch.files.size());
  co_return fmt::format("version {}, {} rows in {} files", version, batch.rows, batch.files.size());
}

/// The columns of new files and of those that are left of old ones.
Schema columns_of_both(Schema added, const Schema& there) {
  for (const Field& field : there.fields) {
    if (added.find(field.name) == nullptr) added.fields.push_back(field);
  }
  return added;
}

/// New rows come and the older ones of their objects go, in one commit. Which files these are in is
/// looked for anew when another writer was faster.
Task<ChangeResult> TableSink::change(std::string group, const TablePrepared& batch,
                                     std::string app_id, std::uint64_t seq) {
  Table& table = catalog_.open(group);
  Store& store = services_.stores.at(catalog_.config_of(group)->store);
  for (int attempt = 1;; ++attempt) {
    Change change;
    change.app_id = app_id;
    change.seq = seq;
    change.add = batch.files;
    change.schema = batch.schema;
    const auto snapshot = co_await table.snapshot();
    if (!snapshot && batch.files.empty()) co_return ChangeResult{};
    if (snapshot) {
      const auto done = snapshot->transactions.find(app_id);
      if (done != snapshot->transactions.end() && done->second >= static_cast<std::int64_t>(seq)) {
        co_return ChangeResult{.version = snapshot->version, .already_done = true};
      }
      co_await objects_->take_out(table, store, *snapshot, batch.outdated, change);
      // If there is nothing to do there is nothing to remember either: done again, it is the same.
      if (change.add.empty() && change.remove.empty()) {
        co_return ChangeResult{.version = snapshot->version};
      }
      change.schema =
          change.add.empty() ? Schema{} : columns_of_both(batch.schema, snapshot->schema);
      change.read_version = snapshot->version;
      change.read = {.kind = ReadScope::Kind::kTable};
    }
    try {
      co_return co_await table.change(std::move(change));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict || attempt == kAttempts) throw;
    }
  }
}

}  // namespace

std::unique_ptr<Sink> make_table_sink(std::string table, Catalog& catalog, StepServices services,
                                      TableSinkLimits limits) {
  return std::make_unique<TableSink>(std::move(table), catalog, services, std::move(limits));
}

}  // namespace headrace
