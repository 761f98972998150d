#include "format/jsonl/structure.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace headrace::jsonl {
namespace {

constexpr std::size_t kUsualBytes = 2u << 20;

std::string_view explain(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR:
      return "not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string is not closed, or holds a control character";
    default:
      return "not JSON";
  }
}

}  // namespace

struct Structure::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;

  /// The index needs four bytes of memory for each byte of text, so that the rare huge line must
  /// not hold it for ever.
  void fit(std::size_t bytes) {
    const std::size_t wanted = bytes <= kUsualBytes ? kUsualBytes : std::bit_ceil(bytes);
    if (stages && stages->capacity() == wanted) return;
    stages.reset();
    const auto code = simdjson::get_active_implementation()->create_dom_parser_implementation(
        std::min<std::size_t>(wanted, simdjson::SIMDJSON_MAXSIZE_BYTES), 1, stages);
    if (code != simdjson::SUCCESS) {
      throw Error(ErrorKind::kTransient, "out of memory while reading JSON");
    }
  }
};

Structure::Structure() : parser_(std::make_unique<Parser>()) {}
Structure::~Structure() = default;

bool Structure::find(BytesView text) {
  parser_->fit(text.size());
  auto& stages = *parser_->stages;
  auto code = simdjson::SUCCESS;
  if (!text.empty()) {
    code = stages.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                         simdjson::stage1_mode::regular);
  }
  const bool blank = text.empty() || code == simdjson::EMPTY;
  why_ = explain(code);
  if (!blank && code != simdjson::SUCCESS) return false;
  const std::size_t count = blank ? 0 : stages.n_structural_indexes;
  std::fill_n(&stages.structural_indexes[count], 2, static_cast<std::uint32_t>(text.size()));
  return true;
}

const std::uint32_t* Structure::positions() const {
  return parser_->stages->structural_indexes.get();
}

}  // namespace headrace::jsonl
