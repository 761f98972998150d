#include "format/csv/csv_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "format/jsonl/cursor.h"
#include "format/jsonl/lines.h"

namespace headrace {
namespace {

constexpr std::size_t kRecordsForDelimiter = 64;
constexpr std::array kDelimiters = {',', ';', '\t', '|'};

bool is_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSpellings = {"true",  "false", "TRUE",
                                                          "FALSE", "True",  "False"};
  return std::ranges::find(kSpellings, text) != kSpellings.end();
}

/// As a JSON string; bytes that are no UTF-8 stay, so that the line is none either.
void append_text(Bytes& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

[[noreturn]] void refuse_fields(std::size_t most, char delimiter) {
  throw Error(ErrorKind::kInvalid,
              fmt::format("a record of the CSV has more than {} fields, the limit: is '{}' what "
                          "parts its fields?",
                          most, delimiter == '\t' ? "\\t" : std::string(1, delimiter)));
}

/// Could it be a whole document, or begin one?
bool may_be_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

void CsvLines::push(BytesView piece) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_ += piece;
  if (!started_) {
    if (buffer_.size() <= options_.sample_bytes) return;
    look_at_sample();
  }
  convert(false);
}

void CsvLines::finish() {
  finished_ = true;
  if (!started_) look_at_sample();
  convert(true);
}

Bytes CsvLines::take() { return std::exchange(out_, {}); }

/// Reads the record at `begin`; false if its end has not come yet.
bool CsvLines::next_record(std::size_t begin, const Cut& cut, Record& record) const {
  record.fields.clear();
  record.fields.emplace_back();
  record.line_ends = 0;
  record.closed = true;
  bool quoted = false;        // Within quotes.
  std::size_t in_quotes = 0;  // Bytes of the field's text that stood in quotes.
  const auto end_field = [&] {
    std::string& text = record.fields.back().text;
    if (text.size() > in_quotes && text.ends_with('\r')) text.pop_back();
  };
  for (std::size_t at = begin; at < cut.end; ++at) {
    const char c = buffer_[at];
    Field& field = record.fields.back();
    if (quoted) {
      if (c == '"' && at + 1 == cut.end && !cut.at_end) return false;  // Another may follow.
      if (c == '"' && at + 1 < cut.end && buffer_[at + 1] == '"') {
        field.text += buffer_[at++];
      } else if (c == '"') {
        quoted = false;
        in_quotes = field.text.size();
      } else {
        record.line_ends += c == '\n';
        field.text += c;
      }
    } else if (c == '"' && field.text.empty() && !field.quoted) {
      quoted = field.quoted = true;
    } else if (c == cut.delimiter) {
      if (record.fields.size() == cut.fields) refuse_fields(cut.fields, cut.delimiter);
      record.fields.emplace_back();
      in_quotes = 0;
    } else if (c == '\n') {
      end_field();
      ++record.line_ends;
      record.end = at + 1;
      return true;
    } else {
      field.text += c;
    }
  }
  if (!cut.at_end || begin == cut.end) return false;
  if (!quoted) end_field();
  record.closed = !quoted;
  record.end = cut.end;
  return true;
}

/// Of the sample: the first bytes, however they came.
std::vector<CsvLines::Record> CsvLines::first_records(char delimiter, std::size_t most) const {
  const bool all = buffer_.size() <= options_.sample_bytes;
  const Cut cut{.delimiter = delimiter,
                .end = all ? buffer_.size() : static_cast<std::size_t>(options_.sample_bytes),
                .at_end = all && finished_};
  std::vector<Record> records;
  Record record;
  for (std::size_t at = begin_; records.size() < most; at = record.end) {
    if (!next_record(at, cut, record)) break;
    if (!record.blank()) records.push_back(record);
  }
  return records;
}

/// The delimiter that cuts most of the first records into the same number of fields; the more
/// fields, if two do.
char CsvLines::likely_delimiter() const {
  char best = ',';
  std::pair<std::size_t, std::size_t> best_score{0, 0};
  for (const char delimiter : kDelimiters) {
    const auto records = first_records(delimiter, kRecordsForDelimiter);
    std::map<std::size_t, std::size_t> counts;
    for (const Record& record : records) ++counts[record.fields.size()];
    for (const auto& [fields, count] : counts) {
      const std::pair score{count, fields};
      if (fields < 2 || score <= best_score) continue;
      best_score = score;
      best = delimiter;
    }
  }
  return best;
}

/// Names: all there, all different, no number among them.
bool CsvLines::is_header(const std::vector<Record>& records) const {
  if (records.empty()) return false;
  if (options_.header) return *options_.header;
  std::set<std::string_view> names;
  for (const Field& field : records[0].fields) {
    const std::string_view text = field.text;
    if (text.empty() || jsonl::is_number(text) || is_boolean(text)) return false;
    if (!names.insert(text).second) return false;
  }
  return true;
}

/// By this name, or by one like it if another column has it.
void CsvLines::add_column(const std::string& name) {
  std::string own = name;
  for (int i = 2; !names_.insert(own).second; ++i) own = fmt::format("{}_{}", name, i);
  Column& added = columns_.emplace_back();
  append_text(added.key, own);
  added.key += ':';
}

CsvLines::Column& CsvLines::column(std::size_t i) {
  while (columns_.size() <= i) add_column(fmt::format("column{}", columns_.size() + 1));
  return columns_[i];
}

void CsvLines::name_columns(const std::vector<Record>& records, bool header) {
  if (header && !records.empty()) {
    for (const Field& field : records[0].fields) {
      add_column(field.text.empty() ? fmt::format("column{}", columns_.size() + 1) : field.text);
    }
  }
  // Booleans in all of the sample, and in some of it.
  std::vector<int> seen;
  for (std::size_t i = header ? 1 : 0; i < records.size(); ++i) {
    const auto& fields = records[i].fields;
    if (seen.size() < fields.size()) seen.resize(fields.size());
    for (std::size_t k = 0; k < fields.size(); ++k) {
      if (!fields[k].text.empty()) seen[k] |= is_boolean(fields[k].text) ? 1 : 2;
    }
  }
  for (std::size_t k = 0; k < seen.size(); ++k) column(k).boolean = seen[k] == 1;
}

void CsvLines::look_at_sample() {
  started_ = true;
  if (BytesView(buffer_).starts_with(jsonl::kByteOrderMark)) {
    begin_ = jsonl::kByteOrderMark.size();
  }
  delimiter_ = options_.delimiter != '\0' ? options_.delimiter : likely_delimiter();
  const auto records = first_records(delimiter_, SIZE_MAX);
  skip_header_ = is_header(records);
  name_columns(records, skip_header_);
}

void CsvLines::convert(bool at_end) {
  const std::size_t waiting = buffer_.size() - begin_;
  if (!at_end && waiting < retry_at_ && waiting <= options_.record_bytes) return;
  const Cut cut{
      .delimiter = delimiter_, .end = buffer_.size(), .at_end = at_end, .fields = options_.fields};
  Record record;
  while (next_record(begin_, cut, record)) {
    append(record, begin_);
    begin_ = record.end;
  }
  const std::size_t left = buffer_.size() - begin_;
  if (left > options_.record_bytes) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("a record of the CSV is longer than the limit of {} bytes: is a quote "
                            "missing?",
                            options_.record_bytes));
  }
  // A long record is read from its beginning each time: not for every piece that comes.
  retry_at_ = left + left / 2;
}

void CsvLines::append(const Record& record, std::size_t begin) {
  if (!record.closed) {
    std::string raw = buffer_.substr(begin, record.end - begin);
    std::ranges::replace(raw, '\n', ' ');
    if (may_be_json(raw)) out_ += ',';  // What ends within quotes is no row, even if it is JSON.
    out_ += raw;
  } else if (skip_header_ && !record.blank()) {
    skip_header_ = false;
  } else if (!record.blank()) {
    out_ += '{';
    const std::size_t start = out_.size();
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      const Field& field = record.fields[i];
      if (field.text.empty() && !field.quoted) continue;
      if (out_.size() > start) out_ += ',';
      const Column& here = column(i);
      out_ += here.key;
      append_value(field, here);
    }
    out_ += '}';
  }
  out_.append(std::max<std::size_t>(1, record.line_ends), '\n');
}

void CsvLines::append_value(const Field& field, const Column& column) {
  if (jsonl::is_number(field.text)) {
    out_ += field.text;
  } else if (column.boolean && is_boolean(field.text)) {
    out_ += (field.text[0] == 't' || field.text[0] == 'T') ? "true" : "false";
  } else {
    append_text(out_, field.text);
  }
}

}  // namespace headrace
