#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "stack/diagnostics.h"
#include "stack/node.h"

namespace headrace::stack {

/// The world outside the stack file, as far as a stack may look into it. Any thread may call.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual std::optional<std::string> variable(const std::string& name) const = 0;
  /// What the file holds. Throws kInvalid if it cannot be read or has more than `limit` bytes.
  virtual std::string file(const std::filesystem::path& path, std::size_t limit) const = 0;
};

/// The process's own variables and the machine's files.
const Environment& machine_environment();

/// Replaces, in every scalar below `root`, but never in a key:
///
///   ${env:NAME}             the variable; an error if it is not set
///   ${env:NAME:-default}    the same, or the default if it is not set or empty
///   ${file:path}            the file's content, one line end at its end left out; relative to
///   `folder`
///   ${cred:name}            the same for a file in $CREDENTIALS_DIRECTORY (systemd credentials)
///   $${                     a plain ${
///
/// A `$` before anything else stays. What a value brings in is never looked at again, so it cannot
/// add keys or variables. Values with a file or a credential in them become secret.
void replace_variables(Node& root, const Environment& environment,
                       const std::filesystem::path& folder, Diagnostics& diagnostics);

}  // namespace headrace::stack
