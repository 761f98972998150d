// The order of the chain, the environment, files with profiles, and regions.
#include "testing/credentials_fixture.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kToken = "/latest/api/token";
constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";

TEST_F(ChainTest, TakesTheEnvironmentFirst) {
  env_ = {{"AWS_ACCESS_KEY_ID", "env-key"}, {"AWS_SECRET_ACCESS_KEY", "env-SECRET"}};
  Credentials found = find();
  EXPECT_EQ(found.access_key, "env-key");
  EXPECT_EQ(found.secret_key, "env-SECRET");
  EXPECT_EQ(found.session_token, "");
  EXPECT_EQ(found.expires, std::nullopt);
  EXPECT_EQ(found.origin, "environment");

  env_["AWS_SESSION_TOKEN"] = "env-token";
  env_["AWS_CREDENTIAL_EXPIRATION"] = in(std::chrono::hours(2));
  found = find();
  EXPECT_EQ(found.session_token, "env-token");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(2));
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ChainTest, RefusesHalfAnEnvironment) {
  env_ = {{"AWS_ACCESS_KEY_ID", "env-key"}, {"AWS_SECRET_ACCESS_KEY", ""}};
  expect_failure(ErrorKind::kInvalid, "AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY");
  env_["AWS_SECRET_ACCESS_KEY"] = "env-SECRET";
  env_["AWS_CREDENTIAL_EXPIRATION"] = "tomorrow";
  expect_failure(ErrorKind::kInvalid, "AWS_CREDENTIAL_EXPIRATION is no time");
}

TEST_F(ChainTest, RefusesCredentialsThatHaveEnded) {
  env_ = {{"AWS_ACCESS_KEY_ID", "env-key"},
          {"AWS_SECRET_ACCESS_KEY", "env-SECRET"},
          {"AWS_CREDENTIAL_EXPIRATION", in(-std::chrono::hours(1))}};
  expect_failure(ErrorKind::kInvalid, "environment gives credentials that ended at ");
}

TEST_F(ChainTest, SkipsTheEnvironmentForAProfileThatTheConfigurationNames) {
  env_ = {{"AWS_ACCESS_KEY_ID", "env-key"},
          {"AWS_SECRET_ACCESS_KEY", "env-SECRET"},
          {"AWS_PROFILE", "dev"}};
  credentials_file("[dev]\naws_access_key_id = dev-key\naws_secret_access_key = dev-SECRET\n");
  EXPECT_EQ(find().access_key, "env-key");
  config_.profile = "dev";
  EXPECT_EQ(find().access_key, "dev-key");
}

/// Everything is there at once; each look takes the first and removes it.
TEST_F(ChainTest, LooksInTheOrderOfTheAwsTools) {
  env_ = {{"AWS_ACCESS_KEY_ID", "env-key"},
          {"AWS_SECRET_ACCESS_KEY", "env-SECRET"},
          {"AWS_WEB_IDENTITY_TOKEN_FILE", home_ / "token"},
          {"AWS_ROLE_ARN", "arn:aws:iam::1:role/web"},
          {"AWS_ENDPOINT_URL_SSO", url()},
          {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container"}};
  home_.write("token", "web-token-SECRET");
  // The name is the SHA-1 of "https://start.example.com".
  home_.write(
      ".aws/sso/cache/b1cd59fdb1bf6dd82462b29a459d769bd127bb65.json",
      fmt::format(R"({{"accessToken":"sso-SECRET","expiresAt":"{}"}})", in(std::chrono::hours(1))));
  answers_["POST /sts"] = [this](const ServedRequest& request) {
    const auto form = form_of(request);
    return ServedAnswer{
        .status = 200, .headers = {}, .body = sts_answer(form.at("Action"), form.at("RoleArn"))};
  };
  answers_["GET /federation/credentials"] =
      always(R"({"roleCredentials":{"accessKeyId":"sso-key","secretAccessKey":"sso-SECRET",)"
             R"("sessionToken":"sso-token","expiration":1900000000000}})");
  answers_["GET /container"] = always(json_answer("container"));
  answers_[std::string("PUT ") + kToken] = always("imds-token");
  answers_[std::string("GET ") + kRoles] = always("machine");
  answers_[std::string("GET ") + kRoles + "machine"] = always(json_answer("machine"));

  struct Profile {
    std::string role = "role_arn = arn:aws:iam::1:role/a\nsource_profile = base\n";
    std::string sso =
        "sso_start_url = https://start.example.com\nsso_region = eu-west-1\n"
        "sso_account_id = 1\nsso_role_name = reader\n";
    std::string process = R"(credential_process = echo '{"Version":1,"AccessKeyId":"process-key",)"
                          R"("SecretAccessKey":"process-SECRET"}')"
                          "\n";
    std::string keys = "aws_access_key_id = config-key\naws_secret_access_key = config-SECRET\n";
  } profile;
  std::string shared = "aws_access_key_id = shared-key\naws_secret_access_key = shared-SECRET\n";
  const auto found = [&] {
    config_file("[default]\n" + profile.role + profile.sso + profile.process + profile.keys +
                "[profile base]\naws_access_key_id = base\naws_secret_access_key = base-SECRET\n");
    credentials_file("[default]\n" + shared);
    return find().access_key;
  };
  EXPECT_EQ(found(), "env-key");
  env_.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(found(), "arn:aws:iam::1:role/a-key");
  profile.role.clear();
  EXPECT_EQ(found(), "arn:aws:iam::1:role/web-key");
  env_.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(found(), "sso-key");
  profile.sso.clear();
  EXPECT_EQ(found(), "shared-key");
  shared.clear();
  EXPECT_EQ(found(), "process-key");
  profile.process.clear();
  EXPECT_EQ(found(), "config-key");
  profile.keys.clear();
  EXPECT_EQ(found(), "container-key");
  env_.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  EXPECT_EQ(found(), "machine-key");
}

TEST_F(ChainTest, SaysWhereItLookedIfThereIsNothing) {
  env_["AWS_EC2_METADATA_DISABLED"] = "true";
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  for (const char* place :
       {"no credentials; looked at the environment (no AWS_ACCESS_KEY_ID)",
        "web identity (no AWS_WEB_IDENTITY_TOKEN_FILE)", "profile default in ", "/.aws/credentials",
        "/.aws/config", "AWS_CONTAINER_CREDENTIALS", "turned off by AWS_EC2_METADATA_DISABLED"}) {
    EXPECT_THAT(error.what(), HasSubstr(place));
  }
}

TEST_F(ChainTest, RefusesANamedProfileThatIsInNoFile) {
  credentials_file("[default]\naws_access_key_id = key\naws_secret_access_key = SECRET\n");
  env_["AWS_PROFILE"] = "prod";
  expect_failure(ErrorKind::kInvalid, "there is no profile prod: neither ");
  config_.profile = "stage";
  expect_failure(ErrorKind::kInvalid, "there is no profile stage: neither ");
}

TEST_F(ChainTest, ReadsTheFilesThatTheEnvironmentNames) {
  env_ = {{"AWS_CONFIG_FILE", "~/elsewhere/config"},
          {"AWS_SHARED_CREDENTIALS_FILE", home_ / "elsewhere/keys"}};
  home_.write("elsewhere/keys",
              "[default]\naws_access_key_id = key\naws_secret_access_key = SECRET\n"
              "aws_session_token = token\n");
  home_.write("elsewhere/config", "[profile default]\nregion = eu-north-1\n");
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "key");
  EXPECT_EQ(found.session_token, "token");
  EXPECT_THAT(found.origin, StartsWith("profile default in "));
  EXPECT_EQ(chain_region(config_), "eu-north-1");
}

TEST_F(ChainTest, ReadsProfilesWithQuotedNames) {
  config_file("[profile \"my team\"]\naws_access_key_id = key\naws_secret_access_key = SECRET\n");
  config_.profile = "my team";
  EXPECT_EQ(find().access_key, "key");
}

TEST_F(ChainTest, RefusesHalfAKeyPairAndDamagedFiles) {
  credentials_file("[default]\naws_access_key_id = key\n");
  expect_failure(ErrorKind::kInvalid, "has aws_access_key_id but no aws_secret_access_key");
  credentials_file("[default]\nSECRET\n");
  expect_failure(ErrorKind::kInvalid, "/.aws/credentials:2: neither a [section] nor a setting");
  credentials_file(std::string(2u << 20, '\n'));
  expect_failure(ErrorKind::kInvalid, "more than 1 MiB");
}

TEST_F(ChainTest, ReadsFilesAnewOnceCredentialsWereRefused) {
  credentials_file("[default]\naws_access_key_id = old\naws_secret_access_key = SECRET\n");
  const auto provider = chain();
  const Credentials old = *run(provider->get());
  credentials_file("[default]\naws_access_key_id = new\naws_secret_access_key = SECRET\n");
  EXPECT_EQ(run(provider->get())->access_key, "old");
  clock_.advance(std::chrono::minutes(1));
  provider->refused(old);
  EXPECT_EQ(run(provider->get())->access_key, "new");
}

TEST_F(ChainTest, TakesTheRegionFromTheEnvironmentThenTheProfile) {
  EXPECT_EQ(chain_region(config_), std::nullopt);
  config_file("[default]\nregion = from-default\n[profile dev]\nregion = from-dev\n");
  EXPECT_EQ(chain_region(config_), "from-default");
  env_["AWS_PROFILE"] = "dev";
  EXPECT_EQ(chain_region(config_), "from-dev");
  env_["AWS_DEFAULT_REGION"] = "from-default-region";
  EXPECT_EQ(chain_region(config_), "from-default-region");
  env_["AWS_REGION"] = "from-region";
  EXPECT_EQ(chain_region(config_), "from-region");
}

TEST(FixedCredentials, AreWhatTheyAre) {
  const auto provider = fixed_credentials({.access_key = "key", .secret_key = "secret"});
  provider->refused({.access_key = "key", .secret_key = "secret"});
  EXPECT_EQ(run_task(provider->get())->access_key, "key");
  EXPECT_FALSE(run_task(anonymous_credentials()->get()));
}

}  // namespace
}  // namespace headrace
