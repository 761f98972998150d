#include "query/table_rewriter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <map>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"
#include "format/jsonl/infer.h"
#include "query/data_files.h"
#include "query/delta_view.h"
#include "query/file_stats.h"
#include "query/parquet_parts.h"
#include "query/pruning.h"
#include "query/statement.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPaths = "headrace_rewrite_files";
constexpr const char* kFile = "headrace_file";  // A column beside those of the table.
constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::uint64_t kGroupBytes = 256u << 20;  // Of files whose rows are changed together.
constexpr std::size_t kFilesAtOnce = 1'000;        // Searched by one statement.

/// A condition as it may stand in SQL of ours: on lines of its own, so that a comment in it ends.
std::string condition(const std::string& where) { return fmt::format("(\n{}\n)", where); }

std::uint64_t number_of(const Cell& cell) {
  std::uint64_t number = 0;
  std::from_chars(cell.text.data(), cell.text.data() + cell.text.size(), number);
  return number;
}

/// A file of this machine, read in pieces on a pool.
class LocalFile final : public ByteSource {
 public:
  LocalFile(fs::path path, CpuPool& pool)
      : path_(std::move(path)), file_(path_, std::ios::binary), pool_(pool) {}

  Task<Bytes> read() override {
    auto read_piece = [this] {
      Bytes piece(kPieceBytes, '\0');
      file_.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      piece.resize(static_cast<std::size_t>(file_.gcount()));
      if (file_.bad() || (piece.empty() && !file_.eof())) {
        throw Error(ErrorKind::kTransient, fmt::format("read {}: it failed", path_.string()));
      }
      return piece;
    };
    co_return co_await run_on(pool_, read_piece);
  }

 private:
  fs::path path_;
  std::ifstream file_;
  CpuPool& pool_;
};

/// A folder that is gone when this is.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {
    std::error_code failed;
    fs::create_directories(path_, failed);
    if (failed) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("make the folder {}: {}", path_.string(), failed.message()));
    }
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string codec_of(const Snapshot& snapshot) {
  const auto asked = snapshot.properties.find("delta.parquet.compression.codec");
  if (asked == snapshot.properties.end()) return "zstd";
  std::string codec = asked->second;
  std::ranges::transform(codec, codec.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return codec == "none" ? "uncompressed" : codec;
}

/// The columns of data files. Delta has no place for field ids: they are given as for files of new
/// rows.
Schema stored_schema(const Snapshot& snapshot) {
  Schema schema = snapshot.schema;
  jsonl::number_fields(schema);
  std::erase_if(schema.fields,
                [&](const Field& field) { return is_partition_column(snapshot, field.name); });
  return schema;
}

/// The columns of data files, changed where asked.
std::string stored_columns(const Snapshot& snapshot, const RowChange& change) {
  std::string columns;
  for (const Field& field : snapshot.schema.fields) {
    if (is_partition_column(snapshot, field.name)) continue;
    std::string value = sql_name(field.name);
    for (const auto& [column, expression] : change.set) {
      if (column != field.name) continue;
      const std::string made =
          fmt::format("CAST({} AS {})", condition(expression), sql_type(field.type));
      value = change.where.empty() ? made
                                   : fmt::format("CASE WHEN {} THEN {} ELSE {} END",
                                                 condition(change.where), made, value);
    }
    columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", value, sql_name(field.name));
  }
  return columns;
}

std::string copied_rows(const Snapshot& snapshot, const std::string& rows, const RowChange& change,
                        const std::vector<std::string>& sort_by) {
  std::string sql = fmt::format("SELECT {} FROM ({}) AS t", stored_columns(snapshot, change), rows);
  if (change.set.empty() && !change.where.empty()) {
    sql += fmt::format(" WHERE {} IS NOT TRUE", condition(change.where));
  }
  for (std::size_t i = 0; i < sort_by.size(); ++i) {
    sql += fmt::format("{}t.{}", i == 0 ? " ORDER BY " : ", ", sql_name(sort_by[i]));
  }
  return sql;
}

std::uint64_t bytes_of(const TableRewriter::Files& files) {
  std::uint64_t bytes = 0;
  for (const TableFile* file : files) bytes += file->size;
  return bytes;
}

}  // namespace

/// A file that holds rows to be changed.
struct TableRewriter::Hit {
  const TableFile* file = nullptr;
  std::uint64_t matches = 0;
  std::uint64_t rows = 0;
};

struct TableRewriter::Output {
  fs::path path;
  std::uint64_t size = 0;
  FileStats stats;
};

TableRewriter::TableRewriter(QueryOptions options, TableResolver& resolver, Random& random,
                             fs::path scratch)
    : options_(std::move(options)),
      resolver_(resolver),
      random_(random),
      scratch_(std::move(scratch)),
      engine_(options_),
      partitions_(engine_),
      deleted_(engine_) {}

TableRewriter::~TableRewriter() = default;

/// The SELECT over some files, ready to be run: fetched, and their deleted rows read.
Task<std::string> TableRewriter::rows_sql(Place place, Files files, std::string file_column) {
  std::vector<ObjectKey> objects;
  for (const TableFile* file : files) objects.push_back(place.table.key_of(file->path));
  engine_.objects().clear();
  std::vector<std::string> paths = co_await engine_paths(engine_, resolver_, place.store,
                                                         std::move(objects), DataFormat::kParquet);
  std::vector<DeletedRows> deleted = co_await read_deleted_rows(place.table, files);
  co_return co_await on_engine([&] {
    partitions_.clear();
    deleted_.clear();
    const DeltaFiles read{place.snapshot, files, std::move(paths), std::move(deleted)};
    return delta_rows_sql(engine_, {partitions_, deleted_}, read, kPaths, file_column);
  });
}

Task<> TableRewriter::set_texts(std::string name, std::vector<std::string> texts) {
  co_await on_engine([&] { engine_.set_list(name, {texts.begin(), texts.end()}); });
}

Task<TableRewriter::Files> TableRewriter::candidates(Place place, std::string where) {
  const std::string rows = co_await rows_sql(place, {}, "");
  co_return co_await on_engine([&] {
    // Says in the engine's words what is wrong with the condition, before any file is looked at.
    engine_.rows(fmt::format("SELECT 1 FROM ({}) AS t WHERE {}", rows, condition(where)));
    const Statement statement =
        analyse(engine_, fmt::format("SELECT * FROM headrace_rows WHERE {}", condition(where)));
    Files files;
    Pruner pruner(place.snapshot, statement.constants, true);
    for (const TableFile& file : place.snapshot.files) {
      const bool may = statement.references.size() != 1 ||
                       pruner.may_match(statement.references[0].predicate, file);
      if (may) files.push_back(&file);
    }
    return files;
  });
}

Task<std::optional<TableRewriter::Files>> TableRewriter::whole_partitions(Place place,
                                                                          std::string where) {
  Files files;
  for (const TableFile& file : place.snapshot.files) files.push_back(&file);
  co_return co_await on_engine([&]() -> std::optional<Files> {
    partitions_.clear();
    std::string columns;
    for (const Field& field : place.snapshot.schema.fields) {
      if (!is_partition_column(place.snapshot, field.name)) continue;
      columns += fmt::format(", {} AS {}", partition_column(partitions_, field, files),
                             sql_name(field.name));
    }
    const std::string sql = fmt::format(
        "SELECT {0} FROM (SELECT file_index AS {0}{1} FROM (SELECT unnest(range({2}))::UBIGINT AS "
        "file_index)) AS t WHERE {3} ORDER BY 1",
        kFile, files.empty() ? "" : columns, files.size(), condition(where));
    Files found;
    try {
      for (const auto& row : engine_.rows(sql)) found.push_back(files.at(number_of(row[0])));
    } catch (const Error& error) {
      // It speaks of other columns; if it is wrong altogether, that comes out with all of them.
      if (error.kind() != ErrorKind::kInvalid) throw;
      return std::nullopt;
    }
    return found;
  });
}

Task<std::vector<FileMatches>> TableRewriter::count_matches(Place place, Files files,
                                                            std::string where) {
  const std::string rows = co_await rows_sql(place, files, kFile);
  co_return co_await on_engine([&] {
    std::vector<FileMatches> found;
    const std::string sql = fmt::format(
        "SELECT f, count(*) FILTER (WHERE hit) AS hits, count(*) FROM (SELECT {} AS f, {} AS hit "
        "FROM ({}) AS t) GROUP BY 1 HAVING hits > 0 ORDER BY 1",
        kFile, condition(where), rows);
    for (const auto& row : engine_.rows(sql)) {
      found.push_back({number_of(row[0]), number_of(row[1]), number_of(row[2])});
    }
    return found;
  });
}

Task<std::vector<std::vector<std::uint64_t>>> TableRewriter::text_hashes(Place place, Files files,
                                                                         std::string column) {
  const std::string rows = co_await rows_sql(place, files, kFile);
  co_return co_await on_engine([&] {
    std::vector<std::vector<std::uint64_t>> found(files.size());
    const auto texts =
        engine_.stream(fmt::format("SELECT DISTINCT {0}, {1} FROM ({2}) AS t WHERE {1} IS NOT NULL",
                                   kFile, sql_name(column), rows));
    while (const auto batch = texts->next()) {
      for (std::size_t i = 0; i < batch->rows; ++i) {
        found.at(number_of(batch->cells[2 * i])).push_back(hash64(batch->cells[2 * i + 1].text));
      }
    }
    for (auto& hashes : found) std::ranges::sort(hashes);
    return found;
  });
}

Task<std::vector<NewFile>> TableRewriter::rewrite(Place place, Files files, RowChange change,
                                                  std::vector<std::string> sort_by,
                                                  std::uint64_t target_bytes) {
  std::vector<NewFile> made;
  if (files.empty()) co_return made;
  const ScratchFolder folder(scratch_ / random_.uuid());
  const std::string rows = co_await rows_sql(place, files, "");
  const std::string sql = copied_rows(place.snapshot, rows, change, sort_by);
  // A little more than asked for is better than a second, tiny file.
  const bool cut = bytes_of(files) > target_bytes + target_bytes / 4;
  const std::vector<Output> outputs = co_await on_engine([&] {
    return write(sql, place.snapshot, folder.path(),
                 cut ? std::optional(target_bytes) : std::nullopt);
  });
  for (const Output& output : outputs) {
    made.push_back(co_await upload(place, output, files.front()->partition));
  }
  co_return made;
}

Task<std::vector<TableRewriter::Hit>> TableRewriter::hits(Place place, Files files,
                                                          std::string where) {
  std::vector<Hit> found;
  for (std::size_t at = 0; at < files.size(); at += kFilesAtOnce) {
    const std::size_t end = std::min(files.size(), at + kFilesAtOnce);
    const Files some(files.begin() + static_cast<std::ptrdiff_t>(at),
                     files.begin() + static_cast<std::ptrdiff_t>(end));
    for (const FileMatches& of : co_await count_matches(place, some, where)) {
      found.push_back({some.at(of.file), of.matches, of.rows});
    }
  }
  co_return found;
}

Task<ChangedRows> TableRewriter::change_rows(Place place, Files files, RowChange change,
                                             Change& commit, bool dry_run,
                                             std::function<void()> refuse) {
  ChangedRows out;
  std::vector<Hit> rewritten;
  for (const Hit& hit : co_await hits(place, files, change.where)) {
    out.rows += hit.matches;
    commit.remove.push_back(hit.file->path);
    if (change.set.empty() && hit.matches == hit.rows) {
      ++out.files_removed;
    } else {
      rewritten.push_back(hit);
    }
  }
  out.files_rewritten = rewritten.size();
  if (!rewritten.empty() && refuse) refuse();
  if (rewritten.empty() || dry_run) co_return out;
  out.files_written = co_await rewrite_hits(place, std::move(rewritten), change, commit);
  co_return out;
}

/// Says how many files it wrote.
Task<std::uint64_t> TableRewriter::rewrite_hits(Place place, std::vector<Hit> hits,
                                                RowChange change, Change& commit) {
  std::map<PartitionValues, std::vector<std::vector<Hit>>> partitions;
  for (const Hit& hit : hits) {
    auto& groups = partitions[hit.file->partition];
    std::uint64_t bytes = hit.file->size;
    if (!groups.empty()) {
      for (const Hit& other : groups.back()) bytes += other.file->size;
    }
    if (groups.empty() || bytes > kGroupBytes) groups.emplace_back();
    groups.back().push_back(hit);
  }
  std::uint64_t written = 0;
  for (const auto& [values, groups] : partitions) {
    for (const std::vector<Hit>& group : groups) {
      Files files;
      std::uint64_t expected = 0;
      for (const Hit& hit : group) {
        files.push_back(hit.file);
        expected += hit.rows - (change.set.empty() ? hit.matches : 0);
      }
      std::uint64_t rows = 0;
      const std::uint64_t target = target_file_size(place.snapshot).value_or(kGroupBytes);
      for (NewFile& file : co_await rewrite(place, files, change, {}, target)) {
        rows += file.rows;
        ++written;
        commit.add.push_back(std::move(file));
      }
      if (rows != expected) {
        throw Error(
            ErrorKind::kInvalid,
            fmt::format("{} rows should be left and {} are: does the condition say the same "
                        "of a row each time? Nothing was changed",
                        expected, rows));
      }
    }
  }
  co_return written;
}

std::vector<TableRewriter::Output> TableRewriter::write(const std::string& sql,
                                                        const Snapshot& snapshot,
                                                        const fs::path& folder,
                                                        std::optional<std::uint64_t> cut_bytes) {
  const std::vector<fs::path> paths =
      write_parquet_parts(engine_, sql, stored_schema(snapshot), folder,
                          {.codec = codec_of(snapshot), .cut_bytes = cut_bytes});
  std::vector<Output> outputs;
  for (const fs::path& path : paths) {
    outputs.push_back({path, fs::file_size(path), file_stats(engine_, snapshot, path.string())});
  }
  return outputs;
}

Task<NewFile> TableRewriter::upload(Place place, const Output& output, PartitionValues partition) {
  NewFile file{.path = place.table.new_data_path(partition),
               .partition = std::move(partition),
               .size = output.size,
               .rows = output.stats.rows,
               .stats = output.stats.json};
  LocalFile body(output.path, thread_.pool());
  co_await place.store.put_stream(place.table.key_of(file.path), body, {});
  co_return file;
}

}  // namespace headrace
