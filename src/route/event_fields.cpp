#include "route/event_fields.h"

#include <simdjson.h>

#include <algorithm>

#include "core/error.h"
#include "route/json_scan.h"
#include "route/json_tree.h"
#include "route/number_array.h"

namespace headrace {
namespace {

constexpr std::size_t kMaxDepth = 1000;
/// Buffers that an event larger than this made grow are given back after it.
constexpr std::size_t kKeptBytes = 1 << 20;

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("event: {}", what));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr char closing(bool array) { return array ? ']' : '}'; }

}  // namespace

struct EventFields::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::size_t capacity = 0;

  /// Finds where every token of `json` starts, and checks UTF-8 and strings. One more entry than
  /// there are tokens holds the size of the text.
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
/// the field tree leads. The last token is a '}', so that any other has one after it.
struct EventFields::Walk {
  EventFields& out;
  const FieldTree& tree;
  const char* json;
  const char* limit;
  const std::uint32_t* at;   // The token that comes next.
  const std::uint32_t* end;  // Behind the last one.
  bool escapes;              // Is there any backslash in the event?
  std::vector<Level>& levels;
  std::uint32_t arrays = 0;
  const char* seen = nullptr;  // How far arrays were looked at for numbers alone.

  char peek() const { return json[*at]; }

  /// The inside of the string token at `at`, unescaped.
  [[gnu::always_inline]] std::string_view string() {
    const char* begin = json + *at;
    const char* close = json + at[1] - 1;
    if (escapes || *close != '"' || close == begin) return any_string();
    return {begin + 1, static_cast<std::size_t>(close - begin - 1)};
  }

  /// The same where there may be escapes in it, or spaces after it.
  [[gnu::noinline]] std::string_view any_string() {
    const char* begin = json + *at;
    const char* close = json + at[1] - 1;
    while (is_space(*close)) --close;
    if (*close != '"' || close == begin) corrupt("has text after a string");
    const std::string_view text(begin + 1, static_cast<std::size_t>(close - begin - 1));
    if (!escapes || text.find('\\') == std::string_view::npos) return text;
    const std::size_t had = out.unescaped_.size();
    if (!append_unescaped(out.unescaped_, text)) corrupt("has a bad escape in a string");
    return std::string_view(out.unescaped_).substr(had);
  }

  /// Where the number or word at `from` ends, the token before the one at `next`.
  [[gnu::always_inline]] const char* end_of_scalar(const char* from, const char* next) const {
    const bool number = *from == '-' || is_json_digit(*from);
    const char* stop = number ? number_end(from, limit) : word_end(from, limit);
    // Most often the next token begins right there; else there is space between them.
    if (stop != next && (stop == nullptr || !ends_scalar(*stop))) {
      corrupt(number ? "has a malformed number" : "has something that is no value");
    }
    return stop;
  }

  /// A scalar that nobody asks for. The first stage has seen to all of a string but its escapes.
  [[gnu::always_inline]] void pass_scalar() {
    if (peek() != '"') {
      end_of_scalar(json + *at, json + at[1]);
    } else if (escapes) {
      string();
    }
    ++at;
  }

  void keep_scalar(std::uint32_t field, std::uint32_t member) {
    const char* from = json + *at;
    if (*from == '"') {
      out.add_leaf(field, {FieldValue::Kind::kString, string()}, member);
    } else {
      const bool word = *from == 't' || *from == 'f' || *from == 'n';
      const std::string_view text(
          from, static_cast<std::size_t>(end_of_scalar(from, json + at[1]) - from));
      out.add_leaf(field, {word ? FieldValue::Kind::kWord : FieldValue::Kind::kNumber, text},
                   member);
    }
    ++at;
  }

  /// Where the name at `at` leads from `node`; goes on to its value.
  [[gnu::always_inline]] std::uint32_t name(std::uint32_t node) {
    expect_name();
    const char* begin = json + *at + 1;
    const bool plain = !escapes && json[at[1] - 1] == '"' && limit - begin >= 8;
    if (plain && tree.leads_nowhere(node, begin)) {
      at += 2;
      return kNone;
    }
    return known_name(node);
  }

  std::uint32_t known_name(std::uint32_t node) {
    const std::string_view text = string();
    // An escaped name may lie in another block than the event.
    const std::uint32_t next = escapes ? tree.step(node, text) : tree.step(node, text, limit);
    at += 2;
    return next;
  }

  void expect_name() const {
    if (peek() != '"') corrupt("has an object without a name in quotes");
    if (json[at[1]] != ':') corrupt("has a name without ':'");
  }

  /// Is there anything to look for in the object or array at `at`, the value of `node`?
  bool asked(std::uint32_t node) const {
    if (node == kNone) return false;
    return tree.leads_on(node) || (peek() == '[' && tree.field_at(node) != kNone);
  }

  void open(std::uint32_t node, std::uint32_t member) {
    if (levels.size() == kMaxDepth) corrupt(fmt::format("is more than {} levels deep", kMaxDepth));
    levels.push_back({node, member, peek() == '[' ? arrays++ : kNone, 0});
    ++at;
  }

  /// The membership of an object or array that is the current element of `level`.
  std::uint32_t element(const Level& level) {
    out.members_.push_back({level.member, level.array, level.index});
    return static_cast<std::uint32_t>(out.members_.size() - 1);
  }

  /// Goes past members of an object that are scalars and that nobody asks for, which are most of
  /// most events. True if the object ends then; else what comes next is for value() to read, also
  /// anything that is wrong. Not for an event with escapes.
  bool pass_members(std::uint32_t node);
  /// The next member or element of the innermost level. False if it opened a level that has some.
  bool value();
  /// What follows a value: all that closes here, and a comma. False at the end of the event.
  bool separator();
  bool skip_numbers(std::size_t depth);
  void skip();
  void run();
};

[[gnu::always_inline]] inline bool EventFields::Walk::pass_members(std::uint32_t node) {
  const std::uint32_t* now = at;  // A copy, so that it need not go through memory.
  for (;; now += 4) {
    const char* name = json + now[0];
    const char* colon = json + now[1];
    const bool named = *name == '"' && *colon == ':' && colon[-1] == '"' && limit - name > 8;
    if (!named || !tree.leads_nowhere(node, name + 1)) break;
    const char* value = json + now[2];
    if (*value == '{' || *value == '[') break;
    if (*value != '"') end_of_scalar(value, json + now[3]);
    if (json[now[3]] == '}') {
      at = now + 3;
      return true;
    }
    if (json[now[3]] != ',') break;
  }
  at = now;
  return false;
}

[[gnu::always_inline]] inline bool EventFields::Walk::value() {
  Level& level = levels.back();
  const bool in_array = level.array != kNone;
  const std::uint32_t node = in_array ? level.node : name(level.node);
  const char first = peek();
  if (first != '{' && first != '[') {
    const std::uint32_t field = node == kNone ? kNone : tree.field_at(node);
    if (field == kNone) {
      pass_scalar();
    } else {
      keep_scalar(field, level.member);
    }
    ++level.index;
    return true;
  }
  if (!asked(node)) {
    skip();
    if (at == end) corrupt("ends too early");
    ++levels.back().index;
    return true;
  }
  const std::uint32_t member = in_array ? element(level) : level.member;
  ++level.index;
  open(node, member);
  return peek() == closing(first == '[');
}

[[gnu::always_inline]] inline bool EventFields::Walk::separator() {
  while (peek() != ',') {
    if (peek() != closing(levels.back().array != kNone)) {
      corrupt("has an object or array with a bad end");
    }
    ++at;
    levels.pop_back();
    if (levels.empty()) return false;
    if (at == end) corrupt("ends too early");
  }
  ++at;
  return true;
}

/// Passes by the array at `at`, within `depth` others, if it holds numbers alone.
bool EventFields::Walk::skip_numbers(std::size_t depth) {
  const char* from = json + *at;
  const char first = json[at[1]];
  if (from < seen || (first != '[' && first != '-' && !is_json_digit(first))) return false;
  const NumberArray array = pass_number_array(
      from, json, limit, static_cast<std::uint32_t>(kMaxDepth - depth), lanes_here());
  seen = array.seen;
  if (array.end == nullptr) return false;
  at += array.tokens;
  return true;
}

/// An object or array below which nobody asks: only its grammar counts.
void EventFields::Walk::skip() {
  const std::size_t least = levels.size();
  std::array<bool, kMaxDepth> is_array;
  std::size_t depth = least;
  for (;;) {
    const char first = peek();
    bool opened = false;
    if (first == '[' && skip_numbers(depth)) {
      if (depth == least) return;
    } else if (first == '{' || first == '[') {
      opened = true;
      if (depth == kMaxDepth) corrupt(fmt::format("is more than {} levels deep", kMaxDepth));
      is_array[depth++] = first == '[';
      ++at;
    } else {
      pass_scalar();
    }
    if (!opened || peek() == closing(is_array[depth - 1])) {
      while (peek() != ',') {
        if (peek() != closing(is_array[depth - 1]))
          corrupt("has an object or array with a bad end");
        ++at;
        if (--depth == least) return;
        if (at == end) corrupt("ends too early");
      }
      ++at;
    }
    if (!is_array[depth - 1]) {
      expect_name();
      if (escapes) string();
      at += 2;
    }
  }
}

void EventFields::Walk::run() {
  if (at == end || peek() != '{') corrupt("is not a JSON object");
  if (json[end[-1]] != '}') corrupt("ends too early");
  open(FieldTree::kRoot, kNone);
  bool closes = peek() == '}';
  for (;;) {
    if (!closes) {
      const Level& level = levels.back();
      const bool object = level.array == kNone;
      closes = (object && !escapes && pass_members(level.node)) || value();
    }
    if (closes && !separator()) break;
    closes = false;
  }
  if (at != end) corrupt("has text after its end");
}

EventFields::EventFields() : parser_(std::make_unique<Parser>()) {}
EventFields::~EventFields() = default;

void EventFields::begin(const FieldTree& tree) {
  for (const std::uint32_t field : touched_) heads_[field] = kNone;
  touched_.clear();
  leaves_.clear();
  members_.clear();
  if (heads_.size() < tree.size()) heads_.resize(tree.size(), kNone);
}

void EventFields::read(std::string_view json, const FieldTree& tree) {
  if (parser_->capacity > kKeptBytes && json.size() <= kKeptBytes) forget_large();
  begin(tree);
  unescaped_.clear();
  levels_.clear();
  const auto tokens = parser_->tokens(json);
  const bool escapes = json.find('\\') != std::string_view::npos;
  if (escapes) unescaped_.reserve(json.size());
  Walk walk{*this,         tree,
            json.data(),   json.data() + json.size(),
            tokens.data(), tokens.data() + tokens.size(),
            escapes,       levels_};
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
