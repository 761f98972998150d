#include "query/saving.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "core/bytes.h"
#include "core/error.h"
#include "core/random.h"
#include "query/engine.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1 << 20;

/// A local file from its start to its end.
class FileSource final : public ByteSource {
 public:
  FileSource(const fs::path& path, CpuPool& pool)
      : file_(path, std::ios::binary), path_(path), pool_(pool) {
    if (!file_) throw errno_error(errno, "open " + path.string());
  }

  Task<Bytes> read() override {
    co_return co_await run_on(pool_, [this] {
      Bytes piece(kPiece, '\0');
      file_.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      if (file_.bad()) throw errno_error(EIO, "read " + path_.string());
      piece.resize(static_cast<std::size_t>(file_.gcount()));
      return piece;
    });
  }

 private:
  std::ifstream file_;
  fs::path path_;
  CpuPool& pool_;
};

std::string text_compression(const std::string& name) {
  if (name.ends_with(".gz")) return ", COMPRESSION gzip";
  if (name.ends_with(".zst")) return ", COMPRESSION zstd";
  return "";
}

}  // namespace

TemporaryFolder::TemporaryFolder(const fs::path& parent)
    : path_((parent.empty() ? fs::temp_directory_path() : parent) /
            ("headrace-" + real_random().uuid())) {
  std::error_code failed;
  fs::create_directories(path_, failed);
  if (failed) throw errno_error(failed.value(), "make the folder " + path_.string());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string copy_options(DataFormat format, const std::string& name, const std::string& codec) {
  const std::string packed = text_compression(name);
  switch (format) {
    case DataFormat::kJsonLines:
      return "FORMAT json" + packed;
    case DataFormat::kJson:
      return "FORMAT json, ARRAY true" + packed;
    case DataFormat::kCsv:
      return fmt::format("FORMAT csv, HEADER{}{}",
                         name.find(".tsv") != std::string::npos ? ", DELIMITER '\t'" : "", packed);
    case DataFormat::kParquet:
      return fmt::format("FORMAT parquet, COMPRESSION {}", sql_string(codec));
    case DataFormat::kAuto:
    case DataFormat::kDelta:
      break;
  }
  throw Error(
      ErrorKind::kInvalid,
      fmt::format("{}: SQL writes ndjson, json, csv and parquet, not {}", name, to_string(format)));
}

Task<> put_file(fs::path file, DataPlace place, std::string shown, bool overwrite, CpuPool& pool) {
  FileSource source(file, pool);
  PutOptions options;
  options.condition.if_absent = !overwrite;
  const auto etag = co_await place.store->put_stream(place.object, source, std::move(options));
  if (!etag) throw Error(ErrorKind::kInvalid, shown + " is there already");
}

}  // namespace headrace
