#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/values.h"

namespace headrace::stack {

struct Diagnostic {
  Where where;
  bool error = true;  ///< Otherwise a warning.
  std::string message;
};

/// Everything that is wrong with one file, found in one pass:
///
///   headrace.yaml:7:5: error: unknown key `step`; did you mean `steps`?
///       step: []
///       ^
///
/// At most kMost are kept, the rest only counted. Not for several threads.
class Diagnostics {
 public:
  static constexpr std::size_t kMost = 100;

  /// `file` is the name to print, `text` what the file holds.
  Diagnostics(std::string file, std::string text);

  void error(Where where, std::string message);
  void warning(Where where, std::string message);

  /// No errors; there may be warnings.
  bool ok() const { return errors_ == 0; }
  std::size_t errors() const { return errors_; }
  /// In the order they were found.
  const std::vector<Diagnostic>& list() const { return list_; }
  /// All of them for people, in the order of the file; every line ends with a line end.
  std::string text() const;
  const std::string& file() const { return file_; }

  /// Prints asterisks for a secret that stands in the file itself.
  void hide(Where where, std::string_view secret);

  /// Line number `line` of the file without its line end; empty if there is none.
  std::string_view line(std::uint32_t line) const;

 private:
  struct Secret {
    Where where;
    std::string text;
  };
  void add(Diagnostic diagnostic);
  std::string shown_line(std::uint32_t number) const;

  std::string file_;
  std::string text_;
  std::vector<std::size_t> starts_;  // Where each line begins in text_.
  std::vector<Diagnostic> list_;
  std::vector<Secret> secrets_;
  std::size_t errors_ = 0;
  std::size_t dropped_ = 0;
};

/// "; did you mean `steps`?" if one of `known` is near enough to `word`, else nothing. Near means
/// one typing mistake for every three letters.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace headrace::stack
