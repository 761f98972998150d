#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "route/match_spec.h"
#include "stack/values.h"

namespace headrace {

struct JsonTree;

/// A route's `match:` as a pattern. The files of values it names are read beside the stack file.
/// Throws kInvalid.
MatchSpec match_of(const std::filesystem::path& folder, const stack::Json& match);

/// A `match:` that says nothing of types, with deletions let through besides creations; any other
/// as it is.
std::string with_deletions(const std::string& match);

/// What of a `match:` matters to a table that follows its objects.
struct MatchWords {
  bool size = false;       ///< It asks for a size.
  bool deletions = false;  ///< It names deletions.
};
MatchWords words_of(const std::string& match);

/// What a pattern asks of an object's names: its key, its bucket, the fields of its key.
class AskedNames {
 public:
  explicit AskedNames(const std::string& pattern);

  /// May one object fit both patterns? False only where the texts that they take of one name show
  /// that none does: other texts, or other beginnings or ends.
  bool may_share_objects(const AskedNames& other) const;

 private:
  /// Texts as far as their two ends tell: all that begin and end so, or only the one.
  struct Ends {
    std::string begin;
    std::string end;
    bool whole = false;
  };
  static Ends ends_of(const JsonTree& value);
  static bool may_be_same(const Ends& a, const Ends& b);
  void gather(const JsonTree& pattern, const std::string& parent);

  std::map<std::string, std::vector<Ends>> asked_;  // Any of these, by the name's path.
};

}  // namespace headrace
