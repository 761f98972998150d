#include "event/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::size_t kSmallText = 64 << 10;  // Buffers for so much are kept.
constexpr std::size_t kLeastText = 4 << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

JsonFields::JsonFields(JsonElement at, const JsonFields* parent, std::string_view name)
    : parent_(parent), name_(name) {
  if (at.get(object_) == simdjson::SUCCESS) return;
  const std::string where = parent != nullptr ? parent->path(name) : "the message";
  throw Error(ErrorKind::kCorrupt, where + " is not a JSON object");
}

std::optional<JsonFields> JsonFields::find_object(std::string_view name) const {
  const auto at = find(name);
  return at ? std::optional<JsonFields>(std::in_place, *at, this, name) : std::nullopt;
}

std::optional<std::string_view> JsonFields::find_text(std::string_view name) const {
  const auto at = find(name);
  return at ? std::optional(text_of(*at, name)) : std::nullopt;
}

std::optional<std::uint64_t> JsonFields::find_number(std::string_view name) const {
  const auto at = find(name);
  if (!at) return std::nullopt;
  std::uint64_t value = 0;
  if (at->get(value) != simdjson::SUCCESS) fail(name, "is not a whole number");
  return value;
}

std::optional<std::uint64_t> JsonFields::find_count(std::string_view name) const {
  const auto at = find(name);
  std::string_view digits;
  if (!at || at->get(digits) != simdjson::SUCCESS) return find_number(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    fail(name, "is not a whole number");
  }
  return value;
}

std::optional<JsonElement> JsonFields::find(std::string_view name) const {
  JsonElement at;
  if (object_.at_key(name).get(at) != simdjson::SUCCESS || at.is_null()) return std::nullopt;
  return at;
}

JsonElement JsonFields::need(std::string_view name) const {
  const auto at = find(name);
  if (!at) fail(name, "is missing");
  return *at;
}

bool JsonFields::has_object(std::string_view name) const {
  const auto at = find(name);
  return at && at->is_object();
}

bool JsonFields::has_text(std::string_view name) const {
  const auto at = find(name);
  return at && at->is_string();
}

std::string_view JsonFields::text_if_any(std::string_view name) const {
  const auto at = find(name);
  std::string_view text;
  return at && at->get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string JsonFields::path(std::string_view name) const {
  const std::string to_here = parent_ != nullptr ? parent_->path(name_) : std::string(name_);
  return to_here.empty() ? std::string(name) : fmt::format("{}.{}", to_here, name);
}

std::string_view JsonFields::text_of(JsonElement at, std::string_view name) const {
  std::string_view text;
  if (at.get(text) != simdjson::SUCCESS) fail(name, "is not a string");
  return text;
}

void JsonFields::fail(std::string_view name, std::string_view what) const {
  throw Error(ErrorKind::kCorrupt, fmt::format("{} {}", path(name), what));
}

std::optional<Time> time_of(std::string_view text) {
  static constexpr Time kFirst = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
  static constexpr Time kEnd = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  const auto time = parse_time(text);
  return time && *time >= kFirst && *time < kEnd ? time : std::nullopt;
}

JsonElement JsonParser::parse(std::string_view json, std::size_t depth) {
  if (json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  if (parser_.capacity() < json.size() || parser_.max_depth() != depth) {
    if (parser_.allocate(std::max(json.size(), kLeastText), depth)) throw std::bad_alloc();
  }
  JsonElement root;
  switch (const auto code = parser_.parse(json.data(), json.size()).get(root)) {
    case simdjson::SUCCESS:
      return root;
    case simdjson::MEMALLOC:
      throw std::bad_alloc();
    case simdjson::DEPTH_ERROR:
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the message is nested deeper than {} levels", depth));
    default:
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the message is not JSON: {}", simdjson::error_message(code)));
  }
}

void JsonParser::forget_large() {
  if (parser_.capacity() > kSmallText) parser_ = simdjson::dom::parser();
}

}  // namespace headrace
