#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/task.h"
#include "net/http_client.h"

namespace headrace {

/// What requests are signed with. Never printed: a message may name `access_key` and `origin`.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token{};    ///< Empty for long-lived keys.
  std::optional<Time> expires{};  ///< Absent: never.
  std::string origin{};           ///< Where they came from: "environment", "profile dev", ...
};

/// Gives credentials that hold now. Fetched once and shared; fetched anew before they end.
///
/// Errors   kInvalid if there are none, saying what was looked at; kTransient if a service that
///          should give some cannot be reached and the last ones have ended.
/// Threads  One executor.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  /// nullopt: sign nothing (anonymous access).
  virtual Task<std::optional<Credentials>> get() = 0;
  /// The store refused them (ExpiredToken, InvalidAccessKeyId): the next get() fetches anew.
  virtual void refused(const Credentials& credentials) = 0;
};

std::unique_ptr<CredentialsProvider> anonymous_credentials();
std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials);

/// What the chain looks at. Defaults are the process's own; tests give others.
struct ChainConfig {
  std::function<std::optional<std::string>(const std::string&)> env{};  ///< Absent: our own.
  std::filesystem::path home{};                                         ///< Empty: HOME.
  std::string profile{};  ///< Empty: AWS_PROFILE, else "default".
  std::string imds = "http://169.254.169.254";
  std::string containers = "http://169.254.170.2";
  std::string sts{};  ///< Empty: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, the region's own.
  Duration refresh_before = std::chrono::minutes(15);  ///< Fetched anew this long before the end.
};

/// The AWS chain, in botocore's order: environment (skipped when `config.profile` names a profile),
/// profile with role_arn (source_profile, credential_source), web identity (environment, then
/// profile), SSO, credentials file, credential_process, config file, container (ECS, Pod Identity),
/// IMDSv2. The first that has something decides; a broken one is an error, not a skip. Files and
/// variables are read anew at each fetch.
///
/// get()s that come together share one fetch. Old credentials are given while they hold, if
/// fetching new ones fails. refused() drops them, unless they were fetched within 5 seconds: then
/// they are wrong, not old. `client` and `clock` outlive the provider, the provider its tasks.
std::unique_ptr<CredentialsProvider> credentials_chain(HttpClient& client, Clock& clock,
                                                       ChainConfig config);

/// AWS_REGION, AWS_DEFAULT_REGION or the profile's region; nullopt if nobody says. Throws kInvalid
/// for files that cannot be read.
std::optional<std::string> chain_region(const ChainConfig& config);

}  // namespace headrace
