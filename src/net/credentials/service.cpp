#include "net/credentials/service.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "core/error.h"
#include "core/timeout.h"

namespace headrace {
namespace {

constexpr std::uint64_t kAnswerBytes = 256 * 1024;

/// Codes are single words of letters and dots; anything else might be anything.
bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_';
  });
}

}  // namespace

Task<HttpAnswer> ask(ServiceContext context, HttpRequest request, std::string what,
                     Duration limit) {
  std::exception_ptr failed;
  try {
    co_return co_await with_timeout(context.clock, limit, "no answer",
                                    fetch(context.client, std::move(request), kAnswerBytes));
  } catch (const Error& error) {
    failed = std::make_exception_ptr(error.during(what));
  }
  std::rethrow_exception(failed);
}

Error refusal(std::string_view what, int status, std::string_view code, std::string_view hint) {
  const bool later = status == 408 || status == 429 || status >= 500;
  std::string text = fmt::format("{}: HTTP {}", what, status);
  if (is_code(code)) text += fmt::format(" {}", code);
  if (!hint.empty() && !later) text += fmt::format(": {}", hint);
  return Error(later ? ErrorKind::kTransient : ErrorKind::kInvalid, text);
}

JsonAnswer::JsonAnswer(std::string_view text, std::string what, const char* inner)
    : what_(std::move(what)) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(text);
  bool good = parser.parse(padded).get(root) == simdjson::SUCCESS;
  if (good && inner) good = root[inner].get(root) == simdjson::SUCCESS;
  simdjson::dom::object object;
  if (!good || root.get(object) != simdjson::SUCCESS) {
    throw Error(ErrorKind::kTransient, what_ + ": the answer is not the JSON object it should be");
  }
  for (const auto& [key, value] : object) {
    std::string_view string;
    std::int64_t number = 0;
    if (value.get(string) == simdjson::SUCCESS) {
      fields_[std::string(key)] = string;
    } else if (value.get(number) == simdjson::SUCCESS) {
      fields_[std::string(key)] = std::to_string(number);
    }
  }
}

std::string JsonAnswer::get(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::string() : found->second;
}

std::string JsonAnswer::need(std::string_view name) const {
  std::string value = get(name);
  if (value.empty()) {
    throw Error(ErrorKind::kTransient, fmt::format("{}: the answer has no {}", what_, name));
  }
  return value;
}

std::optional<Time> JsonAnswer::time(std::string_view name) const {
  const std::string text = get(name);
  if (text.empty()) return std::nullopt;
  const auto time = parse_time(text);
  if (!time) {
    throw Error(ErrorKind::kTransient, fmt::format("{}: {} is not a time", what_, name));
  }
  return time;
}

}  // namespace headrace
