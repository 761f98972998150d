#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "net/sigv4.h"
#include "net/sigv4_parts.h"

// Signing cases that others published, each as headers and as a query. They lie beside the project,
// in ../shared/data/sigv4, and are not part of it: one folder is one case.

namespace headrace {
namespace {

// What all cases share; each says the same in its context.json.
constexpr const char* kAccessKey = "AKIDEXAMPLE";
constexpr const char* kSecretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SigningScope kScope{"us-east-1", "service"};
const Time kMoment = *parse_time("2015-08-30T12:36:00Z");
constexpr std::string_view kTimestamp = "20150830T123600Z";
constexpr std::string_view kScopeText = "20150830/us-east-1/service/aws4_request";

std::filesystem::path cases_folder() {
  std::filesystem::path folder = std::filesystem::path(__FILE__);
  if (folder.is_relative()) folder = std::filesystem::current_path() / folder;
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    const auto cases = folder / "../shared/data/sigv4";
    if (std::filesystem::exists(cases)) return cases;
  }
  return {};
}

std::vector<std::string> case_names() {
  const auto folder = cases_folder();
  if (folder.empty()) return {"none"};
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// The text between `key":"` and the next quote; empty if there is none. Enough for these files.
std::string json_text(const std::string& json, const std::string& key) {
  std::size_t at = json.find('"' + key + '"');
  if (at == std::string::npos) return {};
  at = json.find('"', json.find(':', at)) + 1;
  return json.substr(at, json.find('"', at) - at);
}

bool json_true(const std::string& json, const std::string& key) {
  const std::size_t at = json.find('"' + key + '"');
  return at != std::string::npos &&
         json.compare(json.find_first_not_of(" :", at + key.size() + 2), 4, "true") == 0;
}

/// "METHOD /path?query HTTP/1.1", headers whose values may go on in the next line, and a body.
HttpRequest parse_request(std::string_view text) {
  HttpRequest request;
  const auto line_end = [&] { return std::min(text.find('\n'), text.size()); };
  std::string_view line = text.substr(0, line_end());
  line.remove_suffix(std::string_view(" HTTP/1.1").size());
  request.method = line.substr(0, line.find(' '));
  const std::string_view target = line.substr(line.find(' ') + 1);
  request.url.path = target.substr(0, target.find('?'));
  if (target.contains('?')) request.url.query = target.substr(target.find('?') + 1);
  std::vector<Headers::Field> fields;
  while (!text.empty()) {
    text.remove_prefix(std::min(line_end() + 1, text.size()));
    line = text.substr(0, line_end());
    if (line.empty()) break;
    if (line.front() == ' ') {
      fields.back().value.append("\n").append(line);
    } else {
      const std::size_t colon = line.find(':');
      fields.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
    }
  }
  if (!text.empty()) request.body.bytes = text.substr(1);
  for (auto& [name, value] : fields) request.headers.add(name, std::move(value));
  request.url.host = request.headers.get("Host");
  return request;
}

class SigningCase : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (cases_folder().empty()) GTEST_SKIP() << "no shared data";
    context_ = expected("context.json");
    request_ = parse_request(expected("request.txt"));
    late_token_ = json_true(context_, "omit_session_token");
    credentials_.access_key = json_text(context_, "access_key_id");
    credentials_.secret_key = json_text(context_, "secret_access_key");
    // The file has "/" unescaped; a token that is to be added after signing is none for us.
    if (!late_token_) credentials_.session_token = json_text(context_, "token");
    normalise_ = json_true(context_, "normalize");
    ASSERT_EQ(credentials_.access_key, kAccessKey);
    ASSERT_EQ(credentials_.secret_key, kSecretKey);
    ASSERT_EQ(json_text(context_, "timestamp"), format_time(kMoment));
  }

  std::string expected(const std::string& file) const {
    return text_of(cases_folder() / GetParam() / file);
  }

  /// A key goes encoded on the wire, and S3's rule signs what is on the wire.
  std::string path() const {
    return normalise_ ? canonical_path(request_.url.path, PathRule::kNormalised)
                      : canonical_path(uri_encode(request_.url.path, true), PathRule::kAsItIs);
  }

  std::string payload_hash() const { return sha256_hex(request_.body.bytes); }

  /// Checks all the pieces of one form, "header" or "query".
  void expect_pieces(const std::string& form, const std::string& query, const Headers& headers) {
    const std::string canonical = canonical_request(request_.method, path(), canonical_query(query),
                                                    canonical_headers(headers), payload_hash());
    EXPECT_EQ(canonical, expected(form + "-canonical-request.txt"));
    const std::string to_sign = string_to_sign(kTimestamp, kScopeText, canonical);
    EXPECT_EQ(to_sign, expected(form + "-string-to-sign.txt"));
    const MacKey key = signing_key(kSecretKey, kTimestamp.substr(0, 8), kScope);
    EXPECT_EQ(hex_of(key.mac(to_sign)), expected(form + "-signature.txt"));
  }

  std::string context_;
  HttpRequest request_;
  Credentials credentials_;
  bool normalise_ = false;
  bool late_token_ = false;
};

TEST_P(SigningCase, SignsByHeaders) {
  HttpRequest request = request_;
  if (json_true(context_, "sign_body")) request.headers.add("x-amz-content-sha256", payload_hash());
  const Signer signer(kScope);
  signer.sign(request, credentials_, kMoment, payload_hash());
  Headers headers = request.headers;
  headers.remove("Authorization");
  expect_pieces("header", request.url.query, headers);
  if (!normalise_) return;  // Only S3 signs so, and the cases are of another service.
  EXPECT_THAT(request.headers.get("Authorization"),
              testing::EndsWith("Signature=" + expected("header-signature.txt")));
  EXPECT_THAT(expected("header-signed-request.txt"),
              testing::HasSubstr(std::string(request.headers.get("Authorization"))));
}

TEST_P(SigningCase, SignsByQuery) {
  const Signer signer(kScope);
  const Url url = signer.presign(request_.method, request_.url, request_.headers, credentials_,
                                 kMoment, std::chrono::hours(1));
  const std::size_t signature = url.query.rfind("&X-Amz-Signature=");
  expect_pieces("query", url.query.substr(0, signature), request_.headers);
  // A URL cannot know its body, so the Signer takes it for empty outside S3.
  if (!normalise_ || !request_.body.bytes.empty()) return;
  EXPECT_EQ(url.query.substr(signature + 17), expected("query-signature.txt"));
}

INSTANTIATE_TEST_SUITE_P(Published, SigningCase, testing::ValuesIn(case_names()),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace headrace
