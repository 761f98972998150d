#include "net/credentials/ini.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"

namespace headrace {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

class IniReader {
 public:
  explicit IniReader(std::string_view file) : file_(file) {}

  void take(std::string_view line) {
    ++number_;
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    const auto indent =
        static_cast<std::size_t>(std::ranges::find_if_not(line, is_space) - line.begin());
    if (setting_indent_ && indent > *setting_indent_) return;
    if (text.front() == '[') {
      open(text);
    } else {
      set(text, indent);
    }
  }

  IniSections result() && { return std::move(sections_); }

 private:
  void open(std::string_view text) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) refuse("a '[' without its ']'");
    const std::string_view name = trimmed(text.substr(1, end - 1));
    if (name.empty()) refuse("a section without a name");
    section_ = &sections_[std::string(name)];
    setting_indent_.reset();
  }

  void set(std::string_view text, std::size_t indent) {
    if (!section_) refuse("a setting before the first [section]");
    const std::size_t mark = text.find_first_of("=:");
    if (mark == std::string_view::npos) refuse("neither a [section] nor a setting with '='");
    const std::string_view name = trimmed(text.substr(0, mark));
    if (name.empty()) refuse("a value without a name");
    (*section_)[lower(name)] = trimmed(text.substr(mark + 1));
    setting_indent_ = indent;
  }

  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorKind::kInvalid, fmt::format("{}:{}: {}", file_, number_, why));
  }

  std::string_view file_;
  std::size_t number_ = 0;
  IniSections sections_;
  IniSection* section_ = nullptr;
  std::optional<std::size_t> setting_indent_;  // Of the last setting in this section.
};

}  // namespace

IniSections parse_ini(std::string_view text, std::string_view file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  IniReader reader(file);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    reader.take(text.substr(at, end - at));
    at = end + 1;
  }
  return std::move(reader).result();
}

}  // namespace headrace
