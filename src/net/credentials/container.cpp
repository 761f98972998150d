#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "core/error.h"
#include "net/credentials/service.h"

// Amazon ECS ("IAM roles for tasks") and EKS Pod Identity: a service beside the container, named by
// the environment.

namespace headrace {
namespace {

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Whoever answers may hand us any credentials, and is sent a token: only this machine, and the
/// addresses of ECS and EKS.
bool is_allowed(const std::string& host) {
  constexpr auto kAllowed = std::to_array<std::string_view>(
      {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"});
  if (std::ranges::find(kAllowed, host) != kAllowed.end()) return true;
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(host, no_address);
  return !no_address && address.is_loopback();
}

Url service_url(const Surroundings& surroundings) {
  if (const auto path = surroundings.env(kRelative)) {
    if (!path->starts_with('/')) {
      throw Error(ErrorKind::kInvalid, std::string(kRelative) + " must begin with '/'");
    }
    return parse_url(surroundings.config().containers + *path);
  }
  const Url url = parse_url(*surroundings.env(kFull));
  if (!is_allowed(url.host)) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: host {} is not allowed; it must be this machine (127.0.0.1, ::1, "
                            "localhost), 169.254.170.2, 169.254.170.23 or fd00:ec2::23",
                            kFull, url.host));
  }
  return url;
}

/// The token is read anew each time: Pod Identity replaces its file.
std::string authorization(const Surroundings& surroundings) {
  std::string token;
  if (const auto file = surroundings.env(kTokenFile)) {
    token = read_token_file(surroundings.path(*file), kTokenFile);
  } else {
    token = surroundings.env(kToken).value_or("");
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    throw Error(ErrorKind::kInvalid, "the container's authorization token has a line break in it");
  }
  return token;
}

/// The service's word for a refusal, if it has one.
std::string code_of(const HttpAnswer& answer) {
  try {
    return JsonAnswer(answer.body, {}).get("code");
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Task<std::optional<Credentials>> container_credentials(ServiceContext context) {
  const Surroundings& surroundings = context.surroundings;
  if (!surroundings.env(kRelative) && !surroundings.env(kFull)) co_return std::nullopt;
  HttpRequest request;
  request.url = service_url(surroundings);
  request.headers.set("Accept", "application/json");
  std::string token = authorization(surroundings);
  if (!token.empty()) request.headers.set("Authorization", std::move(token));
  const std::string what = "container credentials from " + request.url.text();

  const HttpAnswer answer = co_await ask(context, std::move(request), what);
  if (answer.status != 200) {
    throw refusal(what, answer.status, code_of(answer), "look at the task's or pod's role");
  }
  const JsonAnswer json(answer.body, what);
  Credentials found{.access_key = json.need("AccessKeyId"),
                    .secret_key = json.need("SecretAccessKey"),
                    .session_token = json.need("Token"),
                    .expires = json.time("Expiration"),
                    .origin = "container"};
  co_return found;
}

}  // namespace headrace
