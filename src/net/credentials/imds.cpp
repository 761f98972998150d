#include <fmt/format.h>

#include "core/error.h"
#include "net/credentials/service.h"

// The instance metadata service of EC2, version 2: a token by PUT, then the role's name, then its
// credentials. Version 1, without a token, is not spoken.

namespace headrace {
namespace {

constexpr Duration kLimit = std::chrono::seconds(2);
constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";

std::string base_url(const Surroundings& surroundings) {
  std::string base;
  if (const auto endpoint = surroundings.env("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    base = *endpoint;
  } else if (surroundings.env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("") == "ipv6") {
    base = "http://[fd00:ec2::254]";
  } else {
    base = surroundings.config().imds;
  }
  while (base.ends_with('/')) base.pop_back();
  return base;
}

bool is_disabled(const Surroundings& surroundings) {
  std::string value = surroundings.env("AWS_EC2_METADATA_DISABLED").value_or("");
  std::ranges::transform(value, value.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return value == "true";
}

HttpRequest get(const std::string& url, const std::string& token) {
  HttpRequest request;
  request.url = parse_url(url);
  request.headers.set("X-aws-ec2-metadata-token", token);
  return request;
}

/// The session's token; nothing, and `why_not`, where there is no such service.
Task<std::optional<std::string>> session(ServiceContext context, std::string base,
                                         std::string& why_not) {
  HttpRequest request;
  request.method = "PUT";
  request.url = parse_url(base + "/latest/api/token");
  request.headers.set("X-aws-ec2-metadata-token-ttl-seconds", "21600");
  HttpAnswer answer;
  try {
    answer = co_await ask(context, std::move(request), "IMDS", kLimit);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw;
    why_not = error.what();
    co_return std::nullopt;
  }
  if (answer.status == 200 && !answer.body.empty()) co_return std::move(answer.body);
  if (answer.status >= 500) throw refusal("IMDS token", answer.status, {}, {});
  why_not = fmt::format("gives no token (HTTP {}); in a container it needs a hop limit of 2",
                        answer.status);
  co_return std::nullopt;
}

}  // namespace

Task<MachineAnswer> machine_credentials(ServiceContext context) {
  MachineAnswer result;
  if (is_disabled(context.surroundings)) {
    result.why_not = "turned off by AWS_EC2_METADATA_DISABLED";
    co_return result;
  }
  const std::string base = base_url(context.surroundings);
  const auto token = co_await session(context, base, result.why_not);
  if (!token) co_return result;

  const std::string list_url = base + kRolePath;
  const HttpAnswer list = co_await ask(context, get(list_url, *token), "IMDS role", kLimit);
  if (list.status == 404) {
    result.why_not = "this machine has no role";
    co_return result;
  }
  if (list.status != 200) throw refusal("IMDS role", list.status, {}, {});
  const std::string role = list.body.substr(0, list.body.find_first_of("\r\n"));

  const std::string url = base + kRolePath + uri_encode(role);
  const HttpAnswer answer = co_await ask(context, get(url, *token), "IMDS credentials", kLimit);
  if (answer.status != 200) throw refusal("IMDS credentials", answer.status, {}, {});
  const JsonAnswer json(answer.body, "IMDS credentials");
  if (const std::string code = json.get("Code"); !code.empty() && code != "Success") {
    throw refusal("IMDS credentials", answer.status, code, "look at the machine's role");
  }
  result.credentials = Credentials{.access_key = json.need("AccessKeyId"),
                                   .secret_key = json.need("SecretAccessKey"),
                                   .session_token = json.need("Token"),
                                   .expires = json.time("Expiration"),
                                   .origin = "IMDS, role " + role};
  co_return result;
}

}  // namespace headrace
