#include "step/culprits.h"

#include <utility>

namespace headrace {
namespace {

using Suspects = std::vector<std::size_t>;

/// The second half on top of the first: the first is tried first.
void push_halves(std::vector<Suspects>& untried, const Suspects& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() + 1) / 2);
  if (middle != all.end()) untried.emplace_back(middle, all.end());
  untried.emplace_back(all.begin(), middle);
}

}  // namespace

Task<std::vector<Culprit>> find_culprits(
    Suspects suspects, std::function<Task<std::optional<Error>>(Suspects)> fails) {
  std::vector<Culprit> culprits;
  std::vector<Suspects> untried;
  if (!suspects.empty()) push_halves(untried, suspects);
  while (!untried.empty()) {
    const Suspects some = std::move(untried.back());
    untried.pop_back();
    const std::optional<Error> failure = co_await fails(some);
    if (!failure) continue;
    if (some.size() == 1) {
      culprits.push_back({some.front(), *failure});
    } else {
      push_halves(untried, some);
    }
  }
  co_return culprits;
}

}  // namespace headrace
