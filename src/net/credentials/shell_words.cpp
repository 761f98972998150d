#include "net/credentials/shell_words.h"

namespace headrace {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Reads the inside of "..." up to and with its end, where a backslash quotes only '"' and itself.
bool take_quoted(std::string_view& text, std::string& word) {
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return true;
    if (c == '\\' && !text.empty() && (text.front() == '"' || text.front() == '\\')) {
      word += text.front();
      text.remove_prefix(1);
    } else {
      word += c;
    }
  }
  return false;
}

/// Reads one word, which may have quoted parts, off the front of `text`.
bool take_word(std::string_view& text, std::string& word) {
  while (!text.empty() && !is_space(text.front())) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\'') {
      const std::size_t end = text.find('\'');
      if (end == std::string_view::npos) return false;
      word += text.substr(0, end);
      text.remove_prefix(end + 1);
    } else if (c == '"') {
      if (!take_quoted(text, word)) return false;
    } else if (c == '\\') {
      if (text.empty()) return false;
      word += text.front();
      text.remove_prefix(1);
    } else {
      word += c;
    }
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> words;
  for (;;) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (text.empty()) return words;
    if (!take_word(text, words.emplace_back())) return std::nullopt;
  }
}

}  // namespace headrace
