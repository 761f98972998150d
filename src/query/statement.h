#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/engine.h"
#include "query/predicate.h"

namespace headrace {

/// One table name in FROM, and what the statement demands of its rows there. The same name may come
/// several times.
struct Reference {
  std::string name;
  Predicate predicate;
};

/// What a statement asks of its surroundings, found with the engine's own parser.
struct Statement {
  std::vector<Reference> references;
  std::vector<Constant> constants;  ///< What the predicates compare with.
};

/// Parses `sql` and evaluates its constants. References are found also where no predicate is (CTE
/// names among them). A statement that does not parse, or is of a kind that cannot be looked into,
/// gives what names the engine finds, without predicates; its errors come out when it is run.
///
/// A predicate is only kept where leaving out rows that fail it changes no result: in the WHERE of
/// the SELECT whose FROM holds the table, joined to others in a way that keeps rows apart (inner,
/// or the side of an outer join that keeps all its rows), without sampling or renamed columns.
Statement analyse(Engine& engine, std::string_view sql);

/// May this statement leave names behind that later statements use unseen: views, macros, prepared
/// statements?
bool hides_references(std::string_view sql);

}  // namespace headrace
