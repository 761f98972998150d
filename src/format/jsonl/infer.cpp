#include "format/jsonl/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "format/column_name.h"
#include "format/jsonl/number.h"
#include "format/jsonl/uuid.h"
#include "format/lines_to_parquet.h"

namespace headrace::jsonl {
namespace {

/// What a place in the rows has held, as a set.
enum Kind : std::uint32_t {
  kBoolean = 1,
  kWhole = 2,       ///< Fits int64,
  kLargeWhole = 4,  ///< and fits no double without loss.
  kHuge = 8,        ///< Whole, beyond int64, at most 38 digits.
  kReal = 16,       ///< Fits a double without loss.
  kUnfit = 32,      ///< A number that fits none of these.
  kMoment = 64,     ///< A text that is a moment with a zone.
  kText = 128,
  kObject = 256,
  kArray = 512,
  kUuid = 1024,   ///< A text that is a UUID in small letters.
  kDate = 2048,   ///< A text that is a date.
  kLocal = 4096,  ///< A text that is a moment without a zone.
  kNumbers = kWhole | kLargeWhole | kHuge | kReal | kUnfit,
  kTexts = kMoment | kText | kUuid | kDate | kLocal,
};

constexpr std::size_t kGuessesPerColumn = 4;  // Objects and lists on the way to the leaves.
constexpr int kHugePrecision = 38;

// When the keys of an object are data rather than names: docs/formats/types.md.
constexpr std::size_t kManyKeys = 64;           // Beyond, if each object has few of them;
constexpr std::size_t kFewOfThem = 4;           // "few" is at most a quarter;
constexpr std::size_t kAnywayManyKeys = 1'000;  // beyond this, in any case.
constexpr std::size_t kKeysAtOnce = 4'000;      // So many are not even counted one by one.

DataType plain(TypeKind kind) { return {.kind = kind}; }

/// The type for a set of kinds without containers; nullopt if only JSON text can hold them all.
std::optional<DataType> scalar_type(std::uint32_t kinds) {
  if (kinds == kBoolean) return plain(TypeKind::kBoolean);
  if (kinds == kMoment) return plain(TypeKind::kTimestamp);
  if (kinds == kDate) return plain(TypeKind::kDate);
  if ((kinds & ~kNumbers) == 0) {
    if (kinds & kUnfit) return plain(TypeKind::kString);
    const bool real = (kinds & kReal) != 0;
    if (kinds & kHuge) {
      if (real) return plain(TypeKind::kString);
      return DataType{.kind = TypeKind::kDecimal, .precision = kHugePrecision};
    }
    if (!real) return plain(TypeKind::kLong);
    return plain(kinds & kLargeWhole ? TypeKind::kString : TypeKind::kDouble);
  }
  if ((kinds & ~(kTexts | kNumbers)) == 0) return plain(TypeKind::kString);
  return std::nullopt;
}

Field field_of(DataType type) {
  Field field;
  field.type = std::move(type);
  return field;
}

Field json_text() {
  Field field = field_of(plain(TypeKind::kString));
  field.metadata = kJsonTextMetadata;
  return field;
}

/// Are the kinds so alike that one column of them is no loss?
bool is_uniform(std::uint32_t kinds) {
  const auto within = [kinds](std::uint32_t set) { return kinds != 0 && (kinds & ~set) == 0; };
  return within(kBoolean) || within(kNumbers) || within(kTexts) || within(kObject) ||
         within(kArray);
}

void collect_ids(const std::vector<Field>& fields, int& largest) {
  for (const Field& field : fields) {
    largest = std::max(largest, field.field_id);
    collect_ids(field.type.fields, largest);
  }
}

void give_ids(std::vector<Field>& fields, int& largest) {
  for (Field& field : fields) {
    if (field.field_id == 0) field.field_id = ++largest;
    give_ids(field.type.fields, largest);
  }
}

}  // namespace

struct Inference::Guess {
  bool known = false;   ///< The schema has it; only `type` of a byte or short may grow.
  bool opaque = false;  ///< Known, and holds nothing that could grow.
  TypeKind type = TypeKind::kString;
  std::uint32_t kinds = 0;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::vector<std::pair<std::string, std::unique_ptr<Guess>>> members;
  NodeByName by_key;               ///< Index into `members`.
  std::unique_ptr<Guess> element;  ///< Of an array, or the value of a map.

  std::uint64_t objects = 0;  ///< How often it was an object,
  std::uint64_t met = 0;      ///< and how many members those had together.
  bool map = false;           ///< So many keys that only the values' common type is kept.
  bool stays = false;         ///< So many keys, but the values have no common type.
};

std::size_t leaf_count(const std::vector<Field>& fields) {
  std::size_t count = 0;
  for (const Field& field : fields) {
    count += field.type.fields.empty() ? 1 : leaf_count(field.type.fields);
  }
  return count;
}

void number_fields(Schema& schema) {
  int largest = 0;
  collect_ids(schema.fields, largest);
  give_ids(schema.fields, largest);
}

Inference::Inference(const Schema& known, std::size_t columns, bool plain_types)
    : known_(known),
      root_(std::make_unique<Guess>()),
      columns_(columns),
      plain_types_(plain_types),
      skipper_(std::numeric_limits<int>::max()) {
  adopt(*root_, DataType{.kind = TypeKind::kStruct, .fields = known.fields}, false);
}

Inference::~Inference() = default;

void Inference::adopt(Guess& guess, const DataType& type, bool json_text) {
  guess.known = true;
  guess.type = type.kind;
  guess.opaque = json_text;
  switch (type.kind) {
    case TypeKind::kStruct:
      for (const Field& field : type.fields) {
        Guess& member = child_of(guess, json_key_of(field.name));
        adopt(member, field.type, is_json_text(field));
      }
      break;
    case TypeKind::kList:
    case TypeKind::kMap:
      guess.element = std::make_unique<Guess>();
      adopt(*guess.element, type.fields.back().type, is_json_text(type.fields.back()));
      break;
    case TypeKind::kByte:
    case TypeKind::kShort:
      break;
    default:
      guess.opaque = true;
  }
}

Inference::Guess& Inference::child_of(Guess& guess, std::string key) {
  const auto [found, is_new] =
      guess.by_key.try_emplace(key, static_cast<std::uint32_t>(guess.members.size()));
  if (!is_new) return *guess.members[found->second].second;
  if (++guesses_ > columns_ * kGuessesPerColumn + 64) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("the rows have more than {} columns: raise the limit, or keep what is "
                            "keyed by values out of the table",
                            columns_));
  }
  guess.members.emplace_back(std::move(key), std::make_unique<Guess>());
  return *guess.members.back().second;
}

/// Adds to `into` what `from` has seen.
void Inference::merge(Guess& into, const Guess& from) {
  into.kinds |= from.kinds;
  into.objects += from.objects;
  into.met += from.met;
  into.map |= from.map;
  for (const auto& [key, member] : from.members) merge(child_of(into, key), *member);
  if (from.element) {
    if (!into.element) into.element = std::make_unique<Guess>();
    merge(*into.element, *from.element);
  }
  if (!into.map || into.members.empty()) return;
  // Beside a map's values no member is left.
  const auto members = std::exchange(into.members, {});
  into.by_key.clear();
  for (const auto& [key, member] : members) merge(*into.element, *member);
}

/// What all values of an object are, if its keys are data.
std::unique_ptr<Inference::Guess> Inference::common_value(const Guess& guess) {
  std::uint32_t kinds = 0;
  for (const auto& [key, member] : guess.members) kinds |= member->kinds;
  if (!is_uniform(kinds)) return nullptr;
  const std::size_t guesses = guesses_;
  auto value = std::make_unique<Guess>();
  for (const auto& [key, member] : guess.members) merge(*value, *member);
  guesses_ = guesses;
  const bool wide = value->members.size() > kManyKeys && !has_data_for_keys(*value);
  return wide ? nullptr : std::move(value);
}

bool Inference::has_data_for_keys(const Guess& guess) {
  const std::size_t keys = guess.members.size();
  return guess.map || keys > kAnywayManyKeys ||
         (keys > kManyKeys && guess.met * kFewOfThem <= guess.objects * keys);
}

/// An object has got so many keys that they can't be names.
void Inference::give_up_keys(Guess& guess) {
  guess.element = common_value(guess);
  guess.map = guess.element != nullptr;
  guess.stays = !guess.map;
  if (!guess.map) return;
  guesses_ -= std::min(guesses_, guess.members.size());
  guess.members.clear();
  guess.by_key.clear();
}

void Inference::observe(Cursor cursor) {
  cursor_ = cursor;
  observe_object(*root_, 0);
}

void Inference::observe_text(std::string_view column) { texts_.insert(json_key_of(column)); }

void Inference::skip() {
  Flaw ignored;
  skipper_.skip(cursor_, 0, ignored);
}

void Inference::observe_value(Guess& guess, int depth) {
  const char c = cursor_.peek();
  const bool object = c == '{';
  const bool array = c == '[';
  if (guess.known && (object || array)) {
    const bool enters = !guess.opaque && ((object && guess.type == TypeKind::kStruct) ||
                                          (object && guess.type == TypeKind::kMap) ||
                                          (array && guess.type == TypeKind::kList));
    if (!enters) return skip();
  }
  if (object || array) {
    guess.kinds |= object ? kObject : kArray;
    if (depth >= kMaxColumnDepth) return skip();
    return object ? observe_object(guess, depth) : observe_array(guess, depth);
  }
  const BytesView token = cursor_.token();
  ++cursor_.at;
  if (guess.opaque || token == "null") return;
  if (!guess.known) {
    guess.kinds |= kind_of_scalar(token);
  } else if (const auto whole = parse_integer(token)) {
    if (*whole != static_cast<std::int32_t>(*whole)) return;
    guess.least = std::min(guess.least, *whole);
    guess.most = std::max(guess.most, *whole);
  }
}

void Inference::observe_object(Guess& guess, int depth) {
  ++cursor_.at;
  if (cursor_.peek() == '}') {
    ++cursor_.at;
    return;
  }
  ++guess.objects;
  std::size_t hint = 0;
  for (;;) {
    ++guess.met;
    const bool could_be_map = !guess.known && !guess.map && !guess.stays && &guess != root_.get();
    if (could_be_map && guess.members.size() > kKeysAtOnce) give_up_keys(guess);
    const BytesView token = cursor_.token();
    const BytesView raw = token.substr(1, token.size() - 2);
    cursor_.at += 2;
    Guess* next = nullptr;
    if (guess.map || (guess.known && guess.type == TypeKind::kMap)) {
      next = guess.element.get();
    } else if (hint < guess.members.size() && guess.members[hint].first == raw &&
               raw.find('\\') == BytesView::npos) {
      next = guess.members[hint++].second.get();
    } else {
      key_.clear();
      const bool is_text = unescape(raw, key_);
      // A key that is no text cannot be a column; neither can the column of rescued data.
      const bool reserved = &guess == root_.get() && folded_name(key_) == kRescuedColumn;
      if (is_text && !reserved) {
        next = &child_of(guess, key_);
        hint = guess.by_key.find(key_)->second + 1;
      }
    }
    if (next != nullptr) {
      observe_value(*next, depth + 1);
    } else {
      skip();
    }
    const char end = cursor_.peek();
    ++cursor_.at;
    if (end == '}') return;
  }
}

void Inference::observe_array(Guess& guess, int depth) {
  if (!guess.element) guess.element = std::make_unique<Guess>();
  ++cursor_.at;
  if (cursor_.peek() == ']') {
    ++cursor_.at;
    return;
  }
  for (;;) {
    observe_value(*guess.element, depth + 1);
    const char end = cursor_.peek();
    ++cursor_.at;
    if (end == ']') return;
  }
}

Inference::Kinds Inference::kind_of_scalar(BytesView token) {
  if (token[0] == 't' || token[0] == 'f') return kBoolean;
  if (token[0] != '"') return kind_of_number(token);
  const BytesView text = token.substr(1, token.size() - 2);
  if (const auto moment = moments_.parse(text)) return moment->zoned ? kMoment : kLocal;
  if (parse_date(text)) return kDate;
  return is_uuid(text) ? kUuid : kText;
}

Inference::Kinds Inference::kind_of_number(BytesView token) {
  if (parse_integer(token)) return parse_double(token) ? kWhole : kWhole | kLargeWhole;
  const auto number = parse_number(token);
  if (!number->fraction && number->exact && number->digits != 0) return kHuge;
  return parse_double(token) ? kReal : kUnfit;
}

Schema Inference::schema() {
  for (const std::string& key : texts_) {
    const auto found = root_->by_key.find(key);
    if (found == root_->by_key.end()) continue;
    Guess& guess = *root_->members[found->second].second;
    if (guess.kinds != 0) guess.kinds |= kText;
  }
  Schema schema = known_;
  grow_fields(schema.fields, *root_, 0);
  if (const std::size_t leaves = leaf_count(schema.fields); leaves > columns_) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("the rows have {} columns, the limit is {}: raise it, or keep what is "
                            "keyed by values out of the table",
                            leaves, columns_));
  }
  number_fields(schema);
  return schema;
}

void Inference::grow_fields(std::vector<Field>& fields, const Guess& guess, int depth) {
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i] = grow(fields[i], *guess.members[i].second, depth + 1);
    names.insert(folded_name(fields[i].name));
  }
  for (std::size_t i = fields.size(); i < guess.members.size(); ++i) {
    const auto& [key, member] = guess.members[i];
    auto field = resolve(*member, depth + 1);
    if (!field) continue;
    field->name = column_name_of(key);
    if (names.insert(folded_name(field->name)).second) fields.push_back(std::move(*field));
  }
}

Field Inference::grow(const Field& known, const Guess& guess, int depth) {
  Field field = known;
  if (guess.opaque) return field;
  switch (guess.type) {
    case TypeKind::kStruct:
      grow_fields(field.type.fields, guess, depth);
      break;
    case TypeKind::kList:
    case TypeKind::kMap:
      field.type.fields.back() = grow(field.type.fields.back(), *guess.element, depth + 1);
      break;
    default:  // byte, short
      if (guess.least < -32768 || guess.most > 32767) {
        field.type.kind = TypeKind::kInteger;
      } else if (guess.least < -128 || guess.most > 127) {
        field.type.kind = TypeKind::kShort;
      }
  }
  return field;
}

/// A map, if the keys of the objects are data and their values of one type.
std::optional<Field> Inference::resolve_map(const Guess& guess, int depth) {
  if (!has_data_for_keys(guess)) return std::nullopt;
  const auto common = guess.map ? nullptr : common_value(guess);
  const Guess* value = guess.map ? guess.element.get() : common.get();
  if (value == nullptr) return std::nullopt;
  auto field = resolve(*value, depth + 1);
  if (!field) return std::nullopt;
  field->name = "value";
  DataType type{.kind = TypeKind::kMap};
  type.fields.push_back({.name = "key", .nullable = false});
  type.fields.push_back(std::move(*field));
  return field_of(std::move(type));
}

std::optional<Field> Inference::resolve(const Guess& guess, int depth) {
  if (guess.kinds == 0) return std::nullopt;
  if (plain_types_ && guess.kinds == kLocal) return field_of(plain(TypeKind::kTimestampNtz));
  if (plain_types_ && guess.kinds == kUuid) {
    Field field = field_of(plain(TypeKind::kString));
    field.metadata = kUuidMetadata;
    return field;
  }
  if (const auto type = scalar_type(guess.kinds)) return field_of(*type);
  if (depth >= kMaxColumnDepth) return json_text();
  DataType type;
  if (guess.kinds == kObject) {
    if (auto map = resolve_map(guess, depth)) return map;
    type.kind = TypeKind::kStruct;
    grow_fields(type.fields, guess, depth);
  } else if (guess.kinds == kArray) {
    type.kind = TypeKind::kList;
    auto element = resolve(*guess.element, depth + 1);
    if (element) {
      element->name = "element";
      type.fields.push_back(std::move(*element));
    }
  }
  return type.fields.empty() ? json_text() : field_of(std::move(type));
}

}  // namespace headrace::jsonl
