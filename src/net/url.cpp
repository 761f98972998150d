#include <fmt/format.h>

#include <charconv>

#include "core/error.h"
#include "net/http.h"

namespace headrace {
namespace {

constexpr std::size_t kLongestMessagePart = 200;

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  // What stands before '@' may be a password, what stands after '?' a signature.
  std::string_view shown = text.substr(0, text.find('?'));
  if (shown.find('@') != std::string_view::npos) shown = shown.substr(0, shown.find("://"));
  throw Error(ErrorKind::kInvalid,
              fmt::format("URL '{}': {}", shown.substr(0, kLongestMessagePart), why));
}

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// The value of a hexadecimal digit, or -1.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Takes "host", "host:port" or "[address]:port" apart.
void read_authority(std::string_view text, std::string_view authority, Url& url) {
  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) refuse(text, "'[' without ']'");
    host = authority.substr(1, end - 1);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      refuse(text, "what is in brackets must be an IPv6 address");
    }
    port = authority.substr(end + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    port = authority.substr(host.size());
    if (!std::ranges::all_of(host, unreserved)) {
      refuse(text, "a host has only letters, digits, '-', '.' and '_'");
    }
  }
  if (host.empty()) refuse(text, "a host is missing");
  url.host = lower(host);
  if (port.empty() || port == ":") return;
  port.remove_prefix(1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (failed != std::errc{} || end != port.data() + port.size() || url.port == 0) {
    refuse(text, "the port must be a number from 1 to 65535");
  }
}

}  // namespace

std::string Url::authority() const {
  const bool address = host.find(':') != std::string::npos;
  const bool usual = port == (secure() ? 443 : 80);
  std::string out = address ? "[" + host + "]" : host;
  if (!usual) out += fmt::format(":{}", port);
  return out;
}

std::string Url::target() const { return query.empty() ? path : path + "?" + query; }

std::string Url::text() const { return scheme + "://" + authority() + path; }

Url parse_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) refuse(text, "must begin with http:// or https://");
  Url url;
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    refuse(text, "must begin with http:// or https://");
  }
  url.port = url.secure() ? 443 : 80;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
      refuse(text, "spaces and control characters must be percent-encoded");
    }
  }
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));  // A fragment never goes on the wire.
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) {
    refuse(text, "user information is not taken; credentials have settings of their own");
  }
  read_authority(text, authority, url);
  const std::size_t mark = rest.find('?');
  if (mark != 0 && !rest.empty()) url.path = rest.substr(0, mark);
  if (mark != std::string_view::npos) url.query = rest.substr(mark + 1);
  return url;
}

std::string uri_encode(std::string_view text, bool keep_slash) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    if (unreserved(c) || (c == '/' && keep_slash)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  return out;
}

std::string uri_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace headrace
