#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "format/csv/csv_lines.h"

/// The slow and plain way to read CSV, for tests and fuzzers: the whole text at once, cut by the
/// rules of docs/formats/csv.md.
namespace headrace::csv_model {

struct Value {
  std::string text;
  bool quoted = false;
};
struct Record {
  std::vector<Value> values;
  std::string raw;
  bool closed = true;
  bool blank() const { return values.size() == 1 && values[0].text.empty() && !values[0].quoted; }
};

/// Takes a value off `rest`; false if it ends within quotes.
inline bool take_value(std::string_view& rest, char delimiter, Value& value) {
  if (rest.starts_with('"')) {
    value.quoted = true;
    while (true) {
      const std::size_t end = rest.find('"', 1);
      if (end == std::string_view::npos) {
        value.text += rest.substr(1);
        rest = {};
        return false;
      }
      value.text += rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
      if (!rest.starts_with('"')) break;
      value.text += '"';
    }
  }
  const char stops[] = {delimiter, '\n'};
  std::string_view plain = rest.substr(0, rest.find_first_of(std::string_view(stops, 2)));
  rest.remove_prefix(plain.size());
  if ((rest.empty() || rest[0] == '\n') && plain.ends_with('\r')) plain.remove_suffix(1);
  value.text += plain;
  return true;
}

/// The records of a text; of one that goes on, only those that ended with a line.
inline std::vector<Record> records_of(std::string_view text, char delimiter, bool goes_on) {
  std::vector<Record> records;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view begin = rest;
    Record record;
    while (true) {
      record.closed = take_value(rest, delimiter, record.values.emplace_back());
      if (rest.empty() || rest[0] == '\n') break;
      rest.remove_prefix(1);
    }
    const bool ended = !rest.empty();
    if (ended) rest.remove_prefix(1);
    record.raw = begin.substr(0, begin.size() - rest.size());
    if (ended || !goes_on) records.push_back(std::move(record));
  }
  return records;
}

/// "-", digits without zeros before them, ".5", "e+7".
inline bool is_number(std::string_view text) {
  const auto digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t before = text.size();
  if (!digits() || (zero && before - text.size() > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!digits()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!digits()) return false;
  }
  return text.empty();
}

inline bool is_boolean(std::string_view text) {
  static const std::set<std::string_view> kAll = {"true",  "false", "TRUE",
                                                  "FALSE", "True",  "False"};
  return kAll.contains(text);
}

inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (c == '"' || c == '\\') out += '\\';
    out += control ? fmt::format("\\u{:04x}", static_cast<int>(c)) : std::string(1, c);
  }
  return out + "\"";
}

inline std::vector<Record> sampled(std::string_view text, const CsvOptions& options,
                                   std::size_t skipped, char delimiter) {
  const std::size_t size = static_cast<std::size_t>(options.sample_bytes) - skipped;
  auto records = records_of(text.substr(0, size), delimiter, text.size() > size);
  std::erase_if(records, [](const Record& record) { return record.blank(); });
  return records;
}

inline char delimiter_of(std::string_view text, const CsvOptions& options, std::size_t skipped) {
  if (options.delimiter != '\0') return options.delimiter;
  using Score = std::tuple<std::ptrdiff_t, std::size_t, int>;  // Records, fields, less is earlier.
  Score best{0, 0, 0};
  for (int i = 0; i < 4; ++i) {
    auto records = sampled(text, options, skipped, ",;\t|"[i]);
    if (records.size() > 64) records.resize(64);
    for (const Record& like : records) {
      const std::size_t fields = like.values.size();
      if (fields < 2) continue;
      const auto alike = std::ranges::count_if(
          records, [&](const Record& each) { return each.values.size() == fields; });
      best = std::max(best, Score{alike, fields, -i});
    }
  }
  return ",;\t|"[-std::get<2>(best)];
}

inline bool has_header(const std::vector<Record>& sample, const CsvOptions& options) {
  if (options.header) return *options.header && !sample.empty();
  if (sample.empty()) return false;
  std::set<std::string> names;
  for (const Value& value : sample[0].values) {
    if (value.text.empty() || is_number(value.text) || is_boolean(value.text)) return false;
    names.insert(value.text);
  }
  return names.size() == sample[0].values.size();
}

/// The JSON lines that CsvLines has to make of `text`; nullopt if it has to refuse it.
inline std::optional<std::string> lines_of(std::string_view text, const CsvOptions& options) {
  const std::size_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  text.remove_prefix(skipped);
  const char delimiter = delimiter_of(text, options, skipped);
  const auto sample = sampled(text, options, skipped, delimiter);
  const bool header = has_header(sample, options);

  std::vector<std::string> names;
  const auto name = [&](std::size_t i) {
    while (names.size() <= i) {
      const std::size_t number = names.size() + 1;
      std::string wanted = fmt::format("column{}", number);
      if (header && number <= sample[0].values.size() && !sample[0].values[number - 1].text.empty())
        wanted = sample[0].values[number - 1].text;
      std::string own = wanted;
      for (int k = 2; std::ranges::find(names, own) != names.end(); ++k) {
        own = fmt::format("{}_{}", wanted, k);
      }
      names.push_back(own);
    }
    return names[i];
  };
  const auto all_booleans = [&](std::size_t i) {
    bool any = false;
    for (std::size_t k = header ? 1 : 0; k < sample.size(); ++k) {
      if (sample[k].values.size() <= i || sample[k].values[i].text.empty()) continue;
      if (!is_boolean(sample[k].values[i].text)) return false;
      any = true;
    }
    return any;
  };

  std::string out;
  bool before_header = header;
  for (const Record& record : records_of(text, delimiter, false)) {
    if (record.values.size() > options.fields) return std::nullopt;
    if (!record.closed) {
      std::string raw = record.raw;
      std::ranges::replace(raw, '\n', ' ');
      const std::size_t first = raw.find_first_not_of(" \t\r");
      if (first != std::string::npos && (raw[first] == '{' || raw[first] == '[')) out += ',';
      out += raw;
    } else if (!record.blank() && !std::exchange(before_header, false)) {
      std::vector<std::string> members;
      for (std::size_t i = 0; i < record.values.size(); ++i) {
        const auto& [value, quoted] = record.values[i];
        if (value.empty() && !quoted) continue;
        std::string json = json_text(value);
        if (is_number(value)) json = value;
        if (is_boolean(value) && all_booleans(i))
          json = value[0] == 't' || value[0] == 'T' ? "true" : "false";
        members.push_back(json_text(name(i)) + ":" + json);
      }
      out += fmt::format("{{{}}}", fmt::join(members, ","));
    }
    out.append(
        static_cast<std::size_t>(std::max<std::ptrdiff_t>(1, std::ranges::count(record.raw, '\n'))),
        '\n');
  }
  return out;
}

/// The same by CsvLines, in pieces.
inline std::optional<std::string> lines_by(std::string_view text, const CsvOptions& options,
                                           const std::vector<std::size_t>& pieces) {
  CsvLines lines(options);
  std::string out;
  try {
    for (std::size_t i = 0; !text.empty(); ++i) {
      const std::string_view piece = text.substr(0, pieces[i % pieces.size()]);
      lines.push(piece);
      out += lines.take();
      text.remove_prefix(piece.size());
    }
    lines.finish();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    return std::nullopt;
  }
  return out + lines.take();
}

}  // namespace headrace::csv_model
