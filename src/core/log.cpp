#include "core/log.h"

#include <utility>

#include "core/json.h"

namespace headrace {

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  std::unreachable();
}

void Log::debug(std::string_view message, Fields fields) const {
  write(LogLevel::kDebug, message, fields);
}
void Log::info(std::string_view message, Fields fields) const {
  write(LogLevel::kInfo, message, fields);
}
void Log::warning(std::string_view message, Fields fields) const {
  write(LogLevel::kWarning, message, fields);
}
void Log::error(std::string_view message, Fields fields) const {
  write(LogLevel::kError, message, fields);
}

void Log::write(LogLevel level, std::string_view message, Fields fields) const {
  if (level < least_ || !sink_) return;
  sink_(level, message, std::span(fields.begin(), fields.size()));
}

const Log& silent_log() {
  static const Log log{nullptr};
  return log;
}

std::string log_line_text(std::string_view time, LogLevel level, std::string_view message,
                          std::span<const LogField> fields) {
  std::string line = fmt::format("{} {:<7} {}", time, to_string(level), message);
  for (const LogField& field : fields) {
    const bool plain = field.value.find_first_of(" \t\r\n\"=\x1b") == std::string::npos;
    line += fmt::format("  {}=", field.name);
    if (plain && !field.value.empty()) {
      line += field.value;
    } else {
      append_json_string(line, field.value);
    }
  }
  return line;
}

std::string log_line_json(std::string_view time, LogLevel level, std::string_view message,
                          std::span<const LogField> fields) {
  JsonWriter json;
  json.begin_object();
  json.key("time").string(time).key("level").string(to_string(level));
  json.key("message").string(message);
  for (const LogField& field : fields) json.key(field.name).string(field.value);
  json.end_object();
  return std::move(json).text();
}

}  // namespace headrace
