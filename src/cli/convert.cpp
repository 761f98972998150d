#include "cli/convert.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "cli/urls.h"
#include "format/as_lines.h"
#include "format/columnar/columnar_lines.h"
#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "query/convert.h"

namespace headrace {
namespace {

constexpr std::uint64_t kOneFile = 1ull << 40;  // The target is one file, however large.
constexpr std::uint64_t kMemory = 96u << 20;
constexpr unsigned kMostHelpers = 4;  // More are never busy beside the one that reads.
constexpr int kOwnPages = 1 << 20;    // Of memory, from where on it is pages of its own.

DataFormat format_of(const std::string& name, const std::string& said, const char* option) {
  if (!said.empty()) {
    const auto format = parse_data_format(said);
    if (!format || *format == DataFormat::kAuto || *format == DataFormat::kDelta) {
      throw Exit(kUsage, fmt::format("{} {}: expected ndjson, json, csv or parquet", option, said));
    }
    return *format;
  }
  const auto format = format_of_name(name);
  if (!format) {
    throw Exit(kUsage, fmt::format("{}: the name does not tell the format; say {}", name, option));
  }
  return *format;
}

Codec codec_of(const std::string& name) {
  return name == "zstd" ? Codec::kZstd : name == "snappy" ? Codec::kSnappy : Codec::kNone;
}

/// A file that gets its name only when it is complete.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path target)
      : target_(std::move(target)),
        aside_(target_.parent_path() /
               ("." + target_.stem().string() + ".part" + target_.extension().string())),
        fd_(open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail();
  }
  ~NewFile() {
    if (fd_ >= 0) close(fd_);
    std::error_code ignored;
    if (!named_) std::filesystem::remove(aside_, ignored);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void append(BytesView bytes) {
    while (!bytes.empty()) {
      const ssize_t done = write(fd_, bytes.data(), bytes.size());
      if (done < 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }

  void finish() {
    if (close(std::exchange(fd_, -1)) != 0) fail();
    std::filesystem::rename(aside_, target_);
    named_ = true;
  }

 private:
  [[noreturn]] void fail() const {
    throw Exit(kFailed, fmt::format("writing {}: {}", target_.string(), std::strerror(errno)));
  }

  std::filesystem::path target_;
  std::filesystem::path aside_;
  int fd_;
  bool named_ = false;
};

/// A file's bytes as they are, in pieces that are all read into one place.
class PlainFile {
 public:
  explicit PlainFile(const std::string& path)
      : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)), piece_(kPieceBytes, '\0') {
    if (fd_ < 0) throw Exit(kFailed, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  ~PlainFile() { close(fd_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  /// Valid until the next call; empty at the end.
  BytesView read() {
    const ssize_t size = ::read(fd_, piece_.data(), piece_.size());
    if (size < 0) throw Exit(kFailed, fmt::format("{}: {}", path_, std::strerror(errno)));
    return {piece_.data(), static_cast<std::size_t>(size)};
  }

 private:
  static constexpr std::size_t kPieceBytes = 256u << 10;
  std::string path_;
  int fd_;
  Bytes piece_;
};

/// JSON that is not packed, which needs no other hands on its way.
bool is_plain_json(const std::string& path) {
  PlainFile file(path);
  const BytesView start = file.read();
  return detect_compression(start) == Compression::kNone && !is_columnar(start) &&
         !is_csv_name(path);
}

/// Feeds the file to `convert` and gives what comes out of it to `target`.
Task<> feed(Cli& cli, const ConvertFile& options, LinesToParquet& convert, NewFile& target) {
  if (is_plain_json(options.from)) {
    PlainFile file(options.from);
    for (BytesView piece = file.read(); !piece.empty(); piece = file.read()) {
      convert.write(piece);
      target.append(convert.take_bytes());
      co_await boost::asio::post(boost::asio::use_awaitable);  // Lets Ctrl-C through.
    }
    co_return;
  }
  auto object = co_await cli.stores().at(kPlainFiles).get(plain_file_url(options.from).object);
  if (!object) throw Exit(kFailed, "no such file: " + options.from);
  auto lines = as_json_lines(decompressing(std::move(object->body)), options.from);
  for (Bytes piece = co_await lines->read(); !piece.empty(); piece = co_await lines->read()) {
    convert.write(piece);
    target.append(convert.take_bytes());
  }
}

/// Lines, documents, CSV, Parquet or ORC from a file into one Parquet file, piece by piece.
Task<ObjectRows> rows_to_parquet(Cli& cli, const ConvertFile& options) {
  ConvertOptions how{.one_schema = true,
                     .codec = codec_of(options.codec),
                     .file_bytes = kOneFile,
                     .plain_types = true};
  how.memory_bytes = options.memory.value_or(kMemory);
  // What grows large is given back when it is freed, not kept for something that does not come.
  mallopt(M_MMAP_THRESHOLD, kOwnPages);
  // Row groups are encoded by other cores while this one reads on.
  how.helpers = std::min(options.threads - 1, kMostHelpers);
  boost::asio::thread_pool others(std::max<std::size_t>(1, how.helpers));
  how.run_on_helper = [&others](std::function<void()> work) {
    boost::asio::post(others, std::move(work));
  };
  LinesToParquet convert(std::move(how));
  NewFile target(options.to);
  convert.begin_object();
  co_await feed(cli, options, convert, target);
  ObjectRows rows = convert.end_object();
  const std::vector<ParquetFile> parquet = convert.finish();
  if (parquet.empty()) throw Exit(kFailed, options.from + " has no rows: nothing was written");
  if (parquet.size() != 1) {
    throw Error(ErrorKind::kBug, "the rows became several files; nothing was written");
  }
  target.append(parquet.front().bytes);
  target.finish();
  rows.rescued = convert.rescued_rows();
  co_return rows;
}

/// ORC, which the SQL engine cannot read, told by its first bytes.
bool is_orc(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char start[3] = {};
  in.read(start, sizeof start);
  return std::string_view(start, sizeof start) == "ORC";
}

/// The rows of an ORC file as JSON lines.
Task<> orc_to_lines(Cli& cli, const ConvertFile& options) {
  Store& files = cli.stores().at(kPlainFiles);
  auto object = co_await files.get(plain_file_url(options.from).object);
  if (!object) throw Exit(kFailed, "no such file: " + options.from);
  auto lines = as_json_lines(std::move(object->body), options.from);
  NewFile target(options.to);
  for (Bytes piece = co_await lines->read(); !piece.empty(); piece = co_await lines->read()) {
    target.append(piece);
  }
  target.finish();
}

}  // namespace

int convert_file(Cli& cli, const ConvertFile& options) {
  const bool orc = options.from_format.empty() && is_orc(options.from);
  const DataFormat from =
      orc ? DataFormat::kJsonLines : format_of(options.from, options.from_format, "--from");
  const DataFormat to = format_of(options.to, options.to_format, "--to");
  if (std::filesystem::exists(options.to) && !options.overwrite) {
    throw Exit(kUsage, options.to + " is there already; say --force to replace it");
  }
  if (orc && to == DataFormat::kJsonLines) {
    cli.run(orc_to_lines(cli, options));
    return kOk;
  }
  if (orc && to != DataFormat::kParquet) {
    throw Exit(kUsage, "ORC is converted to parquet or ndjson: convert it to one of them first");
  }
  const bool json = from == DataFormat::kJsonLines || from == DataFormat::kJson;
  if (json && to == DataFormat::kParquet) {
    const ObjectRows rows = cli.run(rows_to_parquet(cli, options));
    for (const LineFault& fault : rows.faults) {
      std::fprintf(stderr, "%s:%lu: %s\n", options.from.c_str(), fault.line, fault.reason.c_str());
    }
    std::fprintf(stderr, "%lu rows, %lu bad lines, %lu rows with rescued values\n", rows.rows,
                 rows.fault_count, rows.rescued);
    return rows.fault_count == 0 ? kOk : kPartly;
  }
  // Written aside and renamed, so that the target is there as a whole or not at all.
  const std::filesystem::path target = options.to;
  const std::filesystem::path aside =
      target.parent_path() / ("." + target.stem().string() + ".part" + target.extension().string());
  ConvertRequest request{.from = {options.from},
                         .from_format = from,
                         .to = aside.string(),
                         .to_format = to,
                         .codec = options.codec == "none" ? "uncompressed" : options.codec};
  std::error_code ignored;
  try {
    const std::uint64_t rows = cli.run(convert_with_engine(std::move(request), {}));
    std::filesystem::rename(aside, target);
    std::fprintf(stderr, "%lu rows\n", rows);
  } catch (...) {
    std::filesystem::remove(aside, ignored);
    throw;
  }
  return kOk;
}

}  // namespace headrace
