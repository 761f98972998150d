#pragma once

#include <fmt/format.h>

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError };
std::string_view to_string(LogLevel level);

/// One notable thing: a constant sentence and what varies as named fields. Values are text; a
/// secret is never put in.
struct LogField {
  std::string_view name;
  std::string value;

  LogField(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(v) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view n, Number v) : name(n), value(fmt::format("{}", v)) {}
};

/// Where log lines go. Handed to whoever has something to say; the program's own writes to stderr
/// (app/), a test's collects them. Any thread may call.
class Log {
 public:
  using Fields = std::initializer_list<LogField>;
  using Sink = std::function<void(LogLevel, std::string_view message, std::span<const LogField>)>;

  /// `sink` must be safe to call from any thread. Lines below `least` are dropped.
  explicit Log(Sink sink, LogLevel least = LogLevel::kInfo)
      : sink_(std::move(sink)), least_(least) {}

  void debug(std::string_view message, Fields fields = {}) const;
  void info(std::string_view message, Fields fields = {}) const;
  void warning(std::string_view message, Fields fields = {}) const;
  void error(std::string_view message, Fields fields = {}) const;

 private:
  void write(LogLevel level, std::string_view message, Fields fields) const;

  Sink sink_;
  LogLevel least_;
};

/// A Log that says nothing.
const Log& silent_log();

/// "2026-01-31T09:08:07.123Z info  table committed  table=people version=3": for people.
std::string log_line_text(std::string_view time, LogLevel level, std::string_view message,
                          std::span<const LogField> fields);
/// The same as one JSON object without a line end: for programs.
std::string log_line_json(std::string_view time, LogLevel level, std::string_view message,
                          std::span<const LogField> fields);

}  // namespace headrace
