#include "ledger/rocksdb/rows.h"

namespace headrace::rocks {

std::unique_ptr<Page> read_page(const Database& database, Position at) {
  const auto value = database.get(family_of(at.lane()), page_key(at.lane(), at));
  if (!value) return nullptr;
  return make_page(at, unpack(*value), database.get(Family::kProgress, number_key(at.seq)));
}

PageRun read_pages(const Database& database, Lane lane, Position from, Position to,
                   std::size_t bytes) {
  PageRun run{{}, to};
  if (from >= to) return run;
  const Bytes upper = to == Position::last() ? Bytes() : page_key(lane, to);
  std::size_t read = 0;
  const Snapshot snapshot = database.snapshot();
  for (Scan rows = database.scan(family_of(lane), page_key(lane, from), upper, &snapshot);
       rows.valid(); rows.next()) {
    const Position at = page_position(lane, rows.key());
    if (read >= bytes) {
      run.end = at;
      return run;
    }
    run.pages.push_back(make_page(at, unpack(rows.value()),
                                  database.get(Family::kProgress, number_key(at.seq), &snapshot)));
    read += run.pages.back()->payload->size();
  }
  return run;
}

}  // namespace headrace::rocks
