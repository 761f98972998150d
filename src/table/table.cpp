#include "table/table.h"

#include "table/delta/delta_table.h"

namespace headrace {

std::unique_ptr<Table> open_table(Store& store, ObjectKey location, Clock& clock, Random& random,
                                  TableOptions options) {
  return open_delta_table(store, std::move(location.bucket), std::move(location.path),
                          std::move(options), clock, random);
}

}  // namespace headrace
