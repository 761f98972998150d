#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// What Tab offers for the text before the cursor.
struct Completions {
  std::size_t start = 0;             ///< Where the word begins that they replace.
  std::vector<std::string> choices;  ///< Whole words, sorted.
};

/// Lines typed on a terminal: editing, history by the arrow keys and Ctrl-R, completion by Tab.
///
/// History  One entry per line of a file that only its owner can read; an entry's own line feeds
///          are kept as "\n". Entries are added at once, so that no session loses another's.
/// Signals  While a line is read, SIGINT drops it and SIGTERM and SIGHUP end the reading; outside
///          of read() they are as they were.
/// Threads  One, and one LineEditor per process.
class LineEditor {
 public:
  enum class Outcome : unsigned char { kLine, kInterrupted, kEnd };
  using Complete =
      std::function<Completions(std::string_view before_cursor, std::string_view behind)>;

  /// `history` empty: none is kept.
  LineEditor(std::filesystem::path history, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Reads one line, without its end.
  Outcome read(const std::string& prompt, std::string& line);
  void remember(const std::string& entry);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The longest start that all choices share, whatever the case of the first's letters.
std::string common_start(const std::vector<std::string>& choices);

/// Choices in columns for a terminal that is `width` wide.
std::string in_columns(const std::vector<std::string>& choices, std::size_t width);

}  // namespace headrace
