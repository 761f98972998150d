// JSON lines -> Parquet files as a command, for tests in other languages. Not part of the product.
//
//   lines_tool IN FOLDER [NAME=VALUE...]
//       names: codec, infer_bytes, file_bytes, one_schema, plain_types
//
// Writes FOLDER/0.parquet and so on, and prints one line of JSON: files (rows and Delta stats of
// each), rows, faults, rescued.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "format/lines_to_parquet.h"

namespace headrace {
namespace {

ConvertOptions options_of(const std::map<std::string, std::string>& said) {
  const auto get = [&](const char* name, std::string otherwise) {
    const auto found = said.find(name);
    return found == said.end() ? otherwise : found->second;
  };
  ConvertOptions options;
  const std::string codec = get("codec", "zstd");
  if (codec == "snappy") options.codec = Codec::kSnappy;
  if (codec == "none") options.codec = Codec::kNone;
  options.infer_bytes = std::stoull(get("infer_bytes", std::to_string(options.infer_bytes)));
  options.file_bytes = std::stoull(get("file_bytes", std::to_string(1ull << 40)));
  options.one_schema = get("one_schema", "no") == "yes";
  options.plain_types = get("plain_types", "no") == "yes";
  return options;
}

ObjectRows convert_file(LinesToParquet& convert, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> piece(256u << 10);
  convert.begin_object();
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    convert.write({piece.data(), static_cast<std::size_t>(in.gcount())});
  }
  return convert.end_object();
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    std::fputs("usage: lines_tool IN FOLDER [NAME=VALUE...]\n", stderr);
    return 2;
  }
  std::map<std::string, std::string> said;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::size_t mark = arguments[i].find('=');
    said[arguments[i].substr(0, mark)] = arguments[i].substr(mark + 1);
  }
  LinesToParquet convert(options_of(said));
  const ObjectRows object = convert_file(convert, arguments[0]);
  JsonWriter json;
  json.begin_object().key("files").begin_array();
  int number = 0;
  for (const ParquetFile& file : convert.finish()) {
    std::ofstream out(fmt::format("{}/{}.parquet", arguments[1], number++), std::ios::binary);
    out.write(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size()));
    json.begin_object().key("rows").number(file.rows).key("stats").raw(file.stats).end_object();
  }
  json.end_array().key("rows").number(object.rows).key("faults").number(object.fault_count);
  json.key("rescued").number(convert.rescued_rows()).end_object();
  std::puts(json.text().c_str());
  return 0;
}

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  try {
    return headrace::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return 1;
}
