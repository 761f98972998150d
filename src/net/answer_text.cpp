#include "net/answer_text.h"

#include <fmt/format.h>

#include <array>

#include "core/error.h"
#include "core/json.h"
#include "net/wire.h"

namespace headrace {
namespace {

using namespace std::chrono;

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";  // RFC 9112 4: no meaning, and read by nobody.
  }
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return 400;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kCorrupt:
      return 422;
    case ErrorKind::kTransient:
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kBug:
      return 500;
  }
  return 500;
}

/// Fields that follow from the connection and the body, so a handler's own are left out.
bool is_ours(const Headers::Field& field) {
  return Headers({field}).find("Content-Length") || Headers({field}).find("Connection") ||
         Headers({field}).find("Date") || Headers({field}).find("Transfer-Encoding");
}

}  // namespace

std::string answer_head(const ServedAnswer& answer, bool keep_alive, std::string_view date) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nDate: {}\r\n", answer.status,
                 reason(answer.status), date);
  if (answer.status != 204 && answer.status != 304) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", answer.body.size());
  }
  if (!keep_alive) head += "Connection: close\r\n";
  for (const Headers::Field& field : answer.headers) {
    if (is_ours(field)) continue;
    if (!is_sendable(field)) {
      throw Error(ErrorKind::kBug, "an answer has a header field that cannot be sent");
    }
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return head.append("\r\n");
}

ServedAnswer refusal(int status, std::string_view kind, const std::string& message) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.key("kind").string(std::string(kind)).key("message").string(message);
  json.end_object().end_object();
  return {status, {{"Content-Type", "application/json"}}, std::move(json).text()};
}

ServedAnswer answer_of(const Error& error) {
  ServedAnswer answer =
      refusal(status_of(error.kind()), to_string(error.kind()), std::string(error.what()));
  if (error.retry_after().count() > 0) {
    const auto seconds = ceil<std::chrono::seconds>(error.retry_after()).count();
    answer.headers.set("Retry-After", std::to_string(seconds));
  }
  return answer;
}

std::string http_date(Time time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

}  // namespace headrace
