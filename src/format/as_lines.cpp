#include "format/as_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/error.h"
#include "format/columnar/columnar_lines.h"
#include "format/csv/csv_lines.h"

namespace headrace {
namespace {

constexpr std::size_t kMagicBytes = 4;

class LinesSource final : public ByteSource {
 public:
  LinesSource(std::unique_ptr<ByteSource> plain, bool csv, std::uint64_t file_bytes, CpuPool* cpu)
      : plain_(std::move(plain)), file_bytes_(file_bytes), cpu_(cpu) {
    if (csv) csv_.emplace();
  }

  Task<Bytes> read() override {
    if (!begun_) co_await begin();
    if (columnar_) {
      co_return co_await work([this] { return columnar_->next(); });
    }
    if (csv_) co_return co_await read_csv();
    if (!first_.empty()) co_return std::exchange(first_, {});
    co_return co_await plain_->read();
  }

 private:
  template <class Work>
  Task<Bytes> work(Work what) {
    if (cpu_ == nullptr) co_return what();
    co_return co_await run_on(*cpu_, std::move(what));
  }

  /// Reads as much as tells the form; of Parquet and ORC, everything.
  Task<> begin() {
    begun_ = true;
    while (first_.size() < kMagicBytes) {
      const Bytes piece = co_await plain_->read();
      if (piece.empty()) break;
      first_ += piece;
    }
    if (!is_columnar(first_)) co_return;
    csv_.reset();
    while (true) {
      const Bytes piece = co_await plain_->read();
      if (piece.empty()) break;
      first_ += piece;
      if (first_.size() <= file_bytes_) continue;
      throw Error(ErrorKind::kInvalid,
                  fmt::format("a Parquet or ORC file is read from memory, and this one is larger "
                              "than the limit of {} bytes",
                              file_bytes_));
    }
    co_await work([this] {
      columnar_.emplace(std::move(first_));
      return Bytes();
    });
  }

  Task<Bytes> read_csv() {
    Bytes out;
    while (out.empty() && !ended_) {
      Bytes piece = std::exchange(first_, {});
      if (piece.empty()) piece = co_await plain_->read();
      ended_ = piece.empty();
      out = co_await work([this, &piece] {
        if (ended_) {
          csv_->finish();
        } else {
          csv_->push(piece);
        }
        return csv_->take();
      });
    }
    co_return out;
  }

  std::unique_ptr<ByteSource> plain_;
  std::uint64_t file_bytes_;
  CpuPool* cpu_;
  bool begun_ = false;
  bool ended_ = false;
  Bytes first_;  // Read to tell the form, not yet given.
  std::optional<CsvLines> csv_;
  std::optional<ColumnarLines> columnar_;
};

bool ends_with(std::string_view name, std::string_view ending) {
  if (name.size() < ending.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(name.substr(name.size() - ending.size()), ending, {}, lower);
}

}  // namespace

bool is_csv_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kPackers = {".gz",  ".zst", ".bz2",    ".xz",
                                                        ".lz4", ".sz",  ".snappy", ".gzip"};
  for (const std::string_view packer : kPackers) {
    if (ends_with(name, packer)) {
      name.remove_suffix(packer.size());
      break;
    }
  }
  return ends_with(name, ".csv") || ends_with(name, ".tsv");
}

std::unique_ptr<ByteSource> as_json_lines(std::unique_ptr<ByteSource> plain, std::string_view name,
                                          std::uint64_t file_bytes, CpuPool* cpu) {
  return std::make_unique<LinesSource>(std::move(plain), is_csv_name(name), file_bytes, cpu);
}

}  // namespace headrace
