#include <fmt/format.h>

#include <pugixml.hpp>

#include "core/error.h"
#include "net/credentials/service.h"
#include "net/sigv4.h"

// AWS Security Token Service, version 2011-06-15: forms in, XML out.

namespace headrace {
namespace {

struct Endpoint {
  Url url;
  std::string region;
};

Endpoint endpoint(const Surroundings& surroundings) {
  const auto region = chain_region(surroundings.config());
  std::string url = surroundings.config().sts;
  for (const char* name : {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"}) {
    if (url.empty()) url = surroundings.env(name).value_or("");
  }
  if (url.empty() && region) {
    url = fmt::format("https://sts.{}.{}", *region,
                      region->starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com");
  }
  if (url.empty()) url = "https://sts.amazonaws.com";
  return {parse_url(url), region.value_or("us-east-1")};
}

std::string form(std::string_view action, const RoleRequest& role, Time now) {
  std::string session = role.session_name;
  if (session.empty()) {
    session = fmt::format(
        "headrace-{}",
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  }
  std::string text = fmt::format("Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}",
                                 action, uri_encode(role.role_arn), uri_encode(session));
  if (!role.duration.empty()) text += "&DurationSeconds=" + uri_encode(role.duration);
  if (!role.external_id.empty()) text += "&ExternalId=" + uri_encode(role.external_id);
  return text;
}

std::string child_text(const pugi::xml_document& document, const char* parent, const char* name) {
  const auto found = document.find_node(
      [&](const pugi::xml_node& node) { return std::string_view(node.name()) == parent; });
  return found.child_value(name);
}

/// What STS says went wrong. Only the first line of its message: what follows "The Canonical String
/// should have been" holds the session token.
Error failure(const std::string& what, int status, const pugi::xml_document& document) {
  const std::string code = child_text(document, "Error", "Code");
  std::string message = child_text(document, "Error", "Message");
  message = message.substr(0, std::min<std::size_t>(message.find('\n'), 300));
  const bool later = code.starts_with("Throttl") || code == "RequestLimitExceeded" ||
                     code == "IDPCommunicationError";
  return refusal(what, later ? 429 : status, code, message);
}

Credentials read_answer(const std::string& what, const std::string& origin,
                        const HttpAnswer& answer) {
  pugi::xml_document document;
  const bool good = document.load_buffer(answer.body.data(), answer.body.size());
  if (answer.status != 200) throw failure(what, answer.status, document);
  const auto need = [&](const char* name) {
    std::string value = child_text(document, "Credentials", name);
    if (good && !value.empty()) return value;
    throw Error(ErrorKind::kTransient, fmt::format("{}: the answer has no {}", what, name));
  };
  Credentials found{.access_key = need("AccessKeyId"),
                    .secret_key = need("SecretAccessKey"),
                    .session_token = need("SessionToken"),
                    .expires = parse_time(need("Expiration")),
                    .origin = origin};
  if (!found.expires) {
    throw Error(ErrorKind::kTransient, what + ": Expiration in the answer is not a time");
  }
  return found;
}

HttpRequest post(const Url& url, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.body.bytes = std::move(body);
  return request;
}

}  // namespace

Task<Credentials> assume_role(ServiceContext context, RoleRequest role, Credentials source) {
  const Endpoint sts = endpoint(context.surroundings);
  const Time now = context.clock.now();
  HttpRequest request = post(sts.url, form("AssumeRole", role, now));
  const Signer signer({sts.region, "sts"});
  signer.sign(request, source, now, sha256_hex(request.body.bytes));
  const std::string what =
      fmt::format("AssumeRole {} with the credentials of {}", role.role_arn, source.origin);
  co_return read_answer(what, role.origin, co_await ask(context, std::move(request), what));
}

Task<Credentials> assume_role_with_token(ServiceContext context, RoleRequest role,
                                         std::string token) {
  const Endpoint sts = endpoint(context.surroundings);
  std::string body = form("AssumeRoleWithWebIdentity", role, context.clock.now());
  body += "&WebIdentityToken=" + uri_encode(token);
  const std::string what = "AssumeRoleWithWebIdentity " + role.role_arn;
  co_return read_answer(what, role.origin,
                        co_await ask(context, post(sts.url, std::move(body)), what));
}

}  // namespace headrace
