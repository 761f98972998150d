// The input is the chance by which patterns and an event are made up; the matcher, the explanation
// and the oracle answer alike.
#include <cstdint>
#include <cstdlib>

#include "route/explain.h"
#include "route/generate.h"
#include "route/matcher.h"
#include "route/oracle.h"

namespace {

/// One number per byte; after the last one, numbers as good as any.
class BytesAsChance final : public headrace::Random {
 public:
  BytesAsChance(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  std::uint64_t next() override {
    if (left_ == 0) return rest_.next();
    --left_;
    // Spread over all bits: below() may use the high ones.
    return std::uint64_t{*data_++} * 0x0101010101010101U;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
  headrace::SeededRandom rest_{1};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  BytesAsChance chance(data, size);
  const std::string json = generate::event(chance);
  const oracle::Event event = oracle::read_event(json);
  std::vector<Rule> rules;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t id = 0; id < 4; ++id) {
    const std::string pattern = generate::pattern(chance);
    const JsonTree tree = parse_json_tree(pattern);
    rules.push_back({id, Pattern::parse(pattern)});
    if (oracle::matches(oracle::read_rule(tree), event)) expected.push_back(id);
  }
  std::vector<std::uint32_t> matched;
  Matcher(rules).match(json, matched);
  if (matched != expected) std::abort();
  for (const Explanation& told : explain(rules, json)) {
    if (told.matches != (std::ranges::count(expected, told.id) == 1)) std::abort();
  }
  return 0;
}
