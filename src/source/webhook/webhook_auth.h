#pragma once

#include <string>

#include "net/http_server.h"

namespace headrace {

/// What a producer must show. Empty texts ask for nothing.
struct WebhookAuth {
  /// A shared token. Producers differ in what they can send, so it may come as
  /// `Authorization: Bearer TOKEN`, as the password of `Authorization: Basic`, alone in
  /// `Authorization` or in `token_header`, or as `?token=TOKEN`.
  std::string token;
  std::string token_header;
  /// HMAC-SHA256 of the body under this secret, in hex or base64, "sha256=" before it or not.
  std::string hmac_secret;
  std::string hmac_header = "X-Hub-Signature-256";

  bool open() const { return token.empty() && hmac_secret.empty(); }
};

/// Does the request show the token, if one is asked for? Its body may be yet to come. Both compare
/// in constant time.
bool shows_token(const WebhookAuth& auth, const ServedRequest& request);
/// Does it show the body's signature, if one is asked for?
bool shows_signature(const WebhookAuth& auth, const ServedRequest& request);

/// May this URL be fetched because an SNS message asks for it? Only ConfirmSubscription, by https
/// at SNS's own hosts, or at `trusted` ("http://127.0.0.1:4566") if that is not empty.
bool is_sns_confirmation(std::string_view url, std::string_view trusted);

}  // namespace headrace
