#include "stack/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/size.h"

namespace headrace::stack {
namespace {

template <class T>
std::optional<T> parse_number(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || rest != end) return std::nullopt;
  return value;
}

/// A whole number that the member can hold. A larger one is told apart from what is no number.
template <class Wide>
std::optional<Wide> parse_within(const std::string& text, Wide least, Wide most) {
  Wide value{};
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  if (rest != end || failed == std::errc::invalid_argument) return std::nullopt;
  if (failed != std::errc{} || value < least || value > most) {
    throw Error(ErrorKind::kInvalid, fmt::format("`{}` is not within {} to {}", text, least, most));
  }
  return value;
}

std::function<void(JsonWriter&)> pattern(std::string_view regex) {
  return [regex](JsonWriter& json) { write_pattern(json, regex); };
}

/// Unquoted 5, 1.5 or no are text where text is wanted, whatever an editor takes them for.
void write_any_text(JsonWriter& json) {
  json.begin_object().key("type").begin_array();
  json.string("string").string("number").string("boolean").end_array().end_object();
}

struct RateUnit {
  char name;
  Duration per;
};
constexpr std::array kRateUnits{
    RateUnit{'s', std::chrono::seconds(1)}, RateUnit{'m', std::chrono::minutes(1)},
    RateUnit{'h', std::chrono::hours(1)}, RateUnit{'d', std::chrono::days(1)}};

std::optional<Rate> parse_rate(const std::string& text) {
  if (text.size() < 3 || text[text.size() - 2] != '/') return std::nullopt;
  const auto count = parse_number<std::uint64_t>(text.substr(0, text.size() - 2));
  for (const RateUnit& unit : kRateUnits) {
    if (count && unit.name == text.back()) return Rate{*count, unit.per};
  }
  return std::nullopt;
}

std::string format_rate(const Rate& rate) {
  for (const RateUnit& unit : kRateUnits) {
    if (unit.per == rate.per) return fmt::format("{}/{}", rate.count, unit.name);
  }
  return fmt::format("{}/s", static_cast<std::uint64_t>(rate.per_second()));
}

/// The largest unit that says the same without a fraction.
std::string exact_size(const std::uint64_t& bytes) {
  static constexpr std::array kNames{"TiB", "GiB", "MiB", "KiB"};
  std::uint64_t unit = 1ULL << 40;
  for (const char* name : kNames) {
    if (bytes != 0 && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, name);
    unit >>= 10;
  }
  return fmt::format("{}", bytes);
}

/// A path in the file's folder, printed as it was written.
class PathType final : public Type<std::filesystem::path> {
 public:
  std::optional<std::filesystem::path> read(const Node& node, Reader& reader) const override {
    if (node.broken) return std::nullopt;
    if (node.kind != Node::Kind::kScalar || node.text.empty()) {
      reader.error(node, fmt::format("a path is needed here, not {}", reader.quote(node)));
      return std::nullopt;
    }
    return reader.place(node.text);
  }
  std::optional<Node> write(const std::filesystem::path& path) const override {
    return Node::scalar(path.generic_string());
  }
  void place(std::filesystem::path& path, const Reader& reader) const override {
    if (!path.empty()) path = reader.place(path);
  }
  Node show(const Node& node) const override {
    return node.secret ? Node::masked() : Node::scalar(node.text);
  }
  std::string words() const override { return "path"; }
  void schema(JsonWriter& json) const override { write_any_text(json); }
};

Node mask_secrets(const Node& node) {
  Node out = node.secret ? Node::masked() : node;
  out.children.clear();
  for (const Node& child : node.children) {
    out.children.push_back(mask_secrets(child));
    out.children.back().key = child.key;
  }
  return out;
}

bool is_broken(const Node& node) {
  return node.broken || std::ranges::any_of(node.children, is_broken);
}

class JsonType final : public Type<Json> {
 public:
  std::optional<Json> read(const Node& node, Reader&) const override {
    if (is_broken(node)) return std::nullopt;
    JsonWriter json;
    write_json(json, node);
    return Json{std::move(json).text(), node.where};
  }
  std::optional<Node> write(const Json& value) const override {
    if (value.text.empty()) return std::nullopt;
    return node_of(value.text);
  }
  Node show(const Node& node) const override { return mask_secrets(node); }
  std::string words() const override { return "any value"; }
  void schema(JsonWriter& json) const override { json.begin_object().end_object(); }
};

}  // namespace

ScalarRules<std::string> text_rules() {
  return {.words = "text",
          .wrong = "is no text",
          .parse = [](const std::string& text) { return std::optional(text); },
          .format = [](const std::string& text) { return text; },
          .schema = write_any_text,
          .plain = false};
}

ScalarRules<bool> bool_rules() {
  return {.words = "true or false",
          .wrong = "is neither true nor false",
          .parse = [](const std::string& text) -> std::optional<bool> {
            if (text != "true" && text != "false") return std::nullopt;
            return text == "true";
          },
          .format = [](const bool& value) { return value ? "true" : "false"; },
          .schema =
              [](JsonWriter& json) {
                json.begin_object().key("anyOf").begin_array();
                json.begin_object().key("type").string("boolean").end_object();
                write_pattern(json, "true|false");
                json.end_array().end_object();
              },
          .plain = true};
}

ScalarRules<double> number_rules() {
  return {.words = "number",
          .wrong = "is no number",
          .parse = [](const std::string& text) -> std::optional<double> {
            const auto value = parse_number<double>(text);
            return value && std::isfinite(*value) ? value : std::nullopt;
          },
          .format = [](const double& value) { return fmt::format("{}", value); },
          .schema = pattern(R"(-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)"),
          .plain = true,
          .json_type = "number"};
}

ScalarRules<Duration> duration_rules() {
  return {.words = "duration",
          .wrong = "is no duration; write a whole number and a unit: 1500ms, 30s, 5m, 12h or 14d",
          .parse = [](const std::string& text) { return parse_duration(text); },
          .format = [](const Duration& span) { return format_duration(span); },
          .schema = pattern("[0-9]+(us|ms|s|m|h|d)"),
          .plain = false};
}

ScalarRules<Rate> rate_rules() {
  return {.words = "rate",
          .wrong = "is no rate; write a whole number per s, m, h or d: 200/s",
          .parse = parse_rate,
          .format = format_rate,
          .schema = pattern("[0-9]+/[smhd]"),
          .plain = false};
}

ScalarRules<KeyTemplate> key_template_rules() {
  return {.words = "key template",
          .wrong = "is no key template",
          .parse = [](const std::string& text) { return std::optional(KeyTemplate::parse(text)); },
          .format = [](const KeyTemplate& keys) { return keys.text(); },
          .schema = write_any_text,
          .plain = false};
}

ScalarRules<std::int64_t> signed_rules(std::int64_t least, std::int64_t most) {
  return {.words = "whole number",
          .wrong = "is no whole number",
          .parse = [=](const std::string& text) { return parse_within(text, least, most); },
          .format = [](const std::int64_t& value) { return fmt::format("{}", value); },
          .schema = pattern("-?[0-9]+"),
          .plain = true,
          .json_type = "integer"};
}

ScalarRules<std::uint64_t> unsigned_rules(std::uint64_t most) {
  return {
      .words = "whole number",
      .wrong = "is no whole number",
      .parse = [=](const std::string& text) { return parse_within(text, std::uint64_t{0}, most); },
      .format = [](const std::uint64_t& value) { return fmt::format("{}", value); },
      .schema = pattern("[0-9]+"),
      .plain = true,
      .json_type = "integer"};
}

ScalarRules<std::uint64_t> size_rules(std::uint64_t most) {
  return {.words = "size",
          .wrong =
              "is no size; write a whole number of bytes, with a unit if you like: 64KiB, "
              "128MiB or 5GB",
          .parse = [=](const std::string& text) -> std::optional<std::uint64_t> {
            const auto value = parse_size(text);
            return value && *value <= most ? value : std::nullopt;
          },
          .format = exact_size,
          .schema =
              [](JsonWriter& json) {
                json.begin_object().key("anyOf").begin_array();
                json.begin_object().key("type").string("integer");
                json.key("minimum").number(0).end_object();
                write_pattern(json, "[0-9]+(B|[KMGT]i?B)?");
                json.end_array().end_object();
              },
          .plain = true};
}

TypePtr<std::filesystem::path> path_type() { return std::make_shared<const PathType>(); }
TypePtr<Json> json_type() { return std::make_shared<const JsonType>(); }

}  // namespace headrace::stack
