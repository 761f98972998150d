#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "route/condition.h"
#include "route/pattern.h"

namespace headrace {

/// A pattern and the number by which its owner knows it. Several rules may have one number: it is
/// matched if any of them is.
struct Rule {
  std::uint32_t id = 0;
  Pattern pattern;
  std::string name = {};  ///< For messages; the number stands in for an empty one.
};

/// What a set of rules may have at most, all together.
struct MatcherLimits {
  std::size_t conditions = 10'000'000;  ///< A different one takes about 200 bytes.
  std::size_t wildcards = 200'000;      ///< Weighed by their stars.
};

/// All rules compiled into one: which of them want an event. Its work depends on the rules that
/// come near to a match, hardly on how many there are.
///
/// Threads  All may be called by any number of threads at a time.
/// Memory   Linear in the conditions of all rules; each thread keeps buffers of the size of the
///          events it matched, up to about 1 MiB of JSON.
class Matcher {
 public:
  /// Throws kInvalid for a set beyond the limits; the message names the rule that went beyond.
  /// What `before` saw of the events so far helps to put conditions where few events meet them.
  explicit Matcher(std::vector<Rule> rules, const Matcher* before = nullptr,
                   const MatcherLimits& limits = {});
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  /// Replaces `matched` by the ids of the rules that want the event, ascending, each once. Throws
  /// kCorrupt if the event is not one JSON object.
  void match(std::string_view event_json, std::vector<std::uint32_t>& matched) const;
  /// The same answer as for to_json(event), without writing it.
  void match(const Event& event, std::vector<std::uint32_t>& matched) const;

  /// A row of a batch is asked by those of its values that some rule asks for: bind the columns
  /// once, give their scalars row by row. A null is the word null; a list of scalars gives one
  /// value for each. What holds lists of objects must be asked as JSON.
  struct Scalar {
    std::uint32_t field;
    FieldValue value;
  };
  /// The number of the field at `path` (names joined by dots), kNoField if no rule asks for it.
  std::uint32_t field(std::string_view path) const;
  static constexpr std::uint32_t kNoField = UINT32_MAX;
  void match(std::span<const Scalar> row, std::vector<std::uint32_t>& matched) const;

  /// How much the last match() of this thread had to do: values, conditions and choices of elements
  /// looked at, and bytes gone through by wildcards. Measures work without a clock.
  static std::uint64_t last_work();

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace headrace
