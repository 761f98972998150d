#include "cli/convert.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli/urls.h"
#include "core/size.h"
#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "query/convert.h"

namespace headrace {
namespace {

constexpr std::uint64_t kOneFile = 1ull << 40;  // The target is one file, however large.

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

/// JSON lines from a file, in pieces, into one Parquet file.
Task<ObjectRows> lines_to_parquet(Cli& cli, const ConvertFile& options, std::string target) {
  Store& files = cli.stores().at(kPlainFiles);
  auto object = co_await files.get(plain_file_url(options.from).object);
  if (!object) throw Exit(kFailed, "no such file: " + options.from);
  auto plain = decompressing(std::move(object->body));
  LinesToParquet convert(ConvertOptions{.one_schema = true,
                                        .codec = codec_of(options.codec),
                                        .file_bytes = kOneFile,
                                        .memory_bytes = kOneFile});
  convert.begin_object();
  while (true) {
    const Bytes piece = co_await plain->read();
    if (piece.empty()) break;
    convert.write(piece);
  }
  ObjectRows rows = convert.end_object();
  std::vector<ParquetFile> parquet = convert.finish();
  if (parquet.empty()) throw Exit(kFailed, options.from + " has no rows: nothing was written");
  co_await files.put(plain_file_url(target).object, std::move(parquet.front().bytes));
  co_return rows;
}

}  // namespace

int convert_file(Cli& cli, const ConvertFile& options) {
  const DataFormat from = format_of(options.from, options.from_format, "--from");
  const DataFormat to = format_of(options.to, options.to_format, "--to");
  if (std::filesystem::exists(options.to) && !options.overwrite) {
    throw Exit(kUsage, options.to + " is there already; say --force to replace it");
  }
  if (from == DataFormat::kJsonLines && to == DataFormat::kParquet) {
    const ObjectRows rows = cli.run(lines_to_parquet(cli, options, options.to));
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
