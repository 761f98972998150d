// SSO, containers and machines: each asked at a local service that plays it.
#include "testing/credentials_fixture.h"

namespace headrace {
namespace {

using testing::HasSubstr;

class SsoTest : public ChainTest {
 protected:
  // SHA-1 of "work" and of "https://start.example.com".
  static constexpr const char* kSessionFile =
      ".aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json";
  static constexpr const char* kUrlFile =
      ".aws/sso/cache/b1cd59fdb1bf6dd82462b29a459d769bd127bb65.json";

  SsoTest() {
    env_["AWS_ENDPOINT_URL_SSO"] = url() + "/";
    answers_["GET /federation/credentials"] =
        always(R"({"roleCredentials":{"accessKeyId":"sso-key","secretAccessKey":"sso-SECRET",)"
               R"("sessionToken":"sso-token-SECRET","expiration":1800003600000}})");
    config_file(
        "[sso-session work]\nsso_start_url = https://start.example.com\nsso_region = eu-west-1\n"
        "[default]\nsso_session = work\nsso_account_id = 123\nsso_role_name = Data Reader\n");
  }

  void session(const char* file, std::string_view ends) {
    home_.write(file, fmt::format(R"({{"startUrl":"https://start.example.com",)"
                                  R"("accessToken":"login-SECRET","expiresAt":"{}"}})",
                                  ends));
  }
};

TEST_F(SsoTest, BuysARolesCredentialsWithTheSessionsToken) {
  session(kSessionFile, in(std::chrono::hours(1)));
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "sso-key");
  EXPECT_EQ(found.secret_key, "sso-SECRET");
  EXPECT_EQ(found.session_token, "sso-token-SECRET");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(found.origin, "SSO, role Data Reader in account 123");
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].query, "role_name=Data%20Reader&account_id=123");
  EXPECT_EQ(requests_[0].headers.get("x-amz-sso_bearer_token"), "login-SECRET");
}

TEST_F(SsoTest, KnowsTheFormWithoutASession) {
  config_file(
      "[default]\nsso_start_url = https://start.example.com\nsso_region = eu-west-1\n"
      "sso_account_id = 123\nsso_role_name = reader\n");
  session(kUrlFile, "2027-01-15T09:00:00UTC");
  EXPECT_EQ(find().access_key, "sso-key");
}

TEST_F(SsoTest, SaysHowToLogInOnceTheSessionHasEnded) {
  expect_failure(ErrorKind::kInvalid,
                 "there is no SSO session: run `aws sso login --profile default`");
  session(kSessionFile, in(Duration(0)));
  expect_failure(ErrorKind::kInvalid,
                 "the SSO session ended at 2027-01-15T08:00:00Z: run `aws sso");
  session(kSessionFile, "soon");
  expect_failure(ErrorKind::kInvalid, "the SSO session's file is damaged: run `aws sso login");
  EXPECT_TRUE(requests_.empty());
  session(kSessionFile, in(std::chrono::hours(1)));
  answers_["GET /federation/credentials"] = always(R"({"message":"login-SECRET expired"})", 401);
  expect_failure(ErrorKind::kInvalid, "no longer accepts the SSO session: run `aws sso login");
}

TEST_F(SsoTest, TellsRefusalsFromFailures) {
  session(kSessionFile, in(std::chrono::hours(1)));
  answers_["GET /federation/credentials"] = always("{}", 403);
  expect_failure(ErrorKind::kInvalid, "may this user have role Data Reader in account 123?");
  answers_["GET /federation/credentials"] = always("{}", 500);
  expect_failure(ErrorKind::kTransient, "SSO credentials of profile default: HTTP 500");
  answers_["GET /federation/credentials"] = always("{}");
  expect_failure(ErrorKind::kTransient, "not the JSON object");
}

TEST_F(SsoTest, RefusesHalfAProfile) {
  config_file("[default]\nsso_session = play\nsso_account_id = 1\nsso_role_name = r\n");
  expect_failure(ErrorKind::kInvalid, "there is no section [sso-session play]");
  config_file("[default]\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\n");
  expect_failure(ErrorKind::kInvalid, "profile default: SSO needs sso_start_url");
}

class ContainerTest : public ChainTest {
 protected:
  ContainerTest() {
    answers_["GET /v2/credentials/1"] = always(json_answer("container"));
    env_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
  }
};

TEST_F(ContainerTest, AsksTheTasksService) {
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "container-key");
  EXPECT_EQ(found.session_token, "container-token-SECRET");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(found.origin, "container");
  EXPECT_EQ(requests_.at(0).headers.find("Authorization"), nullptr);
}

TEST_F(ContainerTest, BringsTheTokenThatThePodsFileHolds) {
  env_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url() + "/v2/credentials/1?x=1"},
          {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this"},
          {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / "token"}};
  home_.write("token", "first-SECRET\n");
  const auto provider = chain();
  run(provider->get());
  EXPECT_EQ(requests_.at(0).headers.get("Authorization"), "first-SECRET");
  EXPECT_EQ(requests_.at(0).query, "x=1");
  home_.write("token", "second-SECRET");
  clock_.advance(std::chrono::minutes(50));
  run(provider->get());
  EXPECT_EQ(requests_.at(1).headers.get("Authorization"), "second-SECRET");
  home_.write("token", "two\nlines-SECRET");
  expect_failure(ErrorKind::kInvalid, "has a line break in it");
}

TEST_F(ContainerTest, TakesTheTokenFromTheEnvironmentToo) {
  env_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "plain";
  find();
  EXPECT_EQ(requests_.at(0).headers.get("Authorization"), "plain");
}

TEST_F(ContainerTest, AsksOnlyThisMachineAndTheKnownAddresses) {
  env_.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  for (const char* bad : {"http://example.com/", "https://169.254.170.3/", "http://10.0.0.1/",
                          "http://localhost.example.com/"}) {
    env_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = bad;
    expect_failure(ErrorKind::kInvalid, "is not allowed; it must be this machine");
  }
  env_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = ".example.com/";
  expect_failure(ErrorKind::kInvalid, "must begin with '/'");
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ContainerTest, TellsRefusalsFromFailures) {
  answers_["GET /v2/credentials/1"] =
      always(R"({"code":"AccessDeniedException","message":"SECRET"})", 400);
  expect_failure(ErrorKind::kInvalid,
                 "HTTP 400 AccessDeniedException: look at the task's or pod's");
  answers_["GET /v2/credentials/1"] = always("SECRET", 404);
  expect_failure(ErrorKind::kInvalid, "/v2/credentials/1: HTTP 404: look at");
  answers_["GET /v2/credentials/1"] = always("", 500);
  expect_failure(ErrorKind::kTransient, "HTTP 500");
  answers_["GET /v2/credentials/1"] = always(R"({"AccessKeyId":"key","SecretAccessKey":"SECRET"})");
  expect_failure(ErrorKind::kTransient, "the answer has no Token");
}

class MachineTest : public ChainTest {
 protected:
  static constexpr const char* kRoles = "GET /latest/meta-data/iam/security-credentials/";

  MachineTest() {
    answers_["PUT /latest/api/token"] = always("imds-token");
    answers_[kRoles] = always("data-reader\n");
    answers_[std::string(kRoles) + "data-reader"] = always(json_answer("machine"));
  }
};

TEST_F(MachineTest, GetsATokenThenTheRoleThenItsCredentials) {
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "machine-key");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(found.origin, "IMDS, role data-reader");
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_EQ(requests_[0].headers.get("X-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(requests_[1].headers.get("X-aws-ec2-metadata-token"), "imds-token");
  EXPECT_EQ(requests_[2].headers.get("X-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(MachineTest, IsNotAskedIfTurnedOff) {
  env_["AWS_EC2_METADATA_DISABLED"] = "True";
  expect_failure(ErrorKind::kInvalid, "turned off by AWS_EC2_METADATA_DISABLED");
  EXPECT_TRUE(requests_.empty());
}

TEST_F(MachineTest, IsAskedWhereTheEnvironmentSays) {
  config_.imds = "http://127.0.0.1:1";
  expect_failure(ErrorKind::kInvalid, "the machine's IMDS: IMDS: ");
  env_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url() + "/";
  EXPECT_EQ(find().access_key, "machine-key");
}

TEST_F(MachineTest, SaysWhatIsMissing) {
  answers_["PUT /latest/api/token"] = always("", 403);
  expect_failure(ErrorKind::kInvalid, "gives no token (HTTP 403); in a container it needs a hop");
  answers_["PUT /latest/api/token"] = always("imds-token");
  answers_.erase(kRoles);
  expect_failure(ErrorKind::kInvalid, "the machine's IMDS: this machine has no role");
}

TEST_F(MachineTest, FailuresPassByThemselves) {
  const std::string role = std::string(kRoles) + "data-reader";
  answers_["PUT /latest/api/token"] = always("", 503);
  expect_failure(ErrorKind::kTransient, "IMDS token: HTTP 503");
  answers_["PUT /latest/api/token"] = always("imds-token");
  answers_[role] = always("", 500);
  expect_failure(ErrorKind::kTransient, "IMDS credentials: HTTP 500");
  answers_[role] = always("SECRET");
  expect_failure(ErrorKind::kTransient, "IMDS credentials: the answer is not the JSON object");
  answers_[role] = always(R"({"Code":"AssumeRoleUnauthorizedAccess"})");
  expect_failure(ErrorKind::kInvalid, "AssumeRoleUnauthorizedAccess: look at the machine's role");
}

}  // namespace
}  // namespace headrace
