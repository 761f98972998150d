#include "step/batch_sort.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>
#include <utility>

#include "step/object_batch.h"

namespace headrace {
namespace {

constexpr std::uint64_t kPlainBytes = 100ull << 30;  // An object may unpack to this much.

struct Go {
  SortedBatch sorted;
  std::optional<std::size_t> broken;  // This object must be left out.
  bool full = false;                  // It, and what comes after it, is for another batch.
};

Task<Go> sort_once(const BatchSort& sort, const std::vector<Event>& events,
                   const std::vector<bool>& left_out, std::vector<Sink::Item>& items,
                   StepServices services) {
  using namespace boost::asio::experimental::awaitable_operators;
  Go go;
  go.sorted.piles =
      std::make_unique<RowPiles>(sort.folder / (services.random.uuid() + ".rows"), sort.limits);
  RowSorter sorter(sort.rules, *go.sorted.piles, sort.numbered);
  FaultBudget faults;
  ObjectBatchReader reader(events, left_out, items, services, kPlainBytes, sort.own,
                           sort.transform);
  std::vector<ReadObject> objects = co_await reader.next();
  while (!objects.empty()) {
    // The next objects are fetched while these are sorted.
    auto sort_these = convert_objects(sorter, objects, services, items);
    auto [done, next] = co_await (std::move(sort_these) && reader.next());
    for (const ConvertedObject& object : done) {
      if (object.broken) {
        go.broken = object.index;
        go.full = sorter.full();
        co_return go;
      }
      faults.add(object.rows, items[object.index].dead_lines);
    }
    objects = std::move(next);
  }
  go.sorted.left_out = sorter.left_out();
  co_return go;
}

}  // namespace

Task<SortedBatch> sort_batch(const BatchSort& sort, const std::vector<Event>& events,
                             std::vector<bool>& left_out, std::vector<Sink::Item>& items,
                             StepServices services) {
  while (true) {
    Go go = co_await sort_once(sort, events, left_out, items, services);
    if (!go.broken) co_return std::move(go.sorted);
    // Rows of the broken object lie among the others: all is sorted again without it.
    left_out[*go.broken] = true;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (go.full && i >= *go.broken && !(left_out[i] && i > *go.broken)) {
        left_out[i] = true;
        items[i] = {};
        items[i].later = true;
      } else if (!left_out[i]) {
        items[i] = {};
      }
    }
  }
}

}  // namespace headrace
