#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "stack/spec.h"
#include "stack/variables.h"

namespace headrace::stack {

/// One stack file: YAML parsed, variables replaced, ready to be read by a Spec. What is wrong is
/// collected in diagnostics(), where rooms that know more may add to it by the Where of a value.
///
///   auto document = Document::open(path, machine_environment());
///   const auto stack = document.read(stack_file_spec());
///   if (!document.diagnostics().ok()) { print(document.diagnostics().text()); return 2; }
///
/// A value; not for several threads.
class Document {
 public:
  /// Reads the file. Throws kInvalid if it cannot be read; what stands in it is never thrown.
  static Document open(const std::filesystem::path& file, const Environment& environment);
  /// `file` is for messages; relative paths start at its folder. `environment` is used only here.
  Document(const std::filesystem::path& file, std::string text, const Environment& environment);

  /// The values; nothing if anything was wrong. To be called once, since it reports what it finds.
  template <class T>
  std::optional<T> read(const Spec<T>& spec) {
    if (!root_) return std::nullopt;
    Reader reader(folder_, diagnostics_);
    auto value = spec.type()->read(*root_, reader);
    return diagnostics_.ok() ? std::move(value) : std::nullopt;
  }

  /// The file in full as YAML: defaults filled in, variables replaced, secrets as ***. Only after
  /// read() gave a value.
  template <class T>
  std::string show(const Spec<T>& spec) const {
    return to_yaml(spec.type()->show(*root_));
  }

  /// The values as they stand in the file. Only after read() gave a value.
  const Node& root() const { return *root_; }

  Diagnostics& diagnostics() { return diagnostics_; }
  const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  std::filesystem::path folder_;
  Diagnostics diagnostics_;
  std::optional<Node> root_;
};

template <class T>
std::string json_schema(const Spec<T>& root) {
  return json_schema(*root.type());
}
template <class T>
std::string reference_markdown(const Spec<T>& root) {
  return reference_markdown(*root.type());
}

}  // namespace headrace::stack
