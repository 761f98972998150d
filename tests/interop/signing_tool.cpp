// The signer as a command, for tests in other languages. Not part of the product.
//
// Reads one JSON object per line: method, url, headers (an object), service, region, access_key,
// secret_key, token, time, and either `payload_hash` (sign by headers) or `expires` in seconds
// (presign) or `policy` (sign a POST policy). Answers with a line each: the Authorization header,
// the URL's query, or the policy's signature.
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>
#include <iostream>

#include "core/error.h"
#include "net/sigv4.h"

namespace headrace {
namespace {

using simdjson::dom::element;

std::string text(element at, const char* name) {
  std::string_view value;
  if (at[name].get(value) != simdjson::SUCCESS) return {};
  return std::string(value);
}

std::string answer(element line) {
  const Signer signer({text(line, "region"), text(line, "service")});
  const Credentials credentials{.access_key = text(line, "access_key"),
                                .secret_key = text(line, "secret_key"),
                                .session_token = text(line, "token")};
  const Time now = parse_time(text(line, "time")).value();
  if (const std::string policy = text(line, "policy"); !policy.empty()) {
    return signer.sign_policy(policy, credentials, now);
  }
  HttpRequest request;
  request.method = text(line, "method");
  request.url = parse_url(text(line, "url"));
  for (const auto [name, value] : line["headers"].get_object().value()) {
    request.headers.add(name, std::string(std::string_view(value)));
  }
  std::int64_t expires = 0;
  if (line["expires"].get(expires) == simdjson::SUCCESS) {
    return signer
        .presign(request.method, request.url, request.headers, credentials, now,
                 std::chrono::seconds(expires))
        .query;
  }
  signer.sign(request, credentials, now, text(line, "payload_hash"));
  return std::string(request.headers.get("Authorization"));
}

}  // namespace
}  // namespace headrace

int main() {
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      fmt::print("{}\n", headrace::answer(parser.parse(line)));
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
      return 1;
    }
  }
  return 0;
}
