#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "format/json_edit.h"
#include "format/json_edit_model.h"

namespace headrace {
namespace {

std::vector<JsonEditConfig> configs() {
  std::vector<JsonEditConfig> all(6);
  all[0].set = {{"a", "\"\""}};
  all[1].set = {{"a.b", "1"}, {"c", "null"}, {"a.d.e", "[]"}};
  all[2].remove = {"a", "b.a"};
  all[3].rename = {{"a", "b"}, {"c.a", "d"}};
  all[4].set = {{"a.a", "2"}, {"b", "{}"}};
  all[4].if_absent = IfAbsent::kSkip;
  all[4].remove = {"c"};
  all[5].set = {{"d", "true"}};
  all[5].remove = {"a.b"};
  all[5].rename = {{"b", "c"}};
  return all;
}

/// The first two bytes choose the edits and the cut; the rest is the text.
void check(std::string_view input) {
  if (input.size() < 2) return;
  static const std::vector<JsonEditConfig> all = configs();
  const auto& config = all[static_cast<unsigned char>(input[0]) % all.size()];
  const std::size_t piece = 1 + static_cast<unsigned char>(input[1]) % 32;
  const std::string wrong = json_edit_model::check(config, input.substr(2), piece);
  if (!wrong.empty()) throw Error(ErrorKind::kBug, wrong);
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headrace::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
