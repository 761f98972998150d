// Any text is read or told apart with a place; what reads well is shown so that it reads well
// again.
#include <cstdint>
#include <cstdlib>

#include "stack/document.h"
#include "stack/sample_stack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace::stack;
  sample::FakeEnvironment outside;
  outside.variables = {{"A", "1"}, {"B", "${env:A}"}};
  const std::string text(reinterpret_cast<const char*>(data), size);
  Document document("h.yaml", text, outside);
  const auto stack = document.read(sample::stack_spec());
  if (stack.has_value() != document.diagnostics().ok()) std::abort();
  if (!stack) {
    if (document.diagnostics().text().empty()) std::abort();
    return 0;
  }
  const std::string shown = document.show(sample::stack_spec());
  Document again("h.yaml", shown, outside);
  if (!again.read(sample::stack_spec())) std::abort();
  if (again.show(sample::stack_spec()) != shown) std::abort();
  return 0;
}
