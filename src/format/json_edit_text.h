#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/json_edit.h"
#include "format/json_edit_tree.h"
#include "format/json_scan.h"

namespace headrace {

/// Applies edits to one whole text: a line, or a document. One thread at a time.
class JsonTextEdit {
 public:
  explicit JsonTextEdit(const JsonEdits& edits) : edits_(edits), scan_(edits.config().depth) {}

  /// A fault of one value within a text.
  struct Fault {
    std::uint64_t number = 0;  ///< The element of an array, from 1.
    std::string reason;
    BytesView text;  ///< Lent by the text.
  };

  /// Appends the edited form of a text that is one object, perhaps with space around it. False if
  /// it is bad: then nothing was appended, and fault() says why.
  bool object(BytesView text, Bytes& out);
  /// The same for an object or an array of objects. An element that cannot be edited stays as it
  /// is and is added to element_faults(); the text is bad only if it is not JSON or gets longer
  /// than the limit.
  bool document(BytesView text, Bytes& out);

  /// Is the text one whole JSON object or array with nothing but space around it?
  bool well_formed(BytesView text);

  std::string fault() const { return scan_.fault(); }
  /// The first of them, up to the config's `faults`.
  const std::vector<Fault>& element_faults() const { return element_faults_; }
  std::uint64_t element_fault_count() const { return element_fault_count_; }
  /// Of the last text: objects looked at, and those that came out with other bytes.
  std::uint64_t values() const { return values_; }
  std::uint64_t changed() const { return changed_values_; }

 private:
  struct Member;
  struct Walk;

  void begin(BytesView text, Bytes& out);
  bool top_object();
  bool array();
  bool element(std::uint64_t number);
  bool nothing_follows();
  bool edit_object(const JsonEdits::Node& node);
  bool member(const JsonEdits::Node& node, Walk& walk, std::size_t seen);
  bool apply(const JsonEdits::Node& child, const Member& member, bool& removed);
  bool inner(const JsonEdits::Node& child);
  void take_out(Walk& walk, const Member& member);
  bool close(const JsonEdits::Node& node, Walk& walk, std::size_t seen);
  bool check_targets(const JsonEdits::Node& node, std::size_t seen);
  void add(const JsonEdits::Node& node, Walk& walk, std::size_t seen);
  void flush(const char* to);
  void replace(const char* from, const char* to, BytesView with);
  bool edit_fault(const char* where, std::string what);

  const JsonEdits& edits_;
  JsonScan scan_;
  Bytes* out_ = nullptr;
  const char* copied_ = nullptr;  // Up to here the text is in *out_, edited.
  bool dirty_ = false;            // The value at hand came out with other bytes.
  bool is_edit_fault_ = false;    // The last fault was not of the JSON but of an edit.
  std::vector<char> seen_;        // Which children were there, for each object that is open.
  std::vector<Fault> element_faults_;
  std::uint64_t element_fault_count_ = 0;
  std::uint64_t values_ = 0;
  std::uint64_t changed_values_ = 0;
};

}  // namespace headrace
