// The input is the chance by which patterns are made up, and an event as JSON, a decoded event or a
// row: the matcher, the explanation and the oracle answer alike, whatever form was asked.
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

using namespace headrace;
using Ids = std::vector<std::uint32_t>;

/// What the oracle and the explanation say.
Ids wanting(const std::vector<std::string>& patterns, const std::string& json) {
  const Ids out = oracle::wanting(patterns, json);
  for (const Explanation& told : explain(generate::rules(patterns), json)) {
    if (told.matches != (std::ranges::count(out, told.id) == 1)) std::abort();
  }
  return out;
}

template <class Input>
void expect(const Matcher& matcher, const Input& input, const Ids& expected) {
  Ids matched;
  matcher.match(input, matched);
  if (matched != expected) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesAsChance chance(data, size);
  const auto form = chance.below(4);
  const bool decoded = form == 0;
  const auto patterns =
      generate::patterns(chance, decoded ? generate::event_pattern : generate::pattern);
  const Matcher matcher(generate::rules(patterns));
  std::string json;
  Ids expected;
  if (decoded) {
    const Event event = generate::decoded_event(chance);
    json = to_json(event);
    expected = wanting(patterns, json);
    expect(matcher, event, expected);
  } else if (form == 1) {
    const auto row = generate::row(chance);
    json = generate::to_json(row);
    expected = wanting(patterns, json);
    expect(matcher, std::span<const Matcher::Scalar>(generate::scalars(row, matcher)), expected);
  } else {
    json = generate::event(chance);
    expected = wanting(patterns, json);
  }
  expect(matcher, std::string_view(json), expected);
  return 0;
}
