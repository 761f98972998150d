#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ledger/rocksdb/database.h"
#include "ledger/rocksdb/page.h"

namespace headrace::rocks {

/// Pages as they are on disk, with their progress.

inline Family family_of(Lane lane) {
  return lane == Lane::kLater ? Family::kLater : Family::kReady;
}

/// Null if there is no such page (any more).
std::unique_ptr<Page> read_page(const Database& database, Position at);

struct PageRun {
  std::vector<std::unique_ptr<Page>> pages;
  Position end;  ///< Everything before it was read.
};

/// The pages of a lane in [from, to) as of one moment, cut after about `bytes` of them.
PageRun read_pages(const Database& database, Lane lane, Position from, Position to,
                   std::size_t bytes);

}  // namespace headrace::rocks
