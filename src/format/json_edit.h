#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"

namespace headrace {

/// What `set` does where the field is not there.
enum class IfAbsent : unsigned char { kAdd, kSkip };

/// What becomes of a line that cannot be edited. It always stays in the object as it is: an edit in
/// place loses nothing. kDead also reports it, kFail gives up on the whole object.
enum class OnBadLine : unsigned char { kDead, kSkip, kFail };

/// What to change in each JSON object: every line of JSON lines, a document that is one object, or
/// each element of a document that is an array.
///
/// A path names a field: `a`, or `a.b.c` for one inside others. A dot or a backslash within a name
/// is written with a backslash before it: `a\.b`. Paths do not reach into arrays.
///
/// All edits of a config happen at once and do not see each other's results; they are refused if
/// two would touch the same field, so that editing twice gives what editing once gave.
struct JsonEditConfig {
  std::vector<std::pair<std::string, std::string>> set;     ///< Path -> JSON text on one line.
  std::vector<std::string> remove;                          ///< Paths.
  std::vector<std::pair<std::string, std::string>> rename;  ///< Path -> the new last name.
  IfAbsent if_absent = IfAbsent::kAdd;
  OnBadLine on_bad_line = OnBadLine::kDead;
  std::uint64_t line_bytes = 128u << 20;      ///< A longer line is bad.
  std::uint64_t document_bytes = 128u << 20;  ///< A document that is or gets longer is bad.
  int depth = 1'000;                          ///< A line or document nested deeper is bad.
  std::size_t fault_bytes = 64u << 10;        ///< Kept of a bad line's text.
  std::size_t faults = 1'000;                 ///< Kept of one object; beyond, counted only.
};

/// The edits of a config, checked and made ready. Immutable; any number of threads may share it.
class JsonEdits {
 public:
  /// Throws kInvalid naming the path: no path, an empty name, not UTF-8, a value that is not JSON
  /// on one line, two edits for one field, more than 1,000 edits or 32 names deep.
  explicit JsonEdits(JsonEditConfig config);
  ~JsonEdits();
  JsonEdits(JsonEdits&&) noexcept;
  JsonEdits& operator=(JsonEdits&&) noexcept;

  /// One field that some path goes through (format/json_edit_tree.h).
  struct Node;

  const JsonEditConfig& config() const { return config_; }
  const Node& root() const { return *root_; }

 private:
  JsonEditConfig config_;
  std::unique_ptr<Node> root_;
};

/// What editing one object came to.
struct JsonEditReport {
  std::uint64_t values = 0;   ///< Objects seen: lines that are not blank, or elements.
  std::uint64_t changed = 0;  ///< Of these, how many came out with other bytes.
  std::uint64_t fault_count = 0;
  /// The first of them; `line` counts lines, blank ones too, or elements of an array, from 1.
  std::vector<LineFault> faults;
};

/// Edits one object of JSON text as it streams through, keeping every byte it need not touch: the
/// order of fields, spacing, spelling of numbers and escapes, line ends (LF or CRLF, also none
/// after the last line), blank lines and a byte order mark.
///
///   set     replaces the value in its place, in each occurrence if a key is double; adds an absent
///           field at the object's end, in the spacing of the field before it, with the objects
///           it lies in. Null stands for an absent object; another value in its way is a fault.
///   remove  takes out the field with one comma.
///   rename  replaces the key. If the new name is there already, that is a fault.
///
/// A text is one document if its first value is an array, or an object that does not end on the
/// line it begins on and is well formed as a whole; all else is JSON lines. A line is bad if it
/// is not a JSON object as RFC 8259 has it, is not UTF-8, passes a limit, or an edit cannot be
/// done.
///
/// Memory   A line, or a document, and its edited form; at most 256 KiB more.
/// Errors   kCorrupt naming the line, for a bad line under OnBadLine::kFail. After a throw, drop
/// it. Threads  One at a time. CPU work only.
class JsonEditor {
 public:
  /// `edits` outlives the editor.
  explicit JsonEditor(const JsonEdits& edits);
  ~JsonEditor();
  JsonEditor(JsonEditor&&) noexcept;
  JsonEditor& operator=(JsonEditor&&) noexcept;

  /// Hands over the next bytes, cut anywhere. Only once next() gave nothing more.
  void push(Bytes piece);
  /// The next bytes of the edited text, at most 256 KiB; empty if more input is needed, or at the
  /// end.
  Bytes next();
  /// No more input comes: next() gives the rest.
  void finish();

  /// Does what next() gave so far differ from the input?
  bool changed() const;
  /// Complete once next() gave all.
  const JsonEditReport& report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace
