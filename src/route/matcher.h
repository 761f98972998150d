#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "route/pattern.h"

namespace headrace {

/// A pattern and the number by which its owner knows it. Several rules may have one number: it is
/// matched if any of them is.
struct Rule {
  std::uint32_t id = 0;
  Pattern pattern;
};

/// All rules compiled into one: which of them want an event. Its work depends on the rules that
/// come near to a match, hardly on how many there are.
///
/// Threads  match() may be called by any number of threads at a time.
/// Memory   Linear in the conditions of all rules; each thread keeps buffers of the size of the
///          events it matched, up to about 1 MiB of JSON.
class Matcher {
 public:
  explicit Matcher(std::vector<Rule> rules);
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  /// Replaces `matched` by the ids of the rules that want the event, ascending, each once. Throws
  /// kCorrupt if the event is not one JSON object.
  void match(std::string_view event_json, std::vector<std::uint32_t>& matched) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace headrace
