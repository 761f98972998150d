#include "core/key_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_word(std::string_view word) {
  return !word.empty() && is_name_start(word[0]) &&
         std::ranges::all_of(word, [](char c) { return is_name_start(c) || is_digit(c); });
}

/// Words with dots between them: for templates over rows a dot leads into a field.
bool is_name(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_word(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

/// Digits only, at most what a signed 64-bit number holds.
bool is_int(std::string_view value) {
  if (value.empty() || !std::ranges::all_of(value, is_digit)) return false;
  std::int64_t number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  return read.ec == std::errc{};
}

bool is_uuid(std::string_view value) {
  if (value.size() != 36) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? value[i] != '-' : !is_hex(value[i])) return false;
  }
  return true;
}

std::size_t directive_width(char directive) {
  switch (directive) {
    case 'Y':
      return 4;
    case 'm':
    case 'd':
    case 'H':
    case 'M':
    case 'S':
      return 2;
    case '%':
      return 1;
    default:
      return 0;
  }
}

/// What a time value says; what its format leaves out stays at a value that is always fine.
struct TimeParts {
  int year = 2000;  // A leap year, so that 02-29 without a year passes.
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;

  int& at(char directive) {
    switch (directive) {
      case 'Y':
        return year;
      case 'm':
        return month;
      case 'd':
        return day;
      case 'H':
        return hour;
      case 'M':
        return minute;
      default:
        return second;
    }
  }

  bool exists() const {
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    return date.ok() && hour < 24 && minute < 60 && second < 60;
  }
};

bool is_time(std::string_view format, std::string_view value) {
  TimeParts parts;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const bool directive = format[i] == '%' && format[++i] != '%';
    const std::size_t width = directive ? directive_width(format[i]) : 1;
    if (value.size() < width) return false;
    const std::string_view piece = value.substr(0, width);
    value.remove_prefix(width);
    if (!directive) {
      if (piece[0] != format[i]) return false;
      continue;
    }
    if (!std::ranges::all_of(piece, is_digit)) return false;
    std::from_chars(piece.data(), piece.data() + piece.size(), parts.at(format[i]));
  }
  return value.empty() && parts.exists();
}

}  // namespace

/// Reads a template's text from left to right. It knows where it is, for the messages.
class KeyTemplateParser {
 public:
  explicit KeyTemplateParser(std::string text) { out_.text_ = std::move(text); }

  KeyTemplate run() && {
    if (out_.text_.empty()) fail(0, "is empty");
    out_.prefix_ = literal();
    while (at_ < out_.text_.size()) {
      add_field();
      out_.fields_.back().literal = literal();
      check_last();
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view what) const {
    const auto first = out_.text_.begin();
    const auto characters =
        std::count_if(first, first + static_cast<std::ptrdiff_t>(at),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    throw Error(ErrorKind::kInvalid, fmt::format("key template `{}`, character {}: {}", out_.text_,
                                                 characters + 1, what));
  }

  std::string literal() {
    const std::size_t end = std::min(out_.text_.find_first_of("{}", at_), out_.text_.size());
    if (end < out_.text_.size() && out_.text_[end] == '}') {
      fail(end, "`}` without a `{` before it");
    }
    const std::size_t start = std::exchange(at_, end);
    return out_.text_.substr(start, end - start);
  }

  void add_field() {
    const std::size_t end = out_.text_.find_first_of("{}", at_ + 1);
    if (end == std::string::npos || out_.text_[end] == '{') fail(at_, "`{` is never closed");
    const std::string_view inside = std::string_view(out_.text_).substr(at_ + 1, end - at_ - 1);
    KeyTemplate::Field field = read_field(inside);
    if (!out_.fields_.empty()) {
      const KeyTemplate::Field& before = out_.fields_.back();
      if (before.type == KeyTemplate::Type::kRest) {
        fail(start_,
             fmt::format("`{{{}...}}` takes all the rest, so no field can follow it", before.name));
      }
      if (before.literal.empty()) {
        fail(at_, fmt::format("nothing tells where `{}` ends and `{}` begins; put a literal "
                              "between them",
                              before.name, field.name));
      }
    }
    if (std::ranges::find(out_.names_, field.name) != out_.names_.end()) {
      fail(at_, fmt::format("a second field named `{}`", field.name));
    }
    out_.names_.push_back(field.name);
    out_.fields_.push_back(std::move(field));
    start_ = at_;
    at_ = end + 1;
  }

  KeyTemplate::Field read_field(std::string_view inside) const {
    KeyTemplate::Field field;
    const std::size_t colon = inside.find(':');
    std::string_view name = inside.substr(0, colon);
    if (colon == std::string_view::npos && name.ends_with("...")) {
      name.remove_suffix(3);
      field.type = KeyTemplate::Type::kRest;
    }
    if (!is_name(name)) {
      fail(at_ + 1, fmt::format("`{}` is no field name; use letters, digits and _", name));
    }
    field.name = name;
    if (colon != std::string_view::npos) {
      read_type(field, inside.substr(colon + 1), at_ + colon + 2);
    } else if (name == "int" || name == "uuid") {
      read_type(field, name, at_ + 1);
    }
    return field;
  }

  void read_type(KeyTemplate::Field& field, std::string_view type, std::size_t at) const {
    if (type == "int") {
      field.type = KeyTemplate::Type::kInt;
    } else if (type == "uuid") {
      field.type = KeyTemplate::Type::kUuid;
      field.width = 36;
    } else if (type.contains('%')) {
      field.type = KeyTemplate::Type::kTime;
      field.format = type;
      field.width = time_width(type, at);
    } else {
      fail(at,
           fmt::format("`{}` is no type; there are int, uuid and times such as %Y-%m-%d", type));
    }
  }

  std::size_t time_width(std::string_view format, std::size_t at) const {
    std::size_t width = 0;
    for (std::size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%') {
        ++width;
        continue;
      }
      const std::size_t digits = i + 1 < format.size() ? directive_width(format[i + 1]) : 0;
      if (digits == 0) {
        fail(at + i, fmt::format("`{}` is not known in times; there are %Y %m %d %H %M %S %%",
                                 format.substr(i, 2)));
      }
      width += digits;
      ++i;
    }
    return width;
  }

  void check_last() const {
    const KeyTemplate::Field& last = out_.fields_.back();
    if (last.type == KeyTemplate::Type::kInt && !last.literal.empty() &&
        is_digit(last.literal[0])) {
      fail(at_ - last.literal.size(),
           fmt::format("a digit right after the number `{}` would be part of it", last.name));
    }
  }

  KeyTemplate out_;
  std::size_t at_ = 0;     // How far we have read.
  std::size_t start_ = 0;  // Where the last field begins.
};

KeyTemplate KeyTemplate::parse(std::string text) {
  return KeyTemplateParser(std::move(text)).run();
}

bool KeyTemplate::valid(const Field& field, std::string_view value) {
  switch (field.type) {
    case Type::kText:
      return !value.empty() && !value.contains('/');
    case Type::kRest:
      return !value.empty();
    case Type::kInt:
      return is_int(value);
    case Type::kUuid:
      return is_uuid(value);
    case Type::kTime:
      return is_time(field.format, value);
  }
  std::unreachable();
}

/// The one stretch at the start of `rest` that can be the field's value. There is never a second
/// try, which keeps matching linear and build() sure of what match() will do.
std::optional<std::string_view> KeyTemplate::take(const Field& field, bool last,
                                                  std::string_view rest) {
  if (last) {
    if (!rest.ends_with(field.literal)) return std::nullopt;
    return rest.substr(0, rest.size() - field.literal.size());
  }
  if (field.width > 0) {
    if (rest.size() < field.width) return std::nullopt;
    return rest.substr(0, field.width);
  }
  const std::size_t end = rest.find(field.literal);
  if (end == std::string_view::npos) return std::nullopt;
  return rest.substr(0, end);
}

std::optional<KeyFields> KeyTemplate::match(std::string_view key) const {
  if (!key.starts_with(prefix_)) return std::nullopt;
  key.remove_prefix(prefix_.size());
  KeyFields found;
  for (const Field& field : fields_) {
    const auto value = take(field, &field == &fields_.back(), key);
    if (!value || !valid(field, *value)) return std::nullopt;
    key.remove_prefix(value->size());
    if (!key.starts_with(field.literal)) return std::nullopt;
    key.remove_prefix(field.literal.size());
    found.emplace(field.name, *value);
  }
  if (!key.empty()) return std::nullopt;
  return found;
}

std::string KeyTemplate::build(const KeyFields& fields) const {
  std::string key = prefix_;
  for (const Field& field : fields_) {
    const auto value = fields.find(field.name);
    const auto refuse = [&](std::string_view why) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("key template `{}`: field `{}` {}", text_, field.name, why));
    };
    if (value == fields.end()) {
      refuse("has no value");
    } else if (!valid(field, value->second)) {
      refuse(fmt::format("cannot be `{}`", value->second));
    }
    const std::size_t start = key.size();
    key += value->second;
    key += field.literal;
    // "a-" before "--" would be read back as "a": the literal must not begin inside the value.
    const bool last = &field == &fields_.back();
    const auto read = take(field, last, std::string_view(key).substr(start));
    if (!read || read->size() != value->second.size()) {
      refuse(fmt::format("cannot be `{}`: it runs into the `{}` that follows", value->second,
                         field.literal));
    }
  }
  return key;
}

}  // namespace headrace
