#pragma once

#include <string>
#include <vector>

#include "cli/cli.h"
#include "serve/api.h"

namespace headrace {

/// Asks the engine that runs this stack over its control socket, or, while none runs, opens the
/// ledger itself. Returns the answer's JSON; throws Exit with the API's own message otherwise.
std::string call_api(Cli& cli, const ApiRequest& request);

/// One page of items or all of them, `limit` rows at the most, written as the named columns.
/// Returns how many there were.
std::size_t print_items(Cli& cli, ApiRequest request, std::size_t limit,
                        const std::vector<Column>& columns);

/// A JSON object, field by field on a terminal, as one line otherwise.
void print_object(Cli& cli, const std::string& json);

}  // namespace headrace
