// Converts JSON lines to one Parquet file as `headrace convert` does. Usage: convert_headrace IN
// OUT [CODEC]
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "format/lines_to_parquet.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int in = open(argv[1], O_RDONLY);
  const int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (in < 0 || out < 0) return 1;
  headrace::ConvertOptions options;
  options.file_bytes = 1ull << 40;
  options.one_schema = options.plain_types = true;
  options.memory_bytes = 96u << 20;
  const std::string codec = argc > 3 ? argv[3] : "zstd";
  if (codec == "snappy") options.codec = headrace::Codec::kSnappy;
  if (codec == "none") options.codec = headrace::Codec::kNone;
  headrace::LinesToParquet convert(options);
  const auto put = [out](std::string_view left) {
    while (!left.empty()) {
      const ssize_t done = write(out, left.data(), left.size());
      if (done <= 0) std::exit(1);
      left.remove_prefix(static_cast<std::size_t>(done));
    }
  };
  convert.begin_object();
  std::vector<char> piece(256u << 10);  // As the store gives them.
  for (ssize_t got = 0; (got = read(in, piece.data(), piece.size())) > 0;) {
    convert.write({piece.data(), static_cast<std::size_t>(got)});
    put(convert.take_bytes());
  }
  const auto object = convert.end_object();
  std::uint64_t rows = 0;
  for (const auto& file : convert.finish()) {
    rows += file.rows;
    put(file.bytes);
  }
  std::printf("rows %llu faults %llu rescued %llu\n", static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(object.fault_count),
              static_cast<unsigned long long>(convert.rescued_rows()));
  return 0;
}
