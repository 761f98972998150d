#include "net/wire.h"

#include <array>
#include <charconv>

namespace headrace {
namespace {

constexpr std::size_t kFields = 256;
constexpr std::size_t kChunkOverhead = 8 * 1024;
constexpr std::size_t kSizeDigits = 15;  // 2^60 - 1: no sum of sizes can overflow.

/// tchar of RFC 9110 5.6.2.
constexpr auto kTokenChars = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<unsigned>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned>(c)] = true;
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return kTokenChars[static_cast<unsigned char>(c)];
  });
}

bool is_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same(std::string_view text, std::string_view lower) {
  return std::ranges::equal(
      text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 32 : a) == b; });
}

/// Whether a comma-separated list has `wanted` (in lower case).
bool lists(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    if (same(trim(item), wanted)) return true;
    list.remove_prefix(std::min(item.size() + 1, list.size()));
  }
  return false;
}

/// What the fields say about the message as a whole.
struct Meaning {
  std::optional<std::uint64_t> length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool expects_continue = false;
  bool host = false;
};

std::string read_length(std::string_view value, Meaning& meaning) {
  std::uint64_t length = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), length);
  // The sign bit stays free, so that sums and differences of lengths cannot overflow.
  if (failed != std::errc{} || end != value.data() + value.size() || length >> 62 != 0) {
    return "a Content-Length that is no number";
  }
  if (meaning.length && *meaning.length != length) return "two different Content-Lengths";
  meaning.length = length;
  return "";
}

/// Looks at the few fields that matter here. Returns what is wrong, or nothing.
std::string understand(std::string_view name, std::string_view value, Meaning& meaning) {
  switch (name.size()) {
    case 4:
      meaning.host = meaning.host || same(name, "host");
      break;
    case 6:
      if (same(name, "expect")) meaning.expects_continue = same(value, "100-continue");
      break;
    case 10:
      if (same(name, "connection")) {
        meaning.close = meaning.close || lists(value, "close");
        meaning.keep_alive = meaning.keep_alive || lists(value, "keep-alive");
      }
      break;
    case 14:
      if (same(name, "content-length")) return read_length(value, meaning);
      break;
    case 17:
      if (same(name, "transfer-encoding")) {
        if (!same(value, "chunked") || meaning.chunked) return "an unknown Transfer-Encoding";
        meaning.chunked = true;
      }
      break;
    default:
      break;
  }
  return "";
}

/// The first line off `head`, without its line end; `head` keeps what follows.
std::string_view take_line(std::string_view& head) {
  const std::size_t end = head.find("\r\n");
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
  return line;
}

/// The fields up to the empty line. Returns what is wrong, or nothing.
std::string read_fields(std::string_view head, Headers& headers, Meaning& meaning) {
  for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
    if (headers.size() == kFields) return "more than 256 header fields";
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return "a header line that is no 'name: value'";
    }
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_value(value)) return "a control character in a header field";
    std::string problem = understand(line.substr(0, colon), value, meaning);
    if (!problem.empty()) return problem;
    headers.add(line.substr(0, colon), std::string(value));
  }
  if (meaning.chunked && meaning.length) return "both a Content-Length and chunks";
  return "";
}

bool keeps_alive(char minor, const Meaning& meaning) {
  return minor == '1' ? !meaning.close : meaning.keep_alive && !meaning.close;
}

/// "HTTP/1.1" or "HTTP/1.0": the last digit; 0 for anything else.
char minor_version(std::string_view version) {
  return version == "HTTP/1.1" || version == "HTTP/1.0" ? version.back() : '\0';
}

}  // namespace

std::size_t head_size(std::string_view bytes, std::size_t seen) {
  const std::size_t end = bytes.find("\r\n\r\n", seen < 3 ? 0 : seen - 3);
  return end == std::string_view::npos ? 0 : end + 4;
}

std::expected<AnswerHead, std::string> parse_answer_head(std::string_view head, bool to_head) {
  const std::string_view line = take_line(head);
  const char minor = minor_version(line.substr(0, 8));
  AnswerHead answer;
  if (minor == 0 || line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
    return std::unexpected("an answer that is no HTTP/1.1");
  }
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return std::unexpected("a status that is no number");
    answer.status = answer.status * 10 + (c - '0');
  }
  if (answer.status < 100) return std::unexpected("a status below 100");
  Meaning meaning;
  std::string problem = read_fields(head, answer.headers, meaning);
  if (!problem.empty()) return std::unexpected(std::move(problem));
  answer.keep_alive = keeps_alive(minor, meaning);
  if (to_head || answer.status < 200 || answer.status == 204 || answer.status == 304) {
    answer.framing = Framing::kNone;
  } else if (meaning.chunked) {
    answer.framing = Framing::kChunked;
  } else if (meaning.length) {
    answer.framing = *meaning.length == 0 ? Framing::kNone : Framing::kLength;
    answer.length = *meaning.length;
  } else {
    answer.framing = Framing::kUntilClose;
    answer.keep_alive = false;
  }
  return answer;
}

std::expected<RequestHead, std::string> parse_request_head(std::string_view head) {
  const std::string_view line = take_line(head);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  const char minor = last == std::string_view::npos ? '\0' : minor_version(line.substr(last + 1));
  if (minor == 0 || first == last || !is_token(line.substr(0, first))) {
    return std::unexpected("a request line that is not 'METHOD target HTTP/1.1'");
  }
  RequestHead request;
  request.method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(std::min(target.find('/', target.find("://") + 3), target.size()));
  }
  request.target = target.empty() ? "/" : target;
  for (const char c : request.target) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
      return std::unexpected("a space or control character in the request's target");
    }
  }
  Meaning meaning;
  std::string problem = read_fields(head, request.headers, meaning);
  if (!problem.empty()) return std::unexpected(std::move(problem));
  if (minor == '1' && !meaning.host) return std::unexpected("a request without a Host");
  request.keep_alive = keeps_alive(minor, meaning);
  request.expects_continue = meaning.expects_continue;
  if (meaning.chunked) {
    request.framing = Framing::kChunked;
  } else if (meaning.length.value_or(0) != 0) {
    request.framing = Framing::kLength;
    request.length = *meaning.length;
  }
  return request;
}

bool is_sendable(const Headers::Field& field) {
  return is_token(field.name) && is_value(field.value);
}

std::size_t ChunkReader::feed(std::string_view in, Bytes& out) {
  std::size_t taken = 0;
  while (taken < in.size() && state_ == State::kMore) {
    if (at_ == At::kData) {
      taken += take_data(in.substr(taken), out);
    } else {
      take_byte(in[taken++]);
    }
  }
  return taken;
}

std::size_t ChunkReader::take_data(std::string_view in, Bytes& out) {
  const std::size_t size = std::min<std::uint64_t>(left_, in.size());
  out.append(in.substr(0, size));
  left_ -= size;
  if (left_ == 0) at_ = At::kDataEnd;
  return size;
}

void ChunkReader::take_byte(char c) {
  if (at_ == At::kExtension || at_ == At::kTrailer) {
    if (++overhead_ > kChunkOverhead) state_ = State::kBroken;
  }
  if (return_) {  // Only a line feed may follow a carriage return.
    return_ = false;
    if (c != '\n') {
      state_ = State::kBroken;
    } else if (at_ == At::kDataEnd) {
      at_ = At::kSize;
      digits_ = 0;
    } else if (at_ == At::kTrailer) {
      if (column_ == 0) state_ = State::kDone;
      column_ = 0;
    } else {
      at_ = left_ == 0 ? At::kTrailer : At::kData;
    }
    return;
  }
  if (c == '\n') {
    state_ = State::kBroken;
  } else if (at_ == At::kSize) {
    take_size_digit(c);
  } else if (c == '\r') {
    return_ = true;
  } else if (at_ == At::kTrailer) {
    ++column_;
  } else if (at_ == At::kDataEnd) {
    state_ = State::kBroken;
  }
}

void ChunkReader::take_size_digit(char c) {
  const char small = c >= 'A' && c <= 'F' ? static_cast<char>(c | 32) : c;
  int digit = -1;
  if (c >= '0' && c <= '9') digit = c - '0';
  if (small >= 'a' && small <= 'f') digit = small - 'a' + 10;
  if (digit >= 0 && digits_ < kSizeDigits) {
    left_ = (digits_ == 0 ? 0 : left_ * 16) + static_cast<std::uint64_t>(digit);
    ++digits_;
  } else if (digits_ != 0 && (c == ';' || c == ' ' || c == '\t')) {
    at_ = At::kExtension;
  } else if (digits_ != 0 && c == '\r') {
    return_ = true;
  } else {
    state_ = State::kBroken;
  }
}

}  // namespace headrace
