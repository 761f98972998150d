#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace headrace {

struct CsvOptions {
  char delimiter = '\0';                    ///< 0: told from the first records: , ; tab or |.
  std::optional<bool> header;               ///< nullopt: told from the first record.
  std::uint64_t sample_bytes = 1u << 20;    ///< Looked at for both, and for booleans.
  std::uint64_t record_bytes = 128u << 20;  ///< A longer record is kInvalid: a quote is missing.
  std::size_t fields = 100'000;             ///< Of one record; more are kInvalid.
};

/// CSV as JSON lines, an object per record, so that what reads JSON lines reads CSV: each record
/// becomes one line, with empty lines where records span several or the header stood, so that line
/// numbers stay those of the CSV. The same for every cut into pieces. docs/formats/csv.md has the
/// rules.
///
///   CsvLines csv;
///   for each piece: { csv.push(piece); use(csv.take()); }
///   csv.finish();
///   use(csv.take());
///
/// A record that is no UTF-8, or ends within quotes, becomes a line that is no JSON: a fault for
/// who reads it. Errors: kInvalid when a limit is passed. One thread at a time.
class CsvLines {
 public:
  explicit CsvLines(CsvOptions options = {}) : options_(options) {}

  void push(BytesView piece);
  void finish();
  /// The JSON lines so far, given once.
  Bytes take();

 private:
  struct Field {
    std::string text;
    bool quoted = false;
  };
  struct Record {
    std::vector<Field> fields;
    std::size_t end = 0;        ///< Behind its line end, in buffer_.
    std::size_t line_ends = 0;  ///< Within it and at its end.
    bool closed = true;         ///< False: it ends within quotes.
    bool blank() const { return fields.size() == 1 && fields[0].text.empty() && !fields[0].quoted; }
  };
  struct Column {
    std::string key;  ///< As JSON, with the colon.
    bool boolean = false;
  };
  /// How far records are looked for in buffer_, and how they are cut.
  struct Cut {
    char delimiter = ',';
    std::size_t end = 0;
    bool at_end = false;  ///< Nothing follows `end`.
    std::size_t fields = SIZE_MAX;
  };

  bool next_record(std::size_t begin, const Cut& cut, Record& record) const;
  std::vector<Record> first_records(char delimiter, std::size_t most) const;
  void look_at_sample();
  char likely_delimiter() const;
  bool is_header(const std::vector<Record>& records) const;
  void name_columns(const std::vector<Record>& records, bool header);
  void add_column(const std::string& name);
  Column& column(std::size_t i);
  void convert(bool at_end);
  void append(const Record& record, std::size_t begin);
  void append_value(const Field& field, const Column& column);

  CsvOptions options_;
  Bytes buffer_;
  std::size_t begin_ = 0;     // Of the first record not yet converted.
  std::size_t retry_at_ = 0;  // Bytes from begin_ on, before which its end is not looked for again.
  bool started_ = false;      // The sample has been looked at.
  bool skip_header_ = false;
  bool finished_ = false;
  char delimiter_ = ',';
  std::vector<Column> columns_;
  std::set<std::string> names_;  // Of the columns.
  Bytes out_;
};

}  // namespace headrace
