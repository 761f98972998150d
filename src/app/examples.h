#pragma once

#include <span>
#include <string_view>

namespace headrace {

/// A stack file that `headrace init` writes.
struct ExampleStack {
  std::string_view name;
  std::string_view what;
  std::string_view text;
};

std::span<const ExampleStack> example_stacks();
const ExampleStack* find_example(std::string_view name);

}  // namespace headrace
