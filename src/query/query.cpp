#include "query/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "core/error.h"
#include "query/data_files.h"
#include "query/delta_view.h"
#include "query/engine.h"
#include "query/engine_thread.h"
#include "query/partition_columns.h"
#include "query/pruning.h"
#include "query/query_names.h"
#include "query/sql_text.h"
#include "query/statement.h"
#include "store/stores.h"
#include "table/table.h"

namespace headrace {
namespace {

constexpr std::size_t kMostSources = 1'000;  // Tables, URLs and paths of one statement.

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
  Table* table = nullptr;  // Of a Delta table, with its snapshot.
  std::optional<Snapshot> snapshot;
  FoundData data;                      // Else its files.
  std::vector<const TableFile*> kept;  // Of the snapshot.
  std::vector<std::string> paths;
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

/// The result of a run: knows the Query's thread.
class RunningResult final : public QueryResult {
 public:
  using Fetch = std::function<Task<std::optional<RowBatch>>(SharedRows)>;

  RunningResult(SharedRows rows, std::vector<SourceReport> sources, Fetch fetch)
      : rows_(std::move(rows)),
        columns_((*rows_)->columns()),
        sources_(std::move(sources)),
        fetch_(std::move(fetch)) {}

  const std::vector<Column>& columns() const override { return columns_; }
  const std::vector<SourceReport>& sources() const override { return sources_; }
  Task<std::optional<RowBatch>> next() override { return fetch_(rows_); }

 private:
  SharedRows rows_;
  std::vector<Column> columns_;
  std::vector<SourceReport> sources_;
  Fetch fetch_;
};

/// What the log tells and the reader of data files cannot do.
void refuse_unsupported(const Snapshot& snapshot, const std::string& shown) {
  const auto refuse = [&](std::string_view feature) {
    throw Error(ErrorKind::kInvalid, fmt::format("{}: cannot read this table: it uses '{}', which "
                                                 "is not supported",
                                                 shown, feature));
  };
  if (snapshot.column_mapping != ColumnMapping::kNone) refuse("columnMapping");
  for (const TableFile& file : snapshot.files) {
    if (file.deletion_vector) refuse("deletionVectors");
  }
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
        partitions_(engine_) {}

  Task<std::unique_ptr<QueryResult>> run(std::string sql);
  void interrupt() { engine_.interrupt(); }

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

  Plan begin(const std::string& sql);
  void drop_views();
  Task<> define(Plan& plan, std::string name, bool missing, std::vector<SourceReport>& reports);
  Task<std::optional<Source>> look_up(const Plan& plan, std::string name, bool missing);
  Task<std::optional<DataPlace>> place_of(std::string name, bool missing, bool& named);
  Task<Snapshot> snapshot_of(Table& table, std::optional<AsOf> as_of, std::string shown);
  Table& table_at(Store& store, const ObjectKey& location);
  std::optional<AsOf> evaluate(const TimeTravel& travel);
  void prune(const Plan& plan, Source& source);
  Task<> find_paths(Source& source);
  void create_view(const Source& source);
  static SourceReport report_of(const Source& source);
  Task<> explain_missing(std::string message, std::string missing);

  const QueryOptions options_;
  TableResolver& resolver_;
  Clock& clock_;
  Random& random_;
  Engine engine_;
  PartitionColumns partitions_;
  std::map<std::pair<Store*, ObjectKey>, std::unique_ptr<Table>> tables_;
  std::vector<std::string> views_;  // Ours, in the engine now.
  std::set<std::string> seen_;      // Names that were tables once.
  bool hidden_references_ = false;  // A view or macro may use any of them.
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

Task<std::unique_ptr<QueryResult>> Query::Impl::run(std::string sql) {
  engine_.allow();
  const std::size_t statements = split_statements(sql).size();
  if (statements != 1) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("one SQL statement is run at a time, here are {}", statements));
  }
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
          [this](SharedRows shared) -> Task<std::optional<RowBatch>> {
            if (!*shared) throw Error(ErrorKind::kInvalid, "a newer statement ended this result");
            co_return co_await on_engine([&] { return (*shared)->next(); });
          });
    } catch (const Error& error) {
      missing = missing_table(error.what());
      if (!missing) throw;
      failed = error;
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
  if (source->snapshot) co_await on_engine([&] { prune(plan, *source); });
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
  source.data = co_await find_data(*place, source.shown, named);
  if (source.data.format == DataFormat::kDelta) {
    source.table = &table_at(*place->store, place->object);
    source.snapshot = co_await snapshot_of(*source.table, source.as_of, source.shown);
  } else if (source.as_of) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} AT: only Delta tables keep their versions; this is {}",
                            source.shown, to_string(source.data.format)));
  }
  co_return source;
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
  const std::filesystem::path path = options_.working_folder.empty()
                                         ? std::filesystem::absolute(name)
                                         : std::filesystem::path(options_.working_folder) / name;
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
  refuse_unsupported(*snapshot, shown);
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
  Pruner pruner(*source.snapshot, plan.statement.constants, plan.text_by_bytes);
  for (const TableFile& file : source.snapshot->files) {
    const bool wanted =
        all || predicates.empty() || std::ranges::any_of(predicates, [&](const Predicate* p) {
          return pruner.may_match(*p, file);
        });
    if (wanted) source.kept.push_back(&file);
  }
}

Task<> Query::Impl::find_paths(Source& source) {
  std::vector<ObjectKey> objects;
  for (const TableFile* file : source.kept) objects.push_back(source.table->key_of(file->path));
  for (const ObjectInfo& file : source.data.files) objects.push_back(file.key);
  const std::size_t count = objects.size();
  source.paths = co_await resolver_.readable_paths(*source.store, std::move(objects));
  if (source.paths.size() != count) {
    throw Error(ErrorKind::kBug, "the resolver lost paths of " + source.shown);
  }
  for (std::string& path : source.paths) path = literal_path(path);
}

void Query::Impl::create_view(const Source& source) {
  const std::string variable = fmt::format("headrace_files_{}", views_.size());
  std::string rows;
  if (source.snapshot) {
    rows =
        delta_rows_sql(engine_, partitions_, *source.snapshot, source.kept, source.paths, variable);
  } else {
    engine_.set_list(variable, {source.paths.begin(), source.paths.end()});
    rows = files_rows_sql(source.data.format, variable);
  }
  try {
    engine_.execute(
        fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", sql_name(source.view), rows));
  } catch (const Error& error) {
    // Without the line and caret, which are in SQL of ours.
    const std::string_view message = error.what();
    throw Error(error.kind(),
                fmt::format("{}: {}", source.shown, message.substr(0, message.find("\n\nLINE "))));
  }
}

SourceReport Query::Impl::report_of(const Source& source) {
  SourceReport report{.name = source.shown};
  if (source.snapshot) report.version = source.snapshot->version;
  const auto count = [&](std::uint64_t bytes, bool read) {
    ++report.files_total;
    report.bytes_total += bytes;
    report.files_read += read ? 1 : 0;
    report.bytes_read += read ? bytes : 0;
  };
  for (const ObjectInfo& file : source.data.files) count(file.size, true);
  if (!source.snapshot) return report;
  auto kept = source.kept.begin();
  for (const TableFile& file : source.snapshot->files) {
    const bool read = kept != source.kept.end() && *kept == &file;
    if (read) ++kept;
    count(file.size, read);
  }
  return report;
}

Task<> Query::Impl::explain_missing(std::string message, std::string missing) {
  throw Error(ErrorKind::kInvalid, with_known_names(message, missing, co_await resolver_.names()));
}

}  // namespace headrace
