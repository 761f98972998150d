// credential_process: programs of the user's that print credentials.
#include "net/credentials/program.h"
#include "testing/credentials_fixture.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::HasSubstr;

class ProcessTest : public ChainTest {
 protected:
  void process(std::string_view command) {
    config_file(fmt::format("[default]\ncredential_process = {}\n", command));
  }
  /// A program that prints `text`.
  void print(std::string_view text) {
    home_.write("answer.json", text);
    process("cat '" + home_.path() + "/answer.json'");
  }
};

TEST_F(ProcessTest, TakesWhatTheProgramPrints) {
  print(fmt::format(R"({{"Version":1,"AccessKeyId":"key","SecretAccessKey":"a-SECRET",)"
                    R"("SessionToken":"token","Expiration":"{}"}})",
                    in(std::chrono::hours(1))));
  const Credentials found = find();
  EXPECT_EQ(found.access_key, "key");
  EXPECT_EQ(found.secret_key, "a-SECRET");
  EXPECT_EQ(found.session_token, "token");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(found.origin, "credential_process of profile default");
}

TEST_F(ProcessTest, NeedsNeitherATokenNorAnEnd) {
  print(R"({"Version":1,"AccessKeyId":"key","SecretAccessKey":"a-SECRET"})");
  EXPECT_EQ(find().session_token, "");
}

TEST_F(ProcessTest, RunsNoShell) {
  process("echo '{\"Version\":1,\"AccessKeyId\":\"$HOME | ; `id`\",\"SecretAccessKey\":\"s\"}'");
  EXPECT_EQ(find().access_key, "$HOME | ; `id`");
}

TEST_F(ProcessTest, RefusesWhatIsNotVersionOne) {
  print(R"({"Version":2,"AccessKeyId":"key","SecretAccessKey":"a-SECRET"})");
  expect_failure(ErrorKind::kInvalid, "its output is not of \"Version\": 1");
  print(R"({"AccessKeyId":"key","SecretAccessKey":"a-SECRET"})");
  expect_failure(ErrorKind::kInvalid, "the answer has no Version");
  print(R"({"Version":1,"SecretAccessKey":"a-SECRET"})");
  expect_failure(ErrorKind::kInvalid, "the answer has no AccessKeyId");
  print("a-SECRET");
  expect_failure(ErrorKind::kInvalid, "not the JSON object");
}

TEST_F(ProcessTest, SaysHowTheProgramFailedButNotWhatItSaid) {
  process("sh -c 'echo a-SECRET; echo a-SECRET >&2; exit 3'");
  expect_failure(ErrorKind::kInvalid, "profile default: ended with 3; run it by hand");
  process("sh -c 'kill -9 $$'");
  expect_failure(ErrorKind::kInvalid, "ended with 137");
  process("/nowhere/helper --get");
  expect_failure(ErrorKind::kInvalid, "run /nowhere/helper: ");
  process("'open");
  expect_failure(ErrorKind::kInvalid, "the command is empty or has an open quote");
}

TEST_F(ProcessTest, RefusesAProgramThatPrintsWithoutEnd) {
  process("yes a-SECRET");
  expect_failure(ErrorKind::kInvalid, "it prints too much");
}

TEST(RunProgram, KillsWhatDoesNotEnd) {
  ManualClock clock;
  const auto later = [&]() -> Task<> {
    const auto executor = co_await boost::asio::this_coro::executor;
    while (clock.sleepers() == 0) {
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
    }
    clock.advance(std::chrono::minutes(1));
  };
  const auto both = [&]() -> Task<ProgramResult> {
    boost::asio::co_spawn(co_await boost::asio::this_coro::executor, later(),
                          boost::asio::detached);
    co_return co_await run_program(clock, {"sh", "-c", "sleep 1000; true"}, std::chrono::minutes(1),
                                   100);
  };
  try {
    run_task(both());
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_STREQ(error.what(), "it does not end: took longer than 1m");
  }
}

TEST(RunProgram, GivesTheOutputOfProgramsWithAndWithoutAny) {
  ManualClock clock;
  const auto run = [&](std::vector<std::string> words) {
    return run_task(run_program(clock, std::move(words), std::chrono::minutes(1), 100'000));
  };
  const ProgramResult silent = run({"true"});
  EXPECT_EQ(silent.exit_code, 0);
  EXPECT_EQ(silent.output, "");
  EXPECT_EQ(run({"false"}).exit_code, 1);
  EXPECT_EQ(run({"cat"}).output, "");  // Its standard input is empty.
  EXPECT_EQ(run({"head", "-c", "90000", "/dev/zero"}).output, std::string(90'000, '\0'));
}

}  // namespace
}  // namespace headrace
