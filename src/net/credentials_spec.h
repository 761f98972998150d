#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "net/credentials.h"
#include "stack/spec.h"

namespace headrace {

/// `credentials:` of whatever signs its requests: s3 stores, sqs sources.
///
///   credentials: { from: chain, profile: staging }
///   credentials: { from: keys, access_key: "${env:KEY}", secret_key: "${cred:secret}" }
///   credentials: { from: anonymous }
struct CredentialsStanza {
  enum class From : unsigned char { kChain, kKeys, kAnonymous };
  From from = From::kChain;
  std::string profile;  ///< kChain only.
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

inline const stack::Spec<CredentialsStanza>& credentials_spec() {
  using From = CredentialsStanza::From;
  static const auto spec =
      stack::Spec<CredentialsStanza>("credentials", "What requests are signed with")
          .field("from", &CredentialsStanza::from,
                 "chain: as every AWS tool finds them; keys: from here; anonymous: unsigned",
                 stack::one_of<From>({{"chain", From::kChain},
                                      {"keys", From::kKeys},
                                      {"anonymous", From::kAnonymous}}))
          .field("profile", &CredentialsStanza::profile, "Profile for the chain to take")
          .field("access_key", &CredentialsStanza::access_key, "With `from: keys`")
          .field("secret_key", &CredentialsStanza::secret_key, "With `from: keys`", stack::secret())
          .field("session_token", &CredentialsStanza::session_token,
                 "With `from: keys`, for temporary ones", stack::secret())
          .check([](const CredentialsStanza& stanza) -> std::string {
            const bool keys = !stanza.access_key.empty() || !stanza.secret_key.empty() ||
                              !stanza.session_token.empty();
            if (stanza.from == From::kKeys) {
              return stanza.access_key.empty() || stanza.secret_key.empty()
                         ? "`from: keys` needs access_key and secret_key"
                         : "";
            }
            if (keys) return "access_key, secret_key and session_token need `from: keys`";
            if (!stanza.profile.empty() && stanza.from != From::kChain) {
              return "profile needs `from: chain`";
            }
            return "";
          });
  return spec;
}

/// The provider of a stanza. `client` and `clock` outlive it.
inline std::unique_ptr<CredentialsProvider> make_credentials(const CredentialsStanza& stanza,
                                                             HttpClient& client, Clock& clock) {
  using From = CredentialsStanza::From;
  if (stanza.from == From::kAnonymous) return anonymous_credentials();
  if (stanza.from == From::kKeys) {
    return fixed_credentials({.access_key = stanza.access_key,
                              .secret_key = stanza.secret_key,
                              .session_token = stanza.session_token,
                              .expires = {},
                              .origin = "the stack file"});
  }
  ChainConfig config;
  config.profile = stanza.profile;
  return credentials_chain(client, clock, std::move(config));
}

}  // namespace headrace
