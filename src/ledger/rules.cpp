#include "ledger/rules.h"

#include <fmt/format.h>

#include "core/size.h"

namespace headrace {

void check_body(BytesView body, const LedgerLimits& limits) {
  if (body.size() <= limits.body_bytes) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("an event of {} does not fit the ledger, whose limit is {}; send it by "
                          "its key instead of its content",
                          format_size(body.size()), format_size(limits.body_bytes)));
}

bool letter_matches(const Find& find, const DeadLetter& letter) {
  return letter.id > find.after && (!find.route || letter.route == *find.route) &&
         (!find.kind || letter.kind == *find.kind) && (!find.since || letter.at >= *find.since) &&
         (!find.until || letter.at <= *find.until);
}

}  // namespace headrace
