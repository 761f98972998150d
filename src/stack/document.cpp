#include "stack/document.h"

#include "stack/yaml.h"

namespace headrace::stack {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string without_byte_order_mark(std::string text) {
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace

Document Document::open(const std::filesystem::path& file, const Environment& environment) {
  return Document(file, environment.file(file, kMostBytes), environment);
}

Document::Document(const std::filesystem::path& file, std::string text,
                   const Environment& environment)
    : folder_(file.parent_path()),
      diagnostics_(file.generic_string(), without_byte_order_mark(text)) {
  root_ = parse_yaml(without_byte_order_mark(std::move(text)), diagnostics_);
  if (root_) replace_variables(*root_, environment, folder_, diagnostics_);
}

}  // namespace headrace::stack
