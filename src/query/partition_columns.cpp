#include "query/partition_columns.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <utility>

namespace headrace {
namespace {

constexpr const char* kTexts = "headrace_partition_texts";

/// Bytes of one value in a vector; 0 for text and blobs.
std::size_t fixed_size(const EngineType& type) {
  switch (type.id == DUCKDB_TYPE_DECIMAL ? type.internal : type.id) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
      return 1;
    case DUCKDB_TYPE_SMALLINT:
      return 2;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DATE:
      return 4;
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return 8;
    case DUCKDB_TYPE_HUGEINT:
      return 16;
    default:
      return 0;
  }
}

}  // namespace

/// The values of one partition column as the engine keeps them.
class PartitionColumns::Values {
 public:
  explicit Values(const EngineType& type) : size_(fixed_size(type)) {}

  void append(duckdb_vector vector, idx_t count) {
    auto* validity = duckdb_vector_get_validity(vector);
    for (idx_t row = 0; row < count; ++row) {
      const bool valid = !validity || duckdb_validity_row_is_valid(validity, row);
      valid_.push_back(valid);
      if (size_ > 0) {
        const char* data = static_cast<const char*>(duckdb_vector_get_data(vector));
        bytes_.append(data + row * size_, size_);
      } else if (valid) {
        auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
        texts_.emplace_back(duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row]));
      } else {
        texts_.emplace_back();
      }
    }
  }

  std::size_t count() const { return valid_.size(); }

  void write(std::uint64_t index, duckdb_vector out, idx_t row) const {
    if (!valid_[index]) {
      duckdb_vector_ensure_validity_writable(out);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(out), row);
    } else if (size_ > 0) {
      std::memcpy(static_cast<char*>(duckdb_vector_get_data(out)) + row * size_,
                  bytes_.data() + index * size_, size_);
    } else {
      duckdb_vector_assign_string_element_len(out, row, texts_[index].data(), texts_[index].size());
    }
  }

  /// The same value as in the row before, which is not null: text is shared, not copied.
  void repeat(duckdb_vector out, idx_t row) const {
    const std::size_t size = size_ > 0 ? size_ : sizeof(duckdb_string_t);
    char* data = static_cast<char*>(duckdb_vector_get_data(out)) + row * size;
    std::memcpy(data, data - size, size);
  }

  bool is_null(std::uint64_t index) const { return !valid_[index]; }

 private:
  std::size_t size_;
  std::vector<bool> valid_;
  std::string bytes_;
  std::vector<std::string> texts_;
};

/// What the engine's threads look values up in.
struct PartitionColumns::Shared {
  std::mutex mutex;
  std::vector<std::shared_ptr<const Values>> slots;

  /// Rows of (slot, file index) -> value. The slot is the same for all rows of a chunk.
  static void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out) {
    auto* shared = static_cast<Shared*>(duckdb_scalar_function_get_extra_info(info));
    const idx_t rows = duckdb_data_chunk_get_size(input);
    if (rows == 0) return;
    const auto* slots = static_cast<const std::int32_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)));
    const auto* files = static_cast<const std::uint64_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1)));
    const std::shared_ptr<const Values> values = shared->at(slots[0]);
    for (idx_t row = 0; row < rows; ++row) {
      if (!values || files[row] >= values->count()) {
        duckdb_scalar_function_set_error(info, "the partition values of this statement are gone");
        return;
      }
      if (row > 0 && files[row] == files[row - 1] && !values->is_null(files[row])) {
        values->repeat(out, row);
      } else {
        values->write(files[row], out, row);
      }
    }
  }

  std::shared_ptr<const Values> at(std::int32_t slot) {
    const std::scoped_lock lock(mutex);
    const auto index = static_cast<std::size_t>(slot);
    return index < slots.size() ? slots[index] : nullptr;
  }
};

PartitionColumns::PartitionColumns(Engine& engine)
    : engine_(engine), shared_(std::make_unique<Shared>()) {}
PartitionColumns::~PartitionColumns() = default;

void PartitionColumns::clear() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->slots.clear();
}

std::string PartitionColumns::add(const std::string& sql_type,
                                  const std::vector<std::optional<std::string>>& values) {
  engine_.set_list(kTexts, values);
  const std::string cast = sql_type == "BLOB" ? "encode(t)" : fmt::format("t::{}", sql_type);
  std::shared_ptr<Values> column;
  std::string function;
  engine_.each_chunk(
      fmt::format("SELECT {} FROM (SELECT unnest(getvariable('{}')) AS t)", cast, kTexts),
      [&](duckdb_data_chunk chunk) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
        if (!column) {
          column = std::make_shared<Values>(vector_type(vector));
          function = function_for(sql_type, vector);
        }
        column->append(vector, duckdb_data_chunk_get_size(chunk));
      });
  if (!column || column->count() != values.size()) {
    throw Error(ErrorKind::kBug, "partition values got lost");
  }
  const std::scoped_lock lock(shared_->mutex);
  shared_->slots.push_back(std::move(column));
  return fmt::format("{}({}::INTEGER, file_index)", function, shared_->slots.size() - 1);
}

/// One function per type, made when first needed: an engine's function has one return type.
std::string PartitionColumns::function_for(const std::string& sql_type, duckdb_vector example) {
  std::string& name = functions_[sql_type];
  if (!name.empty()) return name;
  const std::string made = fmt::format("headrace_partition_{}", functions_.size());
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type slot = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
  duckdb_logical_type index = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
  duckdb_logical_type result = duckdb_vector_get_column_type(example);
  duckdb_scalar_function_set_name(function, made.c_str());
  duckdb_scalar_function_add_parameter(function, slot);
  duckdb_scalar_function_add_parameter(function, index);
  duckdb_scalar_function_set_return_type(function, result);
  duckdb_scalar_function_set_extra_info(function, shared_.get(), nullptr);
  duckdb_scalar_function_set_function(function, &Shared::run);
  const duckdb_state state = duckdb_register_scalar_function(engine_.connection(), function);
  duckdb_destroy_logical_type(&slot);
  duckdb_destroy_logical_type(&index);
  duckdb_destroy_logical_type(&result);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) {
    throw Error(ErrorKind::kBug, fmt::format("the SQL engine takes no function for {}", sql_type));
  }
  name = made;
  return name;
}

}  // namespace headrace
