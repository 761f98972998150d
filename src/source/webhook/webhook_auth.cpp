#include "source/webhook/webhook_auth.h"

#include <algorithm>
#include <cctype>

#include "core/base64.h"
#include "core/error.h"
#include "source/digest.h"

namespace headrace {
namespace {

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() > word.size() && text[word.size()] == ' ' &&
         std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

/// The value of a name in a query, decoded; empty if it is not there.
std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view field = query.substr(0, end);
    if (field.starts_with(name) && field.substr(name.size()).starts_with('=')) {
      return uri_decode(field.substr(name.size() + 1), true);
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return "";
}

bool has_token(const WebhookAuth& auth, const ServedRequest& request) {
  const std::string_view sent = request.headers.get("Authorization");
  if (starts_with_word(sent, "bearer")) {
    if (same_secret(sent.substr(7), auth.token)) return true;
  } else if (starts_with_word(sent, "basic")) {
    const std::string pair = from_base64(sent.substr(6)).value_or("");
    const std::size_t colon = pair.find(':');
    if (colon != std::string::npos &&
        same_secret(std::string_view(pair).substr(colon + 1), auth.token)) {
      return true;
    }
  } else if (!sent.empty() && same_secret(sent, auth.token)) {
    return true;
  }
  if (!auth.token_header.empty() &&
      same_secret(request.headers.get(auth.token_header), auth.token)) {
    return true;
  }
  return same_secret(query_value(request.query, "token"), auth.token);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

bool has_signature(const WebhookAuth& auth, const ServedRequest& request) {
  std::string_view sent = request.headers.get(auth.hmac_header);
  if (sent.starts_with("sha256=")) sent.remove_prefix(7);
  const std::string mac = hmac_sha256(auth.hmac_secret, request.body);
  std::string lower(sent);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return same_secret(lower, hex(mac)) || same_secret(sent, to_base64(mac));
}

/// "sns.eu-central-1.amazonaws.com", and China's with ".cn".
bool is_sns_host(std::string_view host) {
  if (host.ends_with(".cn")) host.remove_suffix(3);
  constexpr std::string_view kBefore = "sns.";
  constexpr std::string_view kAfter = ".amazonaws.com";
  if (!host.starts_with(kBefore) || !host.ends_with(kAfter)) return false;
  host.remove_prefix(kBefore.size());
  if (host.size() <= kAfter.size()) return false;
  host.remove_suffix(kAfter.size());
  return std::ranges::all_of(host, [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

}  // namespace

bool shows_token(const WebhookAuth& auth, const ServedRequest& request) {
  return auth.token.empty() || has_token(auth, request);
}

bool shows_signature(const WebhookAuth& auth, const ServedRequest& request) {
  return auth.hmac_secret.empty() || has_signature(auth, request);
}

bool is_sns_confirmation(std::string_view text, std::string_view trusted) {
  Url url;
  try {
    url = parse_url(text);
    if (query_value(url.query, "Action") != "ConfirmSubscription") return false;
    if (url.secure() && url.port == 443 && is_sns_host(url.host)) return true;
    if (trusted.empty()) return false;
    const Url ours = parse_url(trusted);
    return url.scheme == ours.scheme && url.host == ours.host && url.port == ours.port;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace headrace
