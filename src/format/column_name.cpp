#include "format/column_name.h"

#include <fmt/format.h>

namespace headrace {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Does an escape, % and two hexadecimal digits, stand at the start of `text`?
bool starts_escape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

bool forbidden(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
         std::string_view(" ,;{}()=").find(c) != std::string_view::npos;
}

}  // namespace

std::string column_name_of(std::string_view json_key) {
  if (json_key.empty()) return "%";
  if (json_key == "%") return "%25";
  std::string name;
  name.reserve(json_key.size());
  for (std::size_t i = 0; i < json_key.size(); ++i) {
    const char c = json_key[i];
    if (forbidden(c) || starts_escape(json_key.substr(i))) {
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      name += c;
    }
  }
  return name;
}

std::string json_key_of(std::string_view column_name) {
  if (column_name == "%") return "";
  std::string key;
  key.reserve(column_name.size());
  for (std::size_t i = 0; i < column_name.size(); ++i) {
    if (starts_escape(column_name.substr(i))) {
      key += static_cast<char>(hex_value(column_name[i + 1]) * 16 + hex_value(column_name[i + 2]));
      i += 2;
    } else {
      key += column_name[i];
    }
  }
  return key;
}

std::string folded_name(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return folded;
}

}  // namespace headrace
