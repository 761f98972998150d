#include "store/s3/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "core/base64.h"
#include "core/error.h"

namespace headrace::s3 {
namespace {

constexpr std::string_view kWordStart = "=?UTF-8?";
constexpr std::string_view kWordEnd = "?=";
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool survives_a_header(std::string_view value) {
  if (value.empty() || value.front() == ' ' || value.back() == ' ') return false;
  if (value.find("  ") != std::string_view::npos) return false;
  if (value.find("=?") != std::string_view::npos) return false;
  return std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string decode_q(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '=' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
      plain.push_back(static_cast<char>(code));
      i += 2;
    } else {
      plain.push_back(text[i] == '_' ? ' ' : text[i]);
    }
  }
  return plain;
}

/// The text of the encoded word at the start of `text`, which is cut off; nullopt if none is there.
std::optional<std::string> take_word(std::string_view& text) {
  if (lower(text.substr(0, kWordStart.size())) != lower(kWordStart)) return std::nullopt;
  const std::size_t begin = kWordStart.size() + 2;
  const std::size_t end = text.find(kWordEnd, begin);
  if (end == std::string_view::npos || text[begin - 1] != '?') return std::nullopt;
  const std::string_view inner = text.substr(begin, end - begin);
  std::optional<std::string> plain;
  const char form = text[begin - 2];
  if (form == 'B' || form == 'b') plain = from_base64(inner);
  if (form == 'Q' || form == 'q') plain = decode_q(inner);
  if (plain) text.remove_prefix(end + kWordEnd.size());
  return plain;
}

}  // namespace

std::string metadata_to_header(std::string_view value) {
  if (survives_a_header(value)) return std::string(value);
  return fmt::format("{}B?{}{}", kWordStart, to_base64(value), kWordEnd);
}

std::string metadata_from_header(std::string_view text) {
  std::string plain;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto word = take_word(rest);
    if (!word) return std::string(text);
    plain += *word;
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  return plain;
}

void add_metadata(Headers& headers, const Metadata& metadata) {
  for (const auto& [name, value] : metadata) {
    if (!is_token(name)) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("metadata name \"{}\": only letters, digits and !#$%&'*+-.^_`|~ can "
                              "be kept by an S3 store",
                              name));
    }
    headers.set(std::string(kMetadataPrefix) + name, metadata_to_header(value));
  }
}

Metadata read_metadata(const Headers& headers) {
  Metadata metadata;
  for (const auto& [field, value] : headers) {
    const std::string name = lower(field);
    if (!name.starts_with(kMetadataPrefix)) continue;
    metadata.insert_or_assign(name.substr(kMetadataPrefix.size()), metadata_from_header(value));
  }
  return metadata;
}

std::string tagging_text(const Tags& tags) {
  std::string text;
  for (const auto& [name, value] : tags) {
    if (!text.empty()) text += '&';
    text += uri_encode(name) + "=" + uri_encode(value);
  }
  return text;
}

Etag unquoted(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return Etag{std::string(text)};
}

std::string quoted(const Etag& etag) { return "\"" + etag.value + "\""; }

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Time> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = parse_number(text.substr(5, 2));
  const auto year = parse_number(text.substr(12, 4));
  const auto hour = parse_number(text.substr(17, 2));
  const auto minute = parse_number(text.substr(20, 2));
  const auto second = parse_number(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::string format_http_date(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

ObjectInfo read_info(ObjectKey key, const Headers& headers) {
  const std::string_view etag = headers.get("ETag");
  if (etag.empty()) {
    throw Error(ErrorKind::kTransient,
                fmt::format("{}: the answer names no etag; is the endpoint an S3 store, or a proxy "
                            "in front of one?",
                            key.text()));
  }
  // "bytes 5-9/100" tells the whole size, which Content-Length of a part does not.
  const std::string_view range = headers.get("Content-Range");
  const std::size_t slash = range.rfind('/');
  const auto size = parse_number(slash == std::string_view::npos ? headers.get("Content-Length")
                                                                 : range.substr(slash + 1));
  ObjectInfo info{std::move(key), size.value_or(0), unquoted(etag), {}, read_metadata(headers)};
  if (const auto modified = parse_http_date(headers.get("Last-Modified"))) {
    info.modified = *modified;
  }
  return info;
}

}  // namespace headrace::s3
