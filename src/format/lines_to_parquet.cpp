#include "format/lines_to_parquet.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "format/jsonl/infer.h"
#include "format/jsonl/object_text.h"
#include "format/jsonl/plan.h"
#include "format/jsonl/row_reader.h"
#include "format/parquet/open_files.h"
#include "format/parquet/partition.h"

namespace headrace {
namespace {

using jsonl::Batch;
using jsonl::Line;
using jsonl::LineWalk;

constexpr std::uint64_t kMostLineBytes = 1ull << 30;  // A page's size has 31 bits.

/// What an object's key says of its rows.
struct Constants {
  std::map<std::string, std::string, std::less<>> by_column;
  std::uint64_t first_line = 1;
};

bool has_required(const std::vector<Field>& fields) {
  return std::ranges::any_of(fields, [](const Field& field) {
    return !field.nullable || has_required(field.type.fields);
  });
}

/// The columns known already, and in front those that say where rows come from: there they are
/// among the columns that have statistics, by which the rows of an object are found again.
Schema with_provenance(const ConvertOptions& options) {
  Schema schema = options.schema;
  const auto add = [&schema](std::string_view name, TypeKind kind) {
    const Field* there = schema.find_ignoring_case(name);
    if (there == nullptr) {
      schema.fields.insert(schema.fields.begin(),
                           {.name = std::string(name), .type = {.kind = kind}});
    } else if (there->name != name || there->type.kind != kind) {
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("column {} is {}, but rows keep where they come from in {} {}: rename "
                      "it",
                      there->name, to_string(there->type), to_string(DataType{.kind = kind}),
                      name));
    }
  };
  if (options.line_column) add(kLineColumn, TypeKind::kLong);
  if (options.object_column) add(kObjectColumn, TypeKind::kString);
  return schema;
}

Schema checked(const ConvertOptions& options) {
  if (options.line_bytes > kMostLineBytes) {
    throw Error(ErrorKind::kInvalid, "a limit for lines above 1 GiB is not supported");
  }
  const Field* rescued = options.schema.find_ignoring_case(kRescuedColumn);
  if (rescued != nullptr && rescued->type.kind != TypeKind::kString) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("column {} is {}, but must be string to take what does not fit: rename "
                            "it",
                            rescued->name, to_string(rescued->type)));
  }
  return with_provenance(options);
}

}  // namespace

class LinesToParquet::Impl final : private jsonl::ObjectText::Reader {
 public:
  explicit Impl(ConvertOptions options)
      : options_(std::move(options)),
        schema_(checked(options_)),
        plan_(schema_, options_.partition_by),
        reader_(plan_, options_.depth, options_.partition_by.size(), options_.fixed),
        skipper_(options_.depth),
        text_(options_.line_bytes),
        files_(plan_, schema_, options_),
        tuple_(options_.partition_by.size()) {
    // A row that must have a value can turn out to be a fault, which end_object() has to report.
    const bool waits = may_evolve() && options_.infer_bytes > 0 && !has_required(schema_.fields);
    if (waits) {
      inference_.emplace(schema_, options_.columns, options_.plain_types);
    } else {
      grow(schema_);
    }
  }

  void begin_object(std::map<std::string, std::string, std::less<>> constants,
                    std::uint64_t first_line) {
    text_.begin();
    rows_ = {};
    constants_ = std::make_shared<const Constants>(Constants{std::move(constants), first_line});
    if (inference_) {
      for (const std::string& column : options_.partition_by) {
        if (constants_->by_column.contains(column)) inference_->observe_text(column);
      }
    }
    use(constants_);
  }

  void write(BytesView piece) { text_.write(piece, *this); }

  ObjectRows end_object() {
    text_.end(*this);
    return std::exchange(rows_, {});
  }

  std::vector<ParquetFile> take_files() { return files_.take(); }

  Bytes take_bytes() { return files_.take_bytes(); }

  std::vector<ParquetFile> finish() {
    if (inference_) choose();
    files_.finish();
    return files_.take();
  }

  const Schema& schema() const { return schema_; }
  std::uint64_t rescued_rows() const { return rescued_rows_; }

 private:
  struct Held {
    Bytes bytes;
    std::uint64_t first_line;
    std::vector<jsonl::Span> rows;
    std::shared_ptr<const Constants> constants;
  };

  bool is_row(const Line& line) override {
    jsonl::Flaw flaw;
    return prove(line, flaw);
  }

  std::uint64_t take(const Batch& batch) override {
    if (!inference_) return convert(batch, &rows_);
    const std::uint64_t next_line = observe(batch);
    held_bytes_ += batch.text.size();
    held_.push_back({jsonl::padded_copy(batch.text),
                     batch.first_line,
                     {batch.rows.begin(), batch.rows.end()},
                     constants_});
    if (held_bytes_ >= options_.infer_bytes) choose();
    return next_line;
  }

  void add_fault(std::uint64_t number, BytesView text, std::string reason) override {
    if (rows_.fault_count++ >= options_.faults_per_object) return;
    if (text.ends_with('\r')) text.remove_suffix(1);
    rows_.faults.push_back(
        {number, std::move(reason), Bytes(text.substr(0, options_.fault_bytes))});
  }

  void add_fault(const Line& line, const jsonl::Flaw& flaw) {
    add_fault(line.number, line.text,
              fmt::format("column {}: {}", flaw.where - line.text.data() + 1, flaw.what));
  }

  bool is_wanted(const Line& line) const { return !options_.keep || options_.keep(line.text); }

  /// Proves a line to be one JSON object; the reader of rows says the same of the same line.
  bool prove(const Line& line, jsonl::Flaw& flaw) {
    const char* end = line.text.data() + line.text.size();
    jsonl::Cursor cursor = line.cursor;
    if (cursor.peek() != '{') {
      flaw = {cursor.here(), "expected '{': a row is a JSON object"};
      return false;
    }
    const bool whole = skipper_.skip(cursor, 0, flaw);
    if ((!whole && flaw.where >= end) || (whole && cursor.text + cursor.at[-1] >= end)) {
      flaw = {end, "the line ends within a value"};
      return false;
    }
    if (whole && cursor.here() < end) {
      flaw = {cursor.here(), "expected nothing after the object"};
      return false;
    }
    return whole;
  }

  /// First pass over the rows that wait for the columns: counts them and learns from them.
  std::uint64_t observe(const Batch& batch) {
    Line line;
    LineWalk walk = text_.walk(batch);
    while (walk.next(line)) {
      if (!text_.is_readable(line)) {
        add_fault(line.number, line.text, text_.obstacle(line));
        continue;
      }
      if (!is_wanted(line)) {
        ++rows_.left_out;
        continue;
      }
      jsonl::Flaw flaw;
      if (prove(line, flaw)) {
        inference_->observe(line.cursor);
        ++rows_.rows;
      } else {
        add_fault(line, flaw);
      }
    }
    return walk.next_line();
  }

  /// The columns are chosen; the rows that waited become rows of files.
  void choose() {
    grow(inference_->schema());
    inference_.reset();
    for (Held& held : held_) {
      use(held.constants);
      const BytesView text = BytesView(held.bytes).substr(0, held.bytes.size() - kPadding);
      convert({text, held.first_line, held.rows}, nullptr);
      Bytes().swap(held.bytes);
    }
    held_.clear();
    use(constants_);
  }

  void grow(Schema schema) {
    schema_ = std::move(schema);
    for (const std::string& column : options_.partition_by) {
      if (schema_.find(column) != nullptr) continue;
      if (schema_.find_ignoring_case(column) != nullptr) {
        throw Error(ErrorKind::kInvalid,
                    fmt::format("partition column {} differs only in case from column {}", column,
                                schema_.find_ignoring_case(column)->name));
      }
      schema_.fields.push_back({.name = column});
    }
    jsonl::number_fields(schema_);
    plan_.evolve(schema_);
    const auto& children = plan_.root().children;
    has_stored_ =
        std::ranges::any_of(children, [](const jsonl::Node* child) { return is_stored(*child); });
    const auto rescued = plan_.root().by_folded_name.find(kRescuedColumn);
    if (rescued != plan_.root().by_folded_name.end()) rescued_node_ = rescued->second;
    if (options_.object_column) object_node_ = node_of(kObjectColumn);
    if (options_.line_column) line_node_ = node_of(kLineColumn);
    partition_nodes_.assign(options_.partition_by.size(), nullptr);
    for (const jsonl::Node* child : children) {
      if (child->partition < 0) continue;
      partition_nodes_[static_cast<std::size_t>(child->partition)] = child;
    }
    use(constants_);
  }

  std::uint32_t node_of(std::string_view column) const {
    const std::uint32_t node = plan_.root().by_folded_name.find(column)->second;
    if (is_stored(plan_.node(node))) return node;
    throw Error(ErrorKind::kInvalid,
                fmt::format("a table cannot be partitioned by {}, where a row comes from", column));
  }

  void add_rescued_column() {
    Schema wider = schema_;
    wider.fields.push_back({.name = std::string(kRescuedColumn)});
    grow(std::move(wider));
  }

  /// Makes `constants` those of the rows to come.
  void use(std::shared_ptr<const Constants> constants) {
    constants_in_use_ = constants;
    constant_tuple_.assign(options_.partition_by.size(), std::nullopt);
    constant_rescued_.clear();
    if (inference_ || !constants) return;
    for (std::size_t i = 0; i < options_.partition_by.size(); ++i) {
      const auto found = constants->by_column.find(options_.partition_by[i]);
      if (found == constants->by_column.end()) continue;
      const auto& [column, text] = *found;
      if (parquet_file::partition_value_of_text(*partition_nodes_[i], text, constant_tuple_[i])) {
        continue;
      }
      constant_rescued_.resize(options_.partition_by.size());
      append_json_string(constant_rescued_[i], column);
      constant_rescued_[i] += ':';
      append_json_string(constant_rescued_[i], text);
    }
  }

  /// Rows of a batch into the files; counts into `rows`, if there are any to count into.
  std::uint64_t convert(const Batch& batch, ObjectRows* rows) {
    bool may_grow = may_evolve() && !options_.one_schema;
    Line line;
    LineWalk walk = text_.walk(batch);
    while (walk.next(line)) {
      if (!text_.is_readable(line)) {
        if (rows != nullptr) add_fault(line.number, line.text, text_.obstacle(line));
        continue;
      }
      if (!is_wanted(line)) {
        if (rows != nullptr) ++rows->left_out;
        continue;
      }
      jsonl::Cursor cursor = line.cursor;
      auto result = reader_.read(cursor, line.text, may_grow, row_);
      if (result == jsonl::RowReader::Result::kUnplanned) {
        learn(walk.rest(line));
        may_grow = false;  // The rest of the batch has been learnt from.
        cursor = line.cursor;
        result = reader_.read(cursor, line.text, may_grow, row_);
      }
      if (result == jsonl::RowReader::Result::kFault) {
        if (rows != nullptr) add_fault(line, reader_.flaw());
        continue;
      }
      walk.passed(cursor);
      if (options_.fixed) {
        if (const std::string refusal = refused_constant(); !refusal.empty()) {
          if (rows != nullptr) add_fault(line.number, line.text, refusal);
          continue;
        }
      }
      if (rows != nullptr) ++rows->rows;
      append_row(line.number, rows);
    }
    files_.settle();
    return walk.next_line();
  }

  /// Grows the columns by what the rows of `rest` bring.
  void learn(const Batch& rest) {
    jsonl::Inference inference(schema_, options_.columns, options_.plain_types);
    Line line;
    for (LineWalk walk(ahead_, rest); walk.next(line);) {
      jsonl::Flaw flaw;
      if (text_.is_readable(line) && is_wanted(line) && prove(line, flaw))
        inference.observe(line.cursor);
    }
    Schema schema = inference.schema();
    if (schema != schema_) grow(std::move(schema));
  }

  void append_row(std::uint64_t line, ObjectRows* rows) {
    fill_tuple();
    add_provenance(line);
    if (!row_.rescued.empty() || !has_stored_) {
      if (rescued_node_ == jsonl::kNoNode) add_rescued_column();
    }
    if (!row_.rescued.empty()) {
      ++rescued_rows_;
      if (rows != nullptr) ++rows->rescued;
      row_.rescued.insert(0, "{").push_back('}');
      if (row_.rescued.size() > kMostLineBytes) {
        throw Error(ErrorKind::kInvalid, "a row's rescued values and their paths exceed 1 GiB");
      }
      jsonl::Cell cell;
      cell.node = rescued_node_;
      cell.text = row_.rescued.data();
      cell.size = static_cast<std::uint32_t>(row_.rescued.size());
      row_.cells.push(cell);
    }
    files_.append(tuple_, row_.cells);
  }

  /// Where the row comes from; what it says of that itself is rescued.
  void add_provenance(std::uint64_t line) {
    if (object_node_ != jsonl::kNoNode) {
      const auto name = constants_in_use_->by_column.find(kObjectColumn);
      jsonl::Cell cell;
      if (name != constants_in_use_->by_column.end()) {
        cell.text = name->second.data();
        cell.size = static_cast<std::uint32_t>(name->second.size());
        replace_cell(object_node_, cell);
      }
    }
    if (line_node_ != jsonl::kNoNode) {
      jsonl::Cell cell;
      cell.integer = static_cast<std::int64_t>(line + constants_in_use_->first_line - 1);
      replace_cell(line_node_, cell);
    }
  }

  void replace_cell(std::uint32_t node, jsonl::Cell cell) {
    const auto own = [node](const jsonl::Cell& other) { return other.node == node; };
    if (std::ranges::any_of(row_.cells.view(), own)) {
      Buffer<jsonl::Cell> others;
      for (const jsonl::Cell& other : row_.cells.view()) {
        if (own(other)) {
          rescue_own(other);
        } else {
          others.push(other);
        }
      }
      row_.cells = std::move(others);
    }
    cell.node = node;
    row_.cells.push(cell);
  }

  void rescue_own(const jsonl::Cell& cell) {
    if (!row_.rescued.empty()) row_.rescued += ',';
    append_json_string(row_.rescued, plan_.node(cell.node).name);
    row_.rescued += ':';
    if (plan_.node(cell.node).kind == TypeKind::kString) {
      append_json_string(row_.rescued, cell.view());
    } else {
      row_.rescued += fmt::format("{}", cell.integer);
    }
  }

  bool may_evolve() const { return options_.evolve && !options_.fixed; }

  /// Which of the object's partition values the row needs and its column cannot take; empty: none.
  std::string refused_constant() const {
    for (std::size_t i = 0; i < constant_rescued_.size(); ++i) {
      if (constant_rescued_[i].empty() || row_.has_partition[i]) continue;
      return fmt::format("the object's key says {}, but column {} is {}, and the schema is fixed",
                         constant_rescued_[i], options_.partition_by[i],
                         to_string(jsonl::type_of(*partition_nodes_[i])));
    }
    return "";
  }

  /// The row's own values of the partition columns, or its object's.
  void fill_tuple() {
    for (std::size_t i = 0; i < tuple_.size(); ++i) {
      if (row_.has_partition[i]) {
        tuple_[i].reset();
        continue;
      }
      tuple_[i] = constant_tuple_[i];
      if (!constant_rescued_.empty() && !constant_rescued_[i].empty()) {
        if (!row_.rescued.empty()) row_.rescued += ',';
        row_.rescued += constant_rescued_[i];
      }
    }
    for (const jsonl::Cell& cell : row_.partition.view()) {
      const jsonl::Node& node = plan_.node(cell.node);
      tuple_[static_cast<std::size_t>(node.partition)] = parquet_file::partition_value(node, cell);
    }
  }

  static constexpr std::size_t kPadding = 64;

  const ConvertOptions options_;
  Schema schema_;
  jsonl::Plan plan_;
  jsonl::Structure ahead_;
  jsonl::RowReader reader_;
  jsonl::Skipper skipper_;
  jsonl::ObjectText text_;
  parquet_file::OpenFiles files_;

  std::optional<jsonl::Inference> inference_;  // Until the columns have been chosen.
  std::vector<Held> held_;
  std::uint64_t held_bytes_ = 0;

  bool has_stored_ = false;
  std::uint32_t rescued_node_ = jsonl::kNoNode;
  std::uint32_t object_node_ = jsonl::kNoNode;
  std::uint32_t line_node_ = jsonl::kNoNode;
  std::vector<const jsonl::Node*> partition_nodes_;

  std::shared_ptr<const Constants> constants_;
  std::shared_ptr<const Constants> constants_in_use_;  // Of the rows that become cells now.
  parquet_file::Tuple constant_tuple_;
  std::vector<std::string> constant_rescued_;  // Empty, or an entry per partition column.
  ObjectRows rows_;
  std::uint64_t rescued_rows_ = 0;
  jsonl::Row row_;
  parquet_file::Tuple tuple_;
};

LinesToParquet::LinesToParquet(ConvertOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
LinesToParquet::~LinesToParquet() = default;
LinesToParquet::LinesToParquet(LinesToParquet&&) noexcept = default;
LinesToParquet& LinesToParquet::operator=(LinesToParquet&&) noexcept = default;

void LinesToParquet::begin_object(std::map<std::string, std::string, std::less<>> constants,
                                  std::uint64_t first_line) {
  impl_->begin_object(std::move(constants), first_line);
}
void LinesToParquet::write(BytesView piece) { impl_->write(piece); }
ObjectRows LinesToParquet::end_object() { return impl_->end_object(); }
std::vector<ParquetFile> LinesToParquet::take_files() { return impl_->take_files(); }
Bytes LinesToParquet::take_bytes() { return impl_->take_bytes(); }
std::vector<ParquetFile> LinesToParquet::finish() { return impl_->finish(); }
Schema LinesToParquet::schema() const { return impl_->schema(); }
std::uint64_t LinesToParquet::rescued_rows() const { return impl_->rescued_rows(); }

}  // namespace headrace
