#include "format/jsonl/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "core/error.h"
#include "format/column_name.h"
#include "format/jsonl/number.h"
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
  kNumbers = kWhole | kLargeWhole | kHuge | kReal | kUnfit,
  kTexts = kMoment | kText,
};

constexpr std::size_t kGuessesPerColumn = 4;  // Objects and lists on the way to the leaves.
constexpr int kHugePrecision = 38;

DataType plain(TypeKind kind) { return {.kind = kind}; }

/// The type for a set of kinds without containers; nullopt if only JSON text can hold them all.
std::optional<DataType> scalar_type(std::uint32_t kinds) {
  if (kinds == kBoolean) return plain(TypeKind::kBoolean);
  if (kinds == kMoment) return plain(TypeKind::kTimestamp);
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

Inference::Inference(const Schema& known, std::size_t columns)
    : known_(known),
      root_(std::make_unique<Guess>()),
      columns_(columns),
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
  std::size_t hint = 0;
  for (;;) {
    const BytesView token = cursor_.token();
    const BytesView raw = token.substr(1, token.size() - 2);
    cursor_.at += 2;
    Guess* next = nullptr;
    if (guess.known && guess.type == TypeKind::kMap) {
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
  const auto moment = moments_.parse(token.substr(1, token.size() - 2));
  return moment && moment->zoned ? kMoment : kText;
}

Inference::Kinds Inference::kind_of_number(BytesView token) {
  if (parse_integer(token)) return parse_double(token) ? kWhole : kWhole | kLargeWhole;
  const auto number = parse_number(token);
  if (!number->fraction && number->exact && number->digits != 0) return kHuge;
  return parse_double(token) ? kReal : kUnfit;
}

Schema Inference::schema() const {
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

std::optional<Field> Inference::resolve(const Guess& guess, int depth) {
  if (guess.kinds == 0) return std::nullopt;
  if (const auto type = scalar_type(guess.kinds)) return field_of(*type);
  if (depth >= kMaxColumnDepth) return json_text();
  DataType type;
  if (guess.kinds == kObject) {
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
