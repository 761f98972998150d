#include "query/deleted_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace headrace {
namespace {

constexpr const char* kFunction = "headrace_is_there";

/// Is the row none of `rows`? `at` is where to look first: rows mostly come in their order.
bool is_there(const std::vector<std::uint64_t>& rows, std::uint64_t row, std::size_t& at) {
  if (at > 0 && rows[at - 1] >= row) at = 0;
  if (at < rows.size() && rows[at] < row) {
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(at);
    at = static_cast<std::size_t>(std::lower_bound(from, rows.end(), row) - rows.begin());
  }
  return at == rows.size() || rows[at] != row;
}

}  // namespace

struct DeletedRowsFilter::Shared {
  using Files = std::vector<DeletedRows>;

  std::mutex mutex;
  std::vector<std::shared_ptr<const Files>> slots;

  std::shared_ptr<const Files> at(std::int32_t slot) {
    const std::scoped_lock lock(mutex);
    const auto index = static_cast<std::size_t>(slot);
    return index < slots.size() ? slots[index] : nullptr;
  }

  /// Rows of (slot, file index, row number) -> is it there? The slot is the same for all rows.
  static void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector out) {
    auto* shared = static_cast<Shared*>(duckdb_scalar_function_get_extra_info(info));
    const idx_t count = duckdb_data_chunk_get_size(input);
    if (count == 0) return;
    const auto column = [&]<class T>(idx_t index, T) {
      return static_cast<const T*>(
          duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, index)));
    };
    const auto* slots = column(0, std::int32_t{});
    const auto* files = column(1, std::uint64_t{});
    const auto* rows = column(2, std::int64_t{});
    auto* there = static_cast<bool*>(duckdb_vector_get_data(out));
    const std::shared_ptr<const Files> deleted = shared->at(slots[0]);
    std::size_t at = 0;
    for (idx_t i = 0; i < count; ++i) {
      if (!deleted || files[i] >= deleted->size()) {
        duckdb_scalar_function_set_error(info, "the deleted rows of this statement are gone");
        return;
      }
      if (i > 0 && files[i] != files[i - 1]) at = 0;
      const DeletedRows& of_file = (*deleted)[files[i]];
      there[i] = !of_file || is_there(*of_file, static_cast<std::uint64_t>(rows[i]), at);
    }
  }
};

Task<std::vector<DeletedRows>> read_deleted_rows(Table& table,
                                                 std::vector<const TableFile*> files) {
  std::vector<DeletedRows> out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!files[i]->deletion_vector) continue;
    out.resize(files.size());
    std::optional<Error> failure;
    try {
      out[i] = std::make_shared<const std::vector<std::uint64_t>>(
          co_await table.deleted_rows(*files[i]->deletion_vector));
    } catch (const Error& error) {
      failure = error.during(fmt::format("the deletion vector of {}", files[i]->path));
    }
    if (failure) throw *failure;
  }
  co_return out;
}

DeletedRowsFilter::DeletedRowsFilter(Engine& engine)
    : engine_(engine), shared_(std::make_unique<Shared>()) {}
DeletedRowsFilter::~DeletedRowsFilter() = default;

void DeletedRowsFilter::clear() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->slots.clear();
}

std::string DeletedRowsFilter::add(std::vector<DeletedRows> files) {
  if (!registered_) {
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, kFunction);
    for (const duckdb_type id : {DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_BIGINT}) {
      duckdb_logical_type type = duckdb_create_logical_type(id);
      duckdb_scalar_function_add_parameter(function, type);
      duckdb_destroy_logical_type(&type);
    }
    duckdb_logical_type result = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    duckdb_scalar_function_set_return_type(function, result);
    duckdb_destroy_logical_type(&result);
    duckdb_scalar_function_set_extra_info(function, shared_.get(), nullptr);
    duckdb_scalar_function_set_function(function, &Shared::run);
    const duckdb_state state = duckdb_register_scalar_function(engine_.connection(), function);
    duckdb_destroy_scalar_function(&function);
    if (state == DuckDBError) {
      throw Error(ErrorKind::kBug, "the SQL engine takes no function for deleted rows");
    }
    registered_ = true;
  }
  const std::scoped_lock lock(shared_->mutex);
  shared_->slots.push_back(std::make_shared<const Shared::Files>(std::move(files)));
  return fmt::format("{}({}::INTEGER, file_index, file_row_number)", kFunction,
                     shared_->slots.size() - 1);
}

}  // namespace headrace
