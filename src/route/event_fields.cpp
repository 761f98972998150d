#include "route/event_fields.h"

#include <simdjson.h>

#include <algorithm>

#include "core/error.h"
#include "route/json_tree.h"

namespace headrace {
namespace {

constexpr std::size_t kMaxDepth = 1000;
/// Buffers that an event larger than this made grow are given back after it.
constexpr std::size_t kKeptBytes = 1 << 20;

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("event: {}", what));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

struct EventFields::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::size_t capacity = 0;

  /// Finds where every token of `json` starts, and checks UTF-8 and strings.
  std::span<const std::uint32_t> tokens(std::string_view json) {
    if (json.size() >= simdjson::SIMDJSON_MAXSIZE_BYTES) corrupt("is larger than 4 GiB");
    if (!stage || capacity < json.size()) {
      capacity = std::max<std::size_t>(json.size(), 4096);
      const auto code = simdjson::get_active_implementation()->create_dom_parser_implementation(
          capacity, kMaxDepth, stage);
      if (code) throw Error(ErrorKind::kTransient, "event: no memory to read it");
    }
    const auto code = stage->stage1(reinterpret_cast<const std::uint8_t*>(json.data()), json.size(),
                                    simdjson::stage1_mode::regular);
    if (code) corrupt(fmt::format("is not JSON: {}", simdjson::error_message(code)));
    return {stage->structural_indexes.get(), stage->n_structural_indexes};
  }
};

/// Goes over the tokens of one event and checks the grammar of all of them; leaves are kept where
/// the field tree leads.
struct EventFields::Walk {
  EventFields& out;
  const FieldTree& tree;
  std::string_view json;
  std::span<const std::uint32_t> tokens;
  bool escapes;  // Is there any backslash in the event?
  std::vector<Level>& levels;
  std::size_t at = 0;  // The token that comes next.
  std::uint32_t arrays = 0;
  std::uint32_t pending = FieldTree::kNone;  // The node of the value that follows a name.

  char peek() const { return at < tokens.size() ? json[tokens[at]] : '\0'; }
  char take() {
    const char c = peek();
    ++at;
    return c;
  }

  /// The bytes of the token before `at`, without the space after it.
  std::string_view token() const {
    const std::size_t begin = tokens[at - 1];
    std::size_t end = at < tokens.size() ? tokens[at] : json.size();
    while (end > begin && is_space(json[end - 1])) --end;
    return json.substr(begin, end - begin);
  }

  /// The inside of the string token before `at`, unescaped.
  std::string_view string() {
    std::string_view text = token();
    if (text.size() < 2 || text.back() != '"') corrupt("has text after a string");
    text = text.substr(1, text.size() - 2);
    if (!escapes || text.find('\\') == std::string_view::npos) return text;
    const std::size_t begin = out.unescaped_.size();
    if (!append_unescaped(out.unescaped_, text)) corrupt("has a bad escape in a string");
    return std::string_view(out.unescaped_).substr(begin);
  }

  /// A string that nobody asks for: the first stage has seen to all but its escapes.
  void pass_string() {
    if (escapes) string();
  }

  /// `node` is where a field ends.
  void leaf(std::uint32_t node, std::uint32_t member, FieldValue value) {
    const std::uint32_t field = tree.field_at(node);
    if (out.heads_[field] == kNone) out.touched_.push_back(field);
    out.leaves_.push_back({value, out.heads_[field], member});
    out.heads_[field] = static_cast<std::uint32_t>(out.leaves_.size() - 1);
  }

  void scalar(char first, std::uint32_t node, std::uint32_t member) {
    const bool wanted = node != kNone && tree.field_at(node) != kNone;
    if (first == '\0') corrupt("ends too early");
    if (first == '"') {
      if (wanted) return leaf(node, member, {FieldValue::Kind::kString, string()});
      return pass_string();
    }
    const std::string_view text = token();
    const bool number = first == '-' || (first >= '0' && first <= '9');
    if (number && !is_json_number(text)) corrupt("has a malformed number");
    if (!number && text != "true" && text != "false" && text != "null") {
      corrupt("has something that is no value");
    }
    const auto kind = number ? FieldValue::Kind::kNumber : FieldValue::Kind::kWord;
    if (wanted) leaf(node, member, {kind, text});
  }

  /// A value of the field that `node` stands for.
  void value(std::uint32_t node, std::uint32_t member) {
    const char first = take();
    if (first != '{' && first != '[') return scalar(first, node, member);
    if (levels.size() == kMaxDepth) corrupt(fmt::format("is more than {} levels deep", kMaxDepth));
    const std::uint32_t array = first == '[' ? arrays++ : kNone;
    levels.push_back({node, member, array, 0});
    if (peek() == (first == '{' ? '}' : ']')) {
      ++at;
      levels.pop_back();
      return separator();
    }
    if (first == '{') member_of_object();
  }

  /// A name and its colon; the value comes next.
  void member_of_object() {
    if (take() != '"') corrupt("has an object without a name in quotes");
    Level& level = levels.back();
    if (level.node != kNone && tree.leads_on(level.node)) {
      pending = tree.step(level.node, string());
    } else {
      pending = kNone;
      pass_string();
    }
    if (take() != ':') corrupt("has a name without ':'");
  }

  /// After a value: what closes, and where the next value goes.
  void separator() {
    while (!levels.empty()) {
      Level& level = levels.back();
      const bool is_array = level.array != kNone;
      const char c = take();
      if (c == ',') {
        if (!is_array) member_of_object();
        return;
      }
      if (c != (is_array ? ']' : '}')) corrupt("has an object or array with a bad end");
      levels.pop_back();
    }
  }

  /// The membership of an object or array that is the current element of `level`.
  std::uint32_t element(Level& level) {
    out.members_.push_back({level.member, level.array, level.index});
    return static_cast<std::uint32_t>(out.members_.size() - 1);
  }

  void run();
};

void EventFields::Walk::run() {
  if (peek() != '{') corrupt("is not a JSON object");
  value(FieldTree::kRoot, kNone);
  while (!levels.empty()) {
    Level& level = levels.back();
    const char first = peek();
    const bool nested = first == '{' || first == '[';
    std::uint32_t node = pending;
    std::uint32_t member = level.member;
    if (level.array != kNone) {
      node = level.node;
      // Nobody asks below: no need to remember which element it was.
      const bool asked = node != kNone && (tree.leads_on(node) || tree.field_at(node) != kNone);
      if (nested && asked) member = element(level);
      ++level.index;
    }
    value(node, member);
    if (!nested) separator();
  }
  if (at != tokens.size()) corrupt("has text after its end");
}

EventFields::EventFields() : parser_(std::make_unique<Parser>()) {}
EventFields::~EventFields() = default;

void EventFields::read(std::string_view json, const FieldTree& tree) {
  if (parser_->capacity > kKeptBytes && json.size() <= kKeptBytes) forget_large();
  for (const std::uint32_t field : touched_) heads_[field] = kNone;
  touched_.clear();
  leaves_.clear();
  members_.clear();
  if (heads_.size() < tree.size()) heads_.resize(tree.size(), kNone);
  unescaped_.clear();
  const auto tokens = parser_->tokens(json);
  const bool escapes = json.find('\\') != std::string_view::npos;
  if (escapes) unescaped_.reserve(json.size());
  Walk walk{*this, tree, json, tokens, escapes, levels_};
  levels_.clear();
  walk.run();
}

void EventFields::forget_large() {
  *parser_ = Parser();
  leaves_ = {};
  members_ = {};
  unescaped_ = {};
}

bool EventFields::has_members(std::uint32_t field) const {
  for (std::uint32_t at = first(field); at != kNone; at = leaf(at).next) {
    if (leaf(at).member != kNone) return true;
  }
  return false;
}

Membership EventFields::membership(const Leaf& leaf) const {
  Membership out;
  for (std::uint32_t at = leaf.member; at != kNone; at = members_[at].outer) {
    out.emplace_back(members_[at].array, members_[at].index);
  }
  std::ranges::reverse(out);  // An outer array was met, and so numbered, before an inner one.
  return out;
}

}  // namespace headrace
