#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>

#include "core/error.h"
#include "net/credentials/profiles.h"
#include "net/credentials/service.h"

// AWS IAM Identity Center: `aws sso login` leaves a token in the cache folder, which buys a role's
// credentials at the portal. The token is neither fetched nor renewed here.

namespace headrace {
namespace {

/// What a profile says, with what its sso_session says for it.
struct SsoProfile {
  std::string name;
  std::string session;  ///< Empty in the older form, which has all in the profile.
  std::string start_url;
  std::string region;
  std::string account;
  std::string role;
};

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, 20> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    throw Error(ErrorKind::kBug, "OpenSSL cannot compute SHA-1");
  }
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

SsoProfile read_profile(const IniSection& section, const IniSections& sessions,
                        const std::string& name) {
  SsoProfile profile;
  profile.name = name;
  profile.session = setting(section, "sso_session").value_or("");
  IniSection all = section;
  if (!profile.session.empty()) {
    const auto session = sessions.find(profile.session);
    if (session == sessions.end()) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {}: there is no section [sso-session {}] in the config file",
                              name, profile.session));
    }
    all.insert(session->second.begin(), session->second.end());
  }
  const auto need = [&](const char* key) {
    auto value = setting(all, key);
    if (value) return *value;
    throw Error(ErrorKind::kInvalid, fmt::format("profile {}: SSO needs {}", name, key));
  };
  profile.start_url = need("sso_start_url");
  profile.region = need("sso_region");
  profile.account = need("sso_account_id");
  profile.role = need("sso_role_name");
  return profile;
}

Error log_in(const SsoProfile& profile, std::string_view why) {
  return Error(ErrorKind::kInvalid, fmt::format("profile {}: {}: run `aws sso login --profile {}`",
                                                profile.name, why, profile.name));
}

/// The cached token; the tools name its file after the session, or after the start URL.
std::string cached_token(const ServiceContext& context, const SsoProfile& profile) {
  const std::string key = profile.session.empty() ? profile.start_url : profile.session;
  const auto file =
      context.surroundings.config().home / ".aws/sso/cache" / (sha1_hex(key) + ".json");
  const auto text = read_small_file(file);
  if (!text) throw log_in(profile, "there is no SSO session");
  const JsonAnswer json(*text, file.string());
  std::string token = json.get("accessToken");
  std::string ends = json.get("expiresAt");
  // Old versions of the tools wrote "2020-01-31T09:08:07UTC".
  if (ends.ends_with("UTC")) ends.replace(ends.size() - 3, 3, "Z");
  const auto time = parse_time(ends);
  if (token.empty() || !time) throw log_in(profile, "the SSO session's file is damaged");
  if (*time <= context.clock.now()) {
    throw log_in(profile, "the SSO session ended at " + format_time(*time));
  }
  return token;
}

std::string portal_url(const Surroundings& surroundings, const std::string& region) {
  if (auto endpoint = surroundings.env("AWS_ENDPOINT_URL_SSO")) {
    while (endpoint->ends_with('/')) endpoint->pop_back();
    return *endpoint;
  }
  return fmt::format("https://portal.sso.{}.{}", region,
                     region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com");
}

}  // namespace

Task<std::optional<Credentials>> sso_credentials(ServiceContext context, IniSection section,
                                                 IniSections sessions, std::string name) {
  if (!section.contains("sso_account_id") && !section.contains("sso_role_name")) {
    co_return std::nullopt;
  }
  const SsoProfile profile = read_profile(section, sessions, name);
  HttpRequest request;
  request.url = parse_url(fmt::format("{}/federation/credentials?role_name={}&account_id={}",
                                      portal_url(context.surroundings, profile.region),
                                      uri_encode(profile.role), uri_encode(profile.account)));
  request.headers.set("x-amz-sso_bearer_token", cached_token(context, profile));
  const std::string what = "SSO credentials of profile " + name;
  const HttpAnswer answer = co_await ask(context, std::move(request), what);
  if (answer.status == 401) throw log_in(profile, "the portal no longer accepts the SSO session");
  if (answer.status != 200) {
    throw refusal(
        what, answer.status, {},
        fmt::format("may this user have role {} in account {}?", profile.role, profile.account));
  }
  const JsonAnswer json(answer.body, what, "roleCredentials");
  const std::string millis = json.need("expiration");
  std::int64_t ends = 0;
  std::from_chars(millis.data(), millis.data() + millis.size(), ends);
  co_return Credentials{
      .access_key = json.need("accessKeyId"),
      .secret_key = json.need("secretAccessKey"),
      .session_token = json.need("sessionToken"),
      .expires = Time(std::chrono::milliseconds(ends)),
      .origin = fmt::format("SSO, role {} in account {}", profile.role, profile.account)};
}

}  // namespace headrace
