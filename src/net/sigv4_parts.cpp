#include "net/sigv4_parts.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

namespace headrace {
namespace {

/// What proxies add, change or drop on the way, and the signature itself.
constexpr auto kUnsigned = std::to_array<std::string_view>({
    "accept-encoding",
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
});

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Appends `value` without space at its ends, and with one blank for each run of it inside.
void append_trimmed(std::string& out, std::string_view value) {
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_space(value[i])) {
      out += value[i];
    } else if (!is_space(value[i - 1])) {
      out += ' ';
    }
  }
}

std::string normalised(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    at = end + 1;
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      segments.push_back(segment);
    } else if (!segments.empty()) {
      segments.pop_back();
    }
  }
  std::string result;
  for (const std::string_view segment : segments) (result += '/') += segment;
  if (result.empty() || path.ends_with('/')) result += '/';
  return result;
}

std::string recoded(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  return plain ? std::string(text) : uri_encode(uri_decode(text));
}

void put_digits(char* at, int count, unsigned value) {
  for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

CanonicalHeaders canonical_headers(const Headers& headers) {
  struct Line {
    std::string name;
    std::size_t number;
    std::string_view value;
  };
  std::vector<Line> lines;
  lines.reserve(headers.size());
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    std::string small(name.size(), ' ');
    std::ranges::transform(name, small.begin(), lower);
    if (std::ranges::find(kUnsigned, small) != kUnsigned.end()) continue;
    bytes += name.size() + value.size() + 2;
    lines.push_back({std::move(small), lines.size(), value});
  }
  // Fields of one name keep their order: their values are one value with commas.
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tie(a.name, a.number) < std::tie(b.name, b.number);
  });
  CanonicalHeaders result;
  result.lines.reserve(bytes);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool again = i > 0 && lines[i].name == lines[i - 1].name;
    if (again) {
      result.lines.back() = ',';
    } else {
      if (i > 0) result.names += ';';
      result.names += lines[i].name;
      (result.lines += lines[i].name) += ':';
    }
    append_trimmed(result.lines, lines[i].value);
    result.lines += '\n';
  }
  return result;
}

std::string canonical_path(std::string_view path, PathRule rule) {
  if (rule == PathRule::kAsItIs) return path.empty() ? "/" : std::string(path);
  return uri_encode(normalised(path), true);
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view part = query.substr(at, end - at);
    at = end + 1;
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::size_t value = std::min(equals + 1, part.size());
    parameters.emplace_back(recoded(part.substr(0, equals)), recoded(part.substr(value)));
  }
  std::ranges::sort(parameters);
  std::string result;
  result.reserve(query.size() + parameters.size());
  for (const auto& [name, value] : parameters) {
    if (!result.empty()) result += '&';
    ((result += name) += '=') += value;
  }
  return result;
}

std::string canonical_request(std::string_view method, std::string_view path,
                              std::string_view query, const CanonicalHeaders& headers,
                              std::string_view payload_hash) {
  std::string text;
  text.reserve(method.size() + path.size() + query.size() + headers.lines.size() +
               headers.names.size() + payload_hash.size() + 5);
  for (const std::string_view part :
       {method, path, query, std::string_view(headers.lines), std::string_view(headers.names)}) {
    (text += part) += '\n';
  }
  return text += payload_hash;
}

std::string string_to_sign(std::string_view timestamp, std::string_view scope,
                           std::string_view canonical_request) {
  const std::string digest = hex_of(sha256(canonical_request));
  std::string text;
  text.reserve(20 + timestamp.size() + scope.size() + digest.size());
  for (const std::string_view part : {std::string_view("AWS4-HMAC-SHA256"), timestamp, scope}) {
    (text += part) += '\n';
  }
  return text += digest;
}

MacKey signing_key(std::string_view secret, std::string_view date, const SigningScope& scope) {
  std::string start = "AWS4";
  start += secret;
  Sha256 key = MacKey(start).mac(date);
  OPENSSL_cleanse(start.data(), start.size());
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service)}) {
    key = MacKey(bytes_of(key)).mac(part);
  }
  key = MacKey(bytes_of(key)).mac("aws4_request");
  MacKey result(bytes_of(key));
  OPENSSL_cleanse(key.data(), key.size());
  return result;
}

std::string signing_timestamp(Time now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<unsigned>(
      std::chrono::floor<std::chrono::seconds>(now - day).count());  // Of the day.
  std::string text = "00000000T000000Z";
  put_digits(&text[0], 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put_digits(&text[4], 2, static_cast<unsigned>(date.month()));
  put_digits(&text[6], 2, static_cast<unsigned>(date.day()));
  put_digits(&text[9], 2, second / 3600);
  put_digits(&text[11], 2, second / 60 % 60);
  put_digits(&text[13], 2, second % 60);
  return text;
}

}  // namespace headrace
