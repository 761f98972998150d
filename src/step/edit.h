#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "format/json_edit.h"
#include "stack/values.h"
#include "step/step.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `edit: { set: { file_contents: "" }, remove: [a.b], rename: { old: new } }`. format/json_edit.h
/// says what each does.
struct EditConfig {
  std::map<std::string, stack::Json> set;     ///< Path -> value.
  std::vector<std::string> remove;            ///< Paths.
  std::map<std::string, std::string> rename;  ///< Path -> the new last name.
  IfAbsent if_absent = IfAbsent::kAdd;
  OnBadLine on_bad_line = OnBadLine::kDead;
  std::uint64_t line_bytes = 128u << 20;
  std::uint64_t document_bytes = 128u << 20;
};

const stack::Spec<EditConfig>& edit_spec();

/// Rewrites an object of JSON lines, or of one JSON document, under its own key. gzip and zstd are
/// unpacked and packed again.
///
/// The write carries the object's metadata and tags, happens only over the bytes that were read,
/// and not at all if nothing changes. Tags that someone sets while the object is being written are
/// lost: stores have no condition on tags.
///
/// Its event is announced to SelfWrites before. If the store fails in a way that leaves open
/// whether the write happened, the announcement stays open too. The object's marks tell a later run
/// of the same task that its edits are done, and end the loop if the event comes through after all.
///
/// A bad line stays in the object. It becomes a dead line of the task under `on_bad_line: dead`.
///
/// Throws kInvalid for edits that JsonEdits refuses. `services` outlive the step.
std::unique_ptr<Step> make_edit_step(const EditConfig& config, const StepServices& services);

}  // namespace headrace
