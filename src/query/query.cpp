#include "query/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/size.h"
#include "query/data_files.h"
#include "query/data_folders.h"
#include "query/dataset_columns.h"
#include "query/deleted_rows.h"
#include "query/delta_view.h"
#include "query/engine.h"
#include "query/engine_messages.h"
#include "query/engine_thread.h"
#include "query/partition_columns.h"
#include "query/pruning.h"
#include "query/query_names.h"
#include "query/saving.h"
#include "query/sql_effects.h"
#include "query/sql_text.h"
#include "query/statement.h"
#include "store/stores.h"
#include "table/table.h"

namespace headrace {
namespace {

constexpr std::size_t kMostSources = 1'000;  // Tables, URLs and paths of one statement.
constexpr std::size_t kTriedFiles = 1'000;   // To find a broken one.
// How messages start that may come from broken files.
constexpr std::string_view kBrokenBytes[] = {"Invalid Error", "Invalid Input Error", "IO Error",
                                             "Serialization Error"};
constexpr std::size_t kCrawledAtOnce = 500;  // Objects that the engine looks at together.

/// A version of a Delta table: by number, or by time in microseconds since 1970.
struct AsOf {
  bool timestamp = false;
  std::int64_t value = 0;
};

/// A name of FROM and what it stands for, from looking it up to being a view.
struct Source {
  std::string view;   // As the rewritten SQL calls it.
  std::string shown;  // As the user wrote it.
  std::optional<AsOf> as_of;
  Store* store = nullptr;
  Table* table = nullptr;  // Of a Delta table; else `data` has the files.
  FoundData data;
  Snapshot snapshot;                          // The table's, or what the files' folders say.
  std::vector<const TableFile*> kept;         // Of the snapshot: those that are read.
  std::vector<std::string> paths;             // Of `kept`.
  std::vector<DeletedRows> deleted;           // The same, of a Delta table.
  std::map<std::string, std::string> stated;  // Types of a dataset's columns.
  std::shared_ptr<const DatasetState> crawled;
  std::string drift;

  /// The object of a file of the snapshot.
  ObjectKey key_of(const TableFile& file) const {
    if (table) return table->key_of(file.path);
    return data.files[static_cast<std::size_t>(&file - snapshot.files.data())].key;
  }
};

bool is_url(std::string_view name) { return name.find("://") != std::string_view::npos; }

bool is_path(std::string_view name) {
  return name.find('/') != std::string_view::npos || format_of_name(name).has_value();
}

/// The engine's names know no case.
std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// Statements about transactions have to reach the engine bare: nothing else is taken in one that
/// failed.
bool is_transaction(std::string_view sql) {
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  constexpr std::string_view kWords[] = {"begin", "start", "commit", "end", "rollback", "abort"};
  return !tokens.empty() && std::ranges::any_of(kWords, [&](std::string_view word) {
    return tokens.front().is(word);
  });
}

std::string nothing_committed(const std::string& shown) {
  return fmt::format("{}: there is no Delta table yet; it begins with its first commit", shown);
}

/// Rows of a statement; the Query may take them away when it starts the next.
using SharedRows = std::shared_ptr<std::unique_ptr<EngineRows>>;

/// The row that EXPLAIN ends with here.
RowBatch files_row(const std::vector<SourceReport>& sources) {
  std::string text;
  for (const SourceReport& source : sources) {
    text += (text.empty() ? "" : "\n") + to_string(source);
  }
  return {.rows = 1, .cells = {Cell::of_text("files_read"), Cell::of_text(std::move(text))}};
}

/// The result of a run: knows the Query's thread.
class RunningResult final : public QueryResult {
 public:
  using Fetch = std::function<Task<std::optional<RowBatch>>(SharedRows)>;

  RunningResult(SharedRows rows, std::vector<SourceReport> sources, Fetch fetch)
      : rows_(std::move(rows)),
        columns_((*rows_)->columns()),
        sources_(std::move(sources)),
        fetch_(std::move(fetch)) {
    explains_ = columns_.size() == 2 && columns_[0].name == "explain_key" && !sources_.empty();
  }

  const std::vector<Column>& columns() const override { return columns_; }
  const std::vector<SourceReport>& sources() const override { return sources_; }

  Task<std::optional<RowBatch>> next() override {
    if (ended_) co_return std::nullopt;  // The engine must not be asked again.
    std::optional<RowBatch> batch = co_await fetch_(rows_);
    ended_ = !batch;
    if (ended_ && explains_) batch = files_row(sources_);
    co_return batch;
  }

 private:
  SharedRows rows_;
  std::vector<Column> columns_;
  std::vector<SourceReport> sources_;
  Fetch fetch_;
  bool explains_ = false;  // A row of ours comes last.
  bool ended_ = false;
};

/// The result of a statement that ran to its end, with few rows.
class FinishedResult final : public QueryResult {
 public:
  FinishedResult(const QueryResult& ran, std::optional<RowBatch> rows)
      : columns_(ran.columns()), sources_(ran.sources()), rows_(std::move(rows)) {}

  const std::vector<Column>& columns() const override { return columns_; }
  const std::vector<SourceReport>& sources() const override { return sources_; }
  Task<std::optional<RowBatch>> next() override { co_return std::exchange(rows_, std::nullopt); }

 private:
  std::vector<Column> columns_;
  std::vector<SourceReport> sources_;
  std::optional<RowBatch> rows_;
};

/// The count of rows that a COPY gives.
std::uint64_t copied_rows(const std::optional<RowBatch>& batch) {
  std::uint64_t rows = 0;
  const std::string text = batch && batch->rows > 0 ? batch->cells.at(0).text : "";
  std::from_chars(text.data(), text.data() + text.size(), rows);
  return rows;
}

}  // namespace

class Query::Impl {
 public:
  Impl(QueryOptions options, TableResolver& resolver, Clock& clock, Random& random)
      : options_(std::move(options)),
        resolver_(resolver),
        clock_(clock),
        random_(random),
        engine_(options_),
        partitions_(engine_),
        deleted_rows_(engine_) {}

  Task<std::unique_ptr<QueryResult>> run(std::string sql);
  Task<Saved> save(std::string sql, SaveTarget target);
  Task<Crawl> crawl(std::string dataset, bool anew);
  void interrupt() { engine_.interrupt(); }
  std::optional<double> progress() const { return engine_.progress(); }
  RangeReads range_reads() const { return engine_.objects().reads(); }

  template <class Work>
  Task<std::invoke_result_t<Work&>> on_engine(Work work) {
    co_return co_await thread_.run(std::move(work), [this] { engine_.interrupt(); });
  }

 private:
  /// What is known of a statement while it is prepared.
  struct Plan {
    std::string sql;
    Statement statement;
    std::map<std::string, TimeTravel> travels;  // By view.
    std::set<std::string> defined;              // Names looked up or the user's own; lower case.
    bool prune = true;
    bool text_by_bytes = true;
  };

  std::string allowed(std::string_view sql) const;
  Task<std::unique_ptr<QueryResult>> copy_to_url(std::string sql, CopyTarget target);
  Task<std::unique_ptr<QueryResult>> run_statement(std::string sql);
  Task<DataPlace> place_for_writing(std::string name);
  Error explained(const Error& error, std::string_view sql) const;
  Error with_culprit(const Error& error);
  Plan begin(const std::string& sql);
  void drop_views();
  Task<> define(Plan& plan, std::string name, bool missing, std::vector<SourceReport>& reports);
  Task<std::optional<Source>> look_up(const Plan& plan, std::string name, bool missing);
  Task<std::optional<DataPlace>> place_of(std::string name, bool missing, bool& named);
  Task<Snapshot> snapshot_of(Table& table, std::optional<AsOf> as_of, std::string shown);
  std::filesystem::path absolute(const std::string& path) const;
  Table& table_at(Store& store, const ObjectKey& location);
  std::optional<AsOf> evaluate(const TimeTravel& travel);
  void prune(const Plan& plan, Source& source);
  Task<std::vector<std::string>> paths_of(Store& store, std::vector<ObjectKey> objects,
                                          DataFormat format);
  Task<> find_paths(Source& source);
  std::string rows_sql(Source& source);
  std::vector<TypedColumn> known_columns(Source& source, const std::string& variable);
  void create_view(Source& source);
  Task<std::vector<TypedColumn>> columns_of(Store& store, std::vector<ObjectKey> objects,
                                            DataFormat format);
  static SourceReport report_of(const Source& source);
  Task<> explain_missing(std::string message, std::string missing);

  const QueryOptions options_;
  TableResolver& resolver_;
  Clock& clock_;
  Random& random_;
  Engine engine_;
  PartitionColumns partitions_;
  DeletedRowsFilter deleted_rows_;
  std::map<std::pair<Store*, ObjectKey>, std::unique_ptr<Table>> tables_;
  std::vector<std::string> views_;                           // Ours, in the engine now.
  std::map<std::string, std::string, std::less<>> objects_;  // Copies' paths -> remote objects.
  std::vector<std::string> parquet_;  // Files of the statement, as far as they would be tried.
  std::set<std::string> seen_;        // Names that were tables once.
  bool hidden_references_ = false;    // A view or macro may use any of them.
  std::weak_ptr<SharedRows::element_type> current_;
  EngineThread thread_;  // The last: joined first.
};

Query::Query(QueryOptions options, TableResolver& resolver, Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), resolver, clock, random)) {}
Query::~Query() = default;

Task<std::unique_ptr<QueryResult>> Query::run(std::string sql) {
  return impl_->run(std::move(sql));
}

void Query::interrupt() { impl_->interrupt(); }

Task<std::vector<SourceReport>> Query::run_to(std::string sql, MakeWriter make) {
  const std::unique_ptr<QueryResult> result = co_await run(std::move(sql));
  const std::size_t width = result->columns().size();
  const std::unique_ptr<RowWriter> writer = make(result->columns());
  while (const auto batch = co_await result->next()) {
    for (std::size_t row = 0; row < batch->rows; ++row) {
      writer->row(std::span(batch->cells).subspan(row * width, width));
    }
  }
  writer->finish();
  co_return result->sources();
}

Task<Saved> Query::save(std::string sql, SaveTarget target) {
  return impl_->save(std::move(sql), std::move(target));
}

Task<Crawl> Query::crawl(std::string dataset, bool anew) {
  return impl_->crawl(std::move(dataset), anew);
}

RangeReads Query::range_reads() const { return impl_->range_reads(); }
std::optional<double> Query::progress() const { return impl_->progress(); }

std::string to_string(const SourceReport& source) {
  return fmt::format("{}{}: {} of {} files, {} of {}", source.name,
                     source.version ? fmt::format(" version {}", *source.version) : "",
                     source.files_read, source.files_total, format_size(source.bytes_read),
                     format_size(source.bytes_total));
}

std::string to_string(const RangeReads& reads) {
  return fmt::format("{} object{} by ranges: {} of {} in {} requests", reads.objects,
                     reads.objects == 1 ? "" : "s", format_size(reads.bytes),
                     format_size(reads.of_bytes), reads.requests);
}

/// The one statement of a text, without semicolons around it; throws if it may not be run.
std::string Query::Impl::allowed(std::string_view sql) const {
  std::vector<std::string> statements = split_statements(sql);
  if (statements.size() != 1) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("one SQL statement is run at a time, here are {}", statements.size()));
  }
  const auto effect = options_.may_write ? std::nullopt : outside_write(statements[0]);
  if (!effect) return std::move(statements[0]);
  throw Error(ErrorKind::kInvalid,
              fmt::format("{}, and SQL only reads here: say --write to allow it, or --to to put "
                          "the rows of a SELECT into a file or object",
                          *effect));
}

Task<std::unique_ptr<QueryResult>> Query::Impl::run(std::string sql) {
  engine_.allow();
  sql = allowed(sql);
  if (auto target = copy_target(sql); target && is_url(target->name)) {
    co_return co_await copy_to_url(std::move(sql), std::move(*target));
  }
  co_return co_await run_statement(std::move(sql));
}

/// COPY ... TO a store: into a file of our own, which then becomes the object.
Task<std::unique_ptr<QueryResult>> Query::Impl::copy_to_url(std::string sql, CopyTarget target) {
  const DataPlace place = resolver_.locate(target.name);
  const TemporaryFolder folder(options_.temp_folder);
  const auto file = folder.path() / target.name.substr(target.name.rfind('/') + 1);
  sql.replace(target.offset, target.end - target.offset, sql_string(file.string()));
  const auto ran = co_await run_statement(std::move(sql));
  const auto rows = co_await ran->next();
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(ErrorKind::kInvalid,
                target.name +
                    ": a URL takes one object; write many files into a folder, and copy "
                    "it with `headrace cp -r`");
  }
  co_await put_file(file, place, target.name, true, thread_.pool());
  co_return std::make_unique<FinishedResult>(*ran, rows);
}

Task<DataPlace> Query::Impl::place_for_writing(std::string name) {
  if (is_url(name)) co_return resolver_.locate(name);
  const StoreUrl url = plain_file_url(absolute(name).string());
  co_return resolver_.locate(url.store + ":///" + url.object.text());
}

Task<Saved> Query::Impl::save(std::string sql, SaveTarget target) {
  engine_.allow();
  sql = allowed(sql);
  if (target.format == DataFormat::kAuto) {
    const auto format = format_of_name(target.name);
    if (!format) {
      throw Error(ErrorKind::kInvalid,
                  target.name +
                      ": its ending has to say the format: .parquet, .csv, .tsv, .json, "
                      ".jsonl or .ndjson, the last five also with .gz or .zst");
    }
    target.format = *format;
  }
  const DataPlace place = co_await place_for_writing(target.name);
  if (!target.overwrite && co_await place.store->head(place.object)) {
    throw Error(ErrorKind::kInvalid, target.name + " is there already; say --force to replace it");
  }
  const TemporaryFolder folder(options_.temp_folder);
  const auto file = folder.path() / "rows";
  const auto ran =
      co_await run_statement(fmt::format("COPY (\n{}\n) TO {} ({})", sql, sql_string(file.string()),
                                         copy_options(target.format, target.name, target.codec)));
  Saved saved{.rows = copied_rows(co_await ran->next()), .sources = ran->sources()};
  co_await put_file(file, place, target.name, target.overwrite, thread_.pool());
  co_return saved;
}

/// Some broken Parquet files make the engine say what is wrong without saying where. The files that
/// the statement read are then tried one by one.
Error Query::Impl::with_culprit(const Error& error) {
  const std::string_view message = error.what();
  const bool about_bytes = std::ranges::any_of(
      kBrokenBytes, [&](std::string_view start) { return message.starts_with(start); });
  if (!about_bytes || error.kind() == ErrorKind::kCancelled) return error;
  for (const std::string& path : parquet_) {
    if (message.contains(path)) return error;
  }
  for (const std::string& path : parquet_) {
    try {
      engine_.rows(fmt::format("SELECT max(hash(t)) FROM read_parquet({}) t", sql_string(path)));
    } catch (const Error& found) {
      if (found.kind() == ErrorKind::kCancelled) throw;
      return Error(error.kind(), fmt::format("'{}' is no good Parquet file: {}", path, message));
    }
  }
  return error;
}

/// What the engine says of a failed statement, in words that fit here.
Error Query::Impl::explained(const Error& error, std::string_view sql) const {
  const std::string named = with_object_names(error.what(), [&](std::string_view path) {
    const auto found = objects_.find(path);
    return found == objects_.end() ? std::nullopt : std::optional(found->second);
  });
  std::string message = with_our_advice(named);
  if (error.kind() == ErrorKind::kInvalid && !views_.empty() && changes_table(sql)) {
    message +=
        "\nSQL reads tables, datasets and files and does not change them: rows come in "
        "through routes. Tables of the session (CREATE TEMP TABLE) can be changed.";
  }
  return Error(error.kind(), message);
}

Task<std::unique_ptr<QueryResult>> Query::Impl::run_statement(std::string sql) {
  hidden_references_ = hidden_references_ || hides_references(sql);
  Plan plan = co_await on_engine([&] { return begin(sql); });
  std::vector<SourceReport> reports;
  std::vector<std::string> names;
  for (const Reference& reference : plan.statement.references) names.push_back(reference.name);
  if (hidden_references_) names.insert(names.end(), seen_.begin(), seen_.end());
  for (const std::string& name : names) co_await define(plan, name, false, reports);
  for (;;) {
    std::optional<Error> failed;
    std::optional<std::string> missing;
    try {
      auto rows = std::make_shared<std::unique_ptr<EngineRows>>(
          co_await on_engine([&] { return engine_.stream(plan.sql); }));
      current_ = rows;
      co_return std::make_unique<RunningResult>(
          std::move(rows), std::move(reports),
          [this, sql](SharedRows shared) -> Task<std::optional<RowBatch>> {
            if (!*shared) throw Error(ErrorKind::kInvalid, "a newer statement ended this result");
            std::optional<Error> failed;
            try {
              co_return co_await on_engine([&] { return (*shared)->next(); });
            } catch (const Error& error) {
              failed = error;
            }
            shared->reset();
            failed = co_await on_engine([&] { return with_culprit(*failed); });
            throw explained(*failed, sql);
          });
    } catch (const Error& error) {
      missing = missing_table(error.what());
      failed = error;
    }
    if (!missing) {
      failed = co_await on_engine([&] { return with_culprit(*failed); });
      throw explained(*failed, sql);
    }
    // Names that no parser finds (in PIVOT, in views) come out one by one when they are missed.
    const std::size_t before = views_.size();
    if (plan.defined.size() < kMostSources) co_await define(plan, *missing, true, reports);
    if (views_.size() == before) co_await explain_missing(failed->what(), *missing);
  }
}

/// Ends the statement before, then reads the new one as far as that needs the engine alone.
Query::Impl::Plan Query::Impl::begin(const std::string& sql) {
  if (const auto current = current_.lock()) current->reset();
  if (is_transaction(sql)) return {.sql = sql};
  drop_views();
  partitions_.clear();
  objects_.clear();
  parquet_.clear();
  engine_.objects().clear();
  deleted_rows_.clear();
  SqlWithoutTimeTravel without = take_out_time_travel(sql);
  Plan plan;
  for (TimeTravel& travel : without.travels) {
    const std::string view = travel.view;
    plan.travels.emplace(view, std::move(travel));
  }
  plan.sql = std::move(without.sql);
  plan.prune = options_.prune && !hidden_references_;
  plan.statement = analyse(engine_, plan.sql);
  const auto collation = engine_.rows("SELECT current_setting('default_collation')");
  plan.text_by_bytes = collation.at(0).at(0).text.empty();
  const auto own = engine_.rows(
      "SELECT lower(table_name) FROM duckdb_tables() WHERE NOT internal UNION ALL "
      "SELECT lower(view_name) FROM duckdb_views() WHERE NOT internal");
  for (const auto& row : own) plan.defined.insert(row[0].text);
  return plan;
}

void Query::Impl::drop_views() {
  for (const std::string& view : views_) {
    engine_.execute(fmt::format("DROP VIEW IF EXISTS temp.{}", sql_name(view)));
  }
  views_.clear();
}

/// Makes a view of this name if it stands for anything. `missing`: the engine has no such table, so
/// that a bare word may be a folder.
Task<> Query::Impl::define(Plan& plan, std::string name, bool missing,
                           std::vector<SourceReport>& reports) {
  if (!plan.defined.insert(lower(name)).second && !missing) co_return;
  if (plan.defined.size() > kMostSources) {
    throw Error(ErrorKind::kInvalid, fmt::format("more than {} names in FROM", kMostSources));
  }
  auto source = co_await look_up(plan, name, missing);
  if (!source) co_return;
  co_await on_engine([&] { prune(plan, *source); });
  co_await find_paths(*source);
  co_await on_engine([&] { create_view(*source); });
  views_.push_back(source->view);
  seen_.insert(name);
  reports.push_back(report_of(*source));
}

Task<std::optional<Source>> Query::Impl::look_up(const Plan& plan, std::string name, bool missing) {
  Source source{.view = name, .shown = name};
  const auto travel = plan.travels.find(name);
  if (travel != plan.travels.end()) {
    source.shown = travel->second.name;
    source.as_of = co_await on_engine([&] { return evaluate(travel->second); });
  }
  bool named = false;
  const auto place = co_await place_of(source.shown, missing || source.as_of, named);
  if (!place) {
    if (source.as_of) {
      co_await explain_missing(
          fmt::format("Catalog Error: Table with name {} does not exist!", source.shown),
          source.shown);
    }
    co_return std::nullopt;
  }
  source.store = place->store;
  source.stated = place->columns;
  source.crawled = place->kept;
  source.data = co_await find_data(*place, source.shown, named);
  if (source.data.format == DataFormat::kDelta) {
    source.table = &table_at(*place->store, place->object);
    source.snapshot = co_await snapshot_of(*source.table, source.as_of, source.shown);
    co_return source;
  }
  if (source.as_of) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} AT: only Delta tables keep their versions; this is {}",
                            source.shown, to_string(source.data.format)));
  }
  source.snapshot = folder_partitions(source.data.files);
  co_return source;
}

std::filesystem::path Query::Impl::absolute(const std::string& path) const {
  return options_.working_folder.empty() ? std::filesystem::absolute(path)
                                         : options_.working_folder / path;
}

/// `named` says whether the stack gave the place, rather than a URL or path.
Task<std::optional<DataPlace>> Query::Impl::place_of(std::string name, bool missing, bool& named) {
  if (is_url(name)) co_return resolver_.locate(name);
  auto place = co_await resolver_.find(name);
  if (!place) {
    const auto same = same_ignoring_case(name, co_await resolver_.names());
    if (same) place = co_await resolver_.find(*same);
  }
  named = place.has_value();
  if (place) co_return place;
  const std::filesystem::path path = absolute(name);
  std::error_code ignored;
  if (!is_path(name) && !(missing && std::filesystem::exists(path, ignored))) {
    co_return std::nullopt;
  }
  const StoreUrl url = plain_file_url(path.string());
  co_return resolver_.locate(url.store + ":///" + url.object.text());
}

Task<Snapshot> Query::Impl::snapshot_of(Table& table, std::optional<AsOf> as_of,
                                        std::string shown) {
  std::optional<Snapshot> snapshot;
  if (!as_of) {
    snapshot = co_await table.snapshot();
  } else if (as_of->timestamp) {
    snapshot = co_await table.snapshot_at_time(Time(Duration(as_of->value)));
  } else {
    snapshot = co_await table.snapshot_at_version(as_of->value);
  }
  if (!snapshot) throw Error(ErrorKind::kInvalid, nothing_committed(shown));
  co_return std::move(*snapshot);
}

Table& Query::Impl::table_at(Store& store, const ObjectKey& location) {
  ObjectKey key = location;
  while (key.path.ends_with('/')) key.path.pop_back();
  auto& table = tables_[{&store, key}];
  if (!table) table = open_table(store, key, clock_, random_, {.cpu = &thread_.pool()});
  return *table;
}

std::optional<AsOf> Query::Impl::evaluate(const TimeTravel& travel) {
  const char* form = travel.timestamp ? "SELECT epoch_us(CAST(({}) AS TIMESTAMPTZ))"
                                      : "SELECT CAST(({}) AS BIGINT)";
  const auto rows = engine_.rows(fmt::format(fmt::runtime(form), travel.expression));
  const std::string text = rows.empty() ? "" : rows[0][0].text;
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (rows.size() != 1 || text.empty() || read.ptr != text.data() + text.size()) {
    throw Error(ErrorKind::kInvalid, fmt::format("{}: what follows => gives no {}", travel.view,
                                                 travel.timestamp ? "time" : "version"));
  }
  return AsOf{travel.timestamp, value};
}

/// Keeps the files that any reference to the table may want.
void Query::Impl::prune(const Plan& plan, Source& source) {
  std::vector<const Predicate*> predicates;
  bool all = !plan.prune;
  for (const Reference& reference : plan.statement.references) {
    if (lower(reference.name) != lower(source.view)) continue;
    all = all || reference.predicate.kind == Predicate::Kind::kAnything;
    predicates.push_back(&reference.predicate);
  }
  Pruner pruner(source.snapshot, plan.statement.constants, plan.text_by_bytes);
  for (const TableFile& file : source.snapshot.files) {
    const bool wanted =
        all || predicates.empty() || std::ranges::any_of(predicates, [&](const Predicate* p) {
          return pruner.may_match(*p, file);
        });
    if (wanted) source.kept.push_back(&file);
  }
  // Files that are read tell the columns: without a schema in a log, one is needed.
  if (source.kept.empty() && !source.table) source.kept.push_back(&source.snapshot.files.front());
}

Task<std::vector<std::string>> Query::Impl::paths_of(Store& store, std::vector<ObjectKey> objects,
                                                     DataFormat format) {
  std::vector<std::string> paths =
      co_await engine_paths(engine_, resolver_, store, objects, format);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string name = objects[i].text();
    if (!paths[i].ends_with(literal_path(name))) objects_.emplace(paths[i], name);
  }
  co_return paths;
}

Task<> Query::Impl::find_paths(Source& source) {
  std::vector<ObjectKey> objects;
  for (const TableFile* file : source.kept) objects.push_back(source.key_of(*file));
  const bool parquet = source.table || source.data.format == DataFormat::kParquet;
  source.paths = co_await paths_of(*source.store, std::move(objects),
                                   parquet ? DataFormat::kParquet : source.data.format);
  for (const std::string& path : source.paths) {
    if (parquet && parquet_.size() < kTriedFiles) parquet_.push_back(path);
  }
  if (source.table) {
    source.deleted = co_await read_deleted_rows(*source.table, source.kept);
  }
}

/// The columns of plain files as far as they are known without looking at each: those crawled, with
/// what newer objects bring, and those stated. Empty: the reader has to find them.
std::vector<TypedColumn> Query::Impl::known_columns(Source& source, const std::string& variable) {
  std::vector<TypedColumn> columns;
  if (source.crawled) {
    columns = source.crawled->columns;
    std::vector<std::optional<std::string>> fresh;
    for (std::size_t i = 0; i < source.kept.size(); ++i) {
      const auto at = static_cast<std::size_t>(source.kept[i] - source.snapshot.files.data());
      if (!source.crawled->has_seen(source.data.files[at])) fresh.emplace_back(source.paths[i]);
    }
    if (!fresh.empty()) {
      engine_.set_list("headrace_fresh", fresh);
      const auto changes =
          merge_columns(columns, find_columns(engine_, source.data.format, "headrace_fresh", false),
                        source.data.format);
      if (!changes.empty()) source.drift = to_string(changes);
    }
  } else if (!source.stated.empty()) {
    columns = find_columns(engine_, source.data.format, variable, false);
  }
  if (!readable_by_name(columns)) return {};
  state_types(columns, source.stated);
  return columns;
}

std::string Query::Impl::rows_sql(Source& source) {
  const std::string variable = fmt::format("headrace_files_{}", views_.size());
  if (source.table) {
    const DeltaFiles files{source.snapshot, source.kept, source.paths, source.deleted};
    return delta_rows_sql(engine_, {partitions_, deleted_rows_}, files, variable);
  }
  engine_.set_list(variable, {source.paths.begin(), source.paths.end()});
  return file_rows_sql(engine_, partitions_, source.data.format, variable,
                       known_columns(source, variable), source.snapshot, source.kept);
}

void Query::Impl::create_view(Source& source) {
  try {
    engine_.execute(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", sql_name(source.view),
                                rows_sql(source)));
  } catch (const Error& error) {
    // Without the line and caret, which are in SQL of ours.
    const std::string message = explained(error, "").what();
    throw Error(error.kind(),
                fmt::format("{}: {}", source.shown, message.substr(0, message.find("\n\nLINE "))));
  }
}

SourceReport Query::Impl::report_of(const Source& source) {
  SourceReport report{.name = source.shown, .drift = source.drift};
  if (source.table) report.version = source.snapshot.version;
  for (const TableFile& file : source.snapshot.files) report.bytes_total += file.size;
  for (const TableFile* file : source.kept) report.bytes_read += file->size;
  report.files_total = source.snapshot.files.size();
  report.files_read = source.kept.size();
  return report;
}

Task<std::vector<TypedColumn>> Query::Impl::columns_of(Store& store, std::vector<ObjectKey> objects,
                                                       DataFormat format) {
  engine_.objects().clear();
  const std::vector<std::string> paths = co_await paths_of(store, std::move(objects), format);
  co_return co_await on_engine([&] {
    engine_.set_list("headrace_crawled", {paths.begin(), paths.end()});
    try {
      return find_columns(engine_, format, "headrace_crawled", true);
    } catch (const Error& error) {
      throw explained(error, "");
    }
  });
}

Task<Crawl> Query::Impl::crawl(std::string dataset, bool anew) {
  engine_.allow();
  const auto place = co_await resolver_.find(dataset);
  if (!place || place->format == DataFormat::kDelta) {
    throw Error(ErrorKind::kInvalid, dataset + ": the stack has no dataset of this name");
  }
  Crawl crawl;
  DatasetState& state = crawl.state;
  state.crawled = clock_.now();
  const FoundData data = co_await find_data(*place, dataset, true);
  if (data.format == DataFormat::kDelta) {
    throw Error(ErrorKind::kInvalid, dataset + ": a Delta table keeps its schema itself");
  }
  const DatasetState before = place->kept ? *place->kept : DatasetState{};
  const bool goes_on = !anew && place->kept && before.format == data.format;
  if (goes_on) state.columns = before.columns;
  state.format = data.format;
  std::vector<ObjectKey> batch;
  for (std::size_t i = 0; i < data.files.size(); ++i) {
    const ObjectInfo& object = data.files[i];
    if (!goes_on || !before.has_seen(object)) batch.push_back(object.key);
    if (batch.size() == kCrawledAtOnce || (i + 1 == data.files.size() && !batch.empty())) {
      crawl.objects_read += batch.size();
      merge_columns(state.columns,
                    co_await columns_of(*place->store, std::exchange(batch, {}), data.format),
                    data.format);
    }
    state.bytes += object.size;
    state.seen.push_back(fingerprint(object));
  }
  std::ranges::sort(state.seen);
  state.objects = data.files.size();
  const Snapshot folders = folder_partitions(data.files);
  for (const Field& field : folders.schema.fields) {
    state.partitions.push_back({field.name, sql_type(field.type)});
  }
  crawl.changes = changes_between(before.columns, state.columns);
  for (ColumnChange& change : crawl.changes) change.at = state.crawled;
  state.changes = before.changes;
  state.changes.insert(state.changes.end(), crawl.changes.begin(), crawl.changes.end());
  if (state.changes.size() > DatasetState::kMostChanges) {
    state.changes.erase(state.changes.begin(),
                        state.changes.end() - static_cast<long>(DatasetState::kMostChanges));
  }
  co_return crawl;
}

Task<> Query::Impl::explain_missing(std::string message, std::string missing) {
  throw Error(ErrorKind::kInvalid, with_known_names(message, missing, co_await resolver_.names()));
}

}  // namespace headrace
