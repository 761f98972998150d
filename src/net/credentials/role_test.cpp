// Profiles with a role: AssumeRole and AssumeRoleWithWebIdentity at a local STS.
#include "testing/credentials_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kBase =
    "[profile base]\naws_access_key_id = base-key\naws_secret_access_key = base-SECRET\n";

class RoleTest : public ChainTest {
 protected:
  RoleTest() {
    answers_["POST /sts"] = [this](const ServedRequest& request) {
      const auto form = form_of(request);
      const std::string role = form.at("RoleArn");
      return ServedAnswer{.status = 200,
                          .headers = {},
                          .body = sts_answer(form.at("Action"), role.substr(role.rfind('/') + 1))};
    };
    env_["AWS_REGION"] = "eu-west-1";
  }

  /// Answers as STS refuses.
  void refuse(int status, std::string_view code, std::string_view message) {
    answers_["POST /sts"] = always(
        fmt::format("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
                    "<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
                    "<RequestId>1</RequestId></ErrorResponse>",
                    code, message),
        status);
  }
};

TEST_F(RoleTest, AssumesARoleWithTheKeysOfItsSourceProfile) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/team/reader\nsource_profile = base\n"
              "external_id = a&b\nrole_session_name = night+shift\nduration_seconds = 900\n");
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "reader-key");
  EXPECT_EQ(found.secret_key, "reader-SECRET");
  EXPECT_EQ(found.session_token, "reader-token-SECRET");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(found.origin, "role arn:aws:iam::1:role/team/reader of profile default");

  ASSERT_EQ(requests_.size(), 1u);
  const std::map<std::string, std::string> expected{{"Action", "AssumeRole"},
                                                    {"Version", "2011-06-15"},
                                                    {"RoleArn", "arn:aws:iam::1:role/team/reader"},
                                                    {"RoleSessionName", "night+shift"},
                                                    {"ExternalId", "a&b"},
                                                    {"DurationSeconds", "900"}};
  EXPECT_EQ(form_of(requests_[0]), expected);
  EXPECT_THAT(
      std::string(requests_[0].headers.get("Authorization")),
      StartsWith("AWS4-HMAC-SHA256 Credential=base-key/20270115/eu-west-1/sts/aws4_request, "
                 "SignedHeaders=content-type;host;x-amz-date, Signature="));
}

TEST_F(RoleTest, NamesItsSessionsByTheTimeIfTheProfileDoesNot) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = base\n");
  find();
  EXPECT_EQ(form_of(requests_.at(0)).at("RoleSessionName"), "headrace-1800000000");
}

TEST_F(RoleTest, AsksTheStsThatTheEnvironmentNames) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = base\n");
  answers_["POST /"] = answers_.at("POST /sts");
  config_.sts.clear();
  env_["AWS_ENDPOINT_URL"] = url();
  EXPECT_EQ(find().access_key, "reader-key");
  env_["AWS_ENDPOINT_URL_STS"] = url() + "/sts";
  find();
  EXPECT_EQ(requests_.at(0).path, "/");
  EXPECT_EQ(requests_.at(1).path, "/sts");
}

TEST_F(RoleTest, GoesFromRoleToRole) {
  config_file(std::string(kBase) +
              "[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = base\n"
              "[default]\nrole_arn = arn:aws:iam::2:role/last\nsource_profile = middle\n");
  EXPECT_EQ(find().access_key, "last-key");
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_THAT(std::string(requests_[0].headers.get("Authorization")), HasSubstr("base-key/"));
  EXPECT_THAT(std::string(requests_[1].headers.get("Authorization")), HasSubstr("middle-key/"));
  EXPECT_EQ(requests_[1].headers.get("X-Amz-Security-Token"), "middle-token-SECRET");
}

TEST_F(RoleTest, AProfileMayBeItsOwnSource) {
  config_file("[default]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = default\n");
  credentials_file("[default]\naws_access_key_id = own-key\naws_secret_access_key = own-SECRET\n");
  EXPECT_EQ(find().access_key, "reader-key");
  EXPECT_THAT(std::string(requests_.at(0).headers.get("Authorization")), HasSubstr("own-key/"));
}

TEST_F(RoleTest, RefusesSourcesInACircle) {
  config_file(
      "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n"
      "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = c\n"
      "[profile c]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile = default\n");
  expect_failure(ErrorKind::kInvalid,
                 "source_profile goes round in circles: default -> b -> c -> default");
  config_file("[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = default\n");
  expect_failure(ErrorKind::kInvalid, "round in circles: default -> default");
  EXPECT_TRUE(requests_.empty());
}

struct BadProfile {
  const char* name;
  const char* settings;
  const char* message;
};

class BadRole : public RoleTest, public testing::WithParamInterface<BadProfile> {};

TEST_P(BadRole, IsRefusedBeforeAnybodyIsAsked) {
  config_file(std::string(kBase) +
              "[profile bare]\nregion = eu-west-1\n[default]\nrole_arn = arn\n" +
              GetParam().settings);
  expect_failure(ErrorKind::kInvalid, GetParam().message);
  EXPECT_TRUE(requests_.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Profiles, BadRole,
    testing::Values(
        BadProfile{"NoSource", "", "neither source_profile nor credential_source"},
        BadProfile{"TwoSources", "source_profile = base\ncredential_source = Environment\n",
                   "both source_profile and credential_source"},
        BadProfile{"UnknownSource", "source_profile = gone\n", "source_profile gone is in no file"},
        BadProfile{"SourceWithoutKeys", "source_profile = bare\n",
                   "source_profile bare has no credentials"},
        BadProfile{"OneTimeCode", "source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\n",
                   "one-time code (mfa_serial), which nobody can type here"},
        BadProfile{"UnknownService", "credential_source = Toaster\n",
                   "credential_source Toaster: only Environment, EcsContainer"},
        BadProfile{"NothingInTheEnvironment", "credential_source = Environment\n",
                   "credential_source Environment: the environment says nothing of it"},
        BadProfile{"BadDuration", "source_profile = base\nduration_seconds = 15m\n",
                   "duration_seconds is no number of seconds"}),
    [](const auto& row) { return row.param.name; });

TEST_F(RoleTest, TakesItsSourceFromTheEnvironment) {
  config_file("[profile dev]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n");
  env_.insert({{"AWS_ACCESS_KEY_ID", "env-key"}, {"AWS_SECRET_ACCESS_KEY", "env-SECRET"}});
  config_.profile = "dev";
  EXPECT_EQ(find().access_key, "r-key");
  EXPECT_THAT(std::string(requests_.at(0).headers.get("Authorization")), HasSubstr("env-key/"));
}

TEST_F(RoleTest, TakesItsSourceFromTheContainer) {
  config_file("[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = EcsContainer\n");
  env_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/container";
  answers_["GET /container"] = always(json_answer("container"));
  EXPECT_EQ(find().access_key, "r-key");
  EXPECT_THAT(std::string(requests_.at(1).headers.get("Authorization")),
              HasSubstr("container-key/"));
}

TEST_F(RoleTest, TakesItsSourceFromTheMachine) {
  config_file(
      "[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata\n");
  expect_failure(ErrorKind::kInvalid, "credential_source Ec2InstanceMetadata: gives no token");
  answers_["PUT /latest/api/token"] = always("imds-token");
  answers_["GET /latest/meta-data/iam/security-credentials/"] = always("machine");
  answers_["GET /latest/meta-data/iam/security-credentials/machine"] =
      always(json_answer("machine"));
  EXPECT_EQ(find().access_key, "r-key");
  EXPECT_THAT(std::string(requests_.back().headers.get("Authorization")),
              HasSubstr("machine-key/"));
}

TEST_F(RoleTest, SaysWhatStsSaid) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  refuse(403, "AccessDenied", "User: arn:aws:iam::1:user/me is not authorized");
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), StartsWith("AssumeRole arn:aws:iam::1:role/r with the credentials of "
                                       "profile base in "));
  EXPECT_THAT(error.what(),
              HasSubstr(": HTTP 403 AccessDenied: User: arn:aws:iam::1:user/me is not authorized"));
}

TEST_F(RoleTest, ShowsNothingOfTheCanonicalRequestThatStsSendsBack) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  refuse(403, "SignatureDoesNotMatch",
         "The signature does not match.\n\nThe Canonical String for this request should have been\n"
         "x-amz-security-token:base-SECRET");
  expect_failure(ErrorKind::kInvalid, "HTTP 403 SignatureDoesNotMatch: The signature does not");
}

TEST_F(RoleTest, ThrottlingAndFailuresOfStsPassByThemselves) {
  config_file(std::string(kBase) +
              "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  refuse(400, "Throttling", "Rate exceeded");
  expect_failure(ErrorKind::kTransient, "Throttling");
  answers_["POST /sts"] = always("", 503);
  expect_failure(ErrorKind::kTransient, "HTTP 503");
  answers_["POST /sts"] = always("<AssumeRoleResponse><AssumeRoleResult/>");
  expect_failure(ErrorKind::kTransient, "the answer has no AccessKeyId");
}

class WebIdentityTest : public RoleTest {
 protected:
  WebIdentityTest() {
    home_.write("token", "first-SECRET\n");
    env_["AWS_WEB_IDENTITY_TOKEN_FILE"] = home_ / "token";
    env_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  }
};

TEST_F(WebIdentityTest, BringsTheTokenToStsWithoutASignature) {
  env_["AWS_ROLE_SESSION_NAME"] = "pod-7";
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "pod-key");
  EXPECT_EQ(found.origin, "web identity, role arn:aws:iam::1:role/pod");
  const std::map<std::string, std::string> expected{{"Action", "AssumeRoleWithWebIdentity"},
                                                    {"Version", "2011-06-15"},
                                                    {"RoleArn", "arn:aws:iam::1:role/pod"},
                                                    {"RoleSessionName", "pod-7"},
                                                    {"WebIdentityToken", "first-SECRET"}};
  EXPECT_EQ(form_of(requests_.at(0)), expected);
  EXPECT_EQ(requests_.at(0).headers.find("Authorization"), nullptr);
}

TEST_F(WebIdentityTest, ReadsTheTokenAnewForEachFetch) {
  const auto provider = chain();
  run(provider->get());
  home_.write("token", "second-SECRET");
  clock_.advance(std::chrono::minutes(50));
  run(provider->get());
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_EQ(form_of(requests_[1]).at("WebIdentityToken"), "second-SECRET");
}

TEST_F(WebIdentityTest, RefusesATokenThatIsNotThereAndOneWithoutARole) {
  env_["AWS_WEB_IDENTITY_TOKEN_FILE"] = home_ / "gone";
  expect_failure(ErrorKind::kInvalid, "web identity: there is no file " + (home_ / "gone"));
  home_.write("gone", " \n");
  expect_failure(ErrorKind::kInvalid, "is empty");
  env_.erase("AWS_ROLE_ARN");
  expect_failure(ErrorKind::kInvalid, "no role: set AWS_ROLE_ARN, or role_arn in profile default");
}

TEST_F(WebIdentityTest, WorksFromAProfileAndAsTheSourceOfARole) {
  env_.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  env_.erase("AWS_ROLE_ARN");
  config_file(fmt::format(
      "[profile pod]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = {}\n"
      "[default]\nrole_arn = arn:aws:iam::2:role/last\nsource_profile = pod\n",
      home_ / "token"));
  EXPECT_EQ(find().access_key, "last-key");
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_EQ(form_of(requests_[0]).at("Action"), "AssumeRoleWithWebIdentity");
  EXPECT_EQ(form_of(requests_[1]).at("Action"), "AssumeRole");
  config_.profile = "pod";
  EXPECT_EQ(find().access_key, "pod-key");
}

TEST_F(WebIdentityTest, AnExpiredTokenIsForAPersonToMend) {
  refuse(400, "ExpiredTokenException", "Token expired: current date/time must be before ...");
  expect_failure(ErrorKind::kInvalid, "ExpiredTokenException: Token expired");
}

}  // namespace
}  // namespace headrace
