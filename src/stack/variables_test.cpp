#include "stack/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "stack/sample_stack.h"
#include "stack/yaml.h"

namespace headrace::stack {
namespace {

struct Replaced {
  std::string text;
  bool secret = false;
  std::string complaints;
};

Replaced replaced(const std::string& value) {
  sample::FakeEnvironment outside;
  outside.variables = {
      {"A", "apple"}, {"EMPTY", ""}, {"TRICK", "${env:A}"}, {"CREDENTIALS_DIRECTORY", "/creds"}};
  outside.files = {{"conf/note.txt", "line\r\n"},
                   {"/abs", "two\n\n"},
                   {"/creds/key", "k"},
                   {"conf/large", std::string((1 << 20) + 1, 'x')}};
  const std::string text = "v: '" + value + "'\n";
  Diagnostics diagnostics("h", text);
  auto root = parse_yaml(text, diagnostics);
  replace_variables(*root, outside, "conf", diagnostics);
  return {root->children[0].text, root->children[0].secret, diagnostics.text()};
}

TEST(Variables, AreReplacedInsideScalars) {
  EXPECT_EQ(replaced("<${env:A}-${env:A}>").text, "<apple-apple>");
  EXPECT_EQ(replaced("${env:NONE:-pear}").text, "pear");
  EXPECT_EQ(replaced("${env:NONE:-}").text, "");
  EXPECT_EQ(replaced("${env:EMPTY:-pear}").text, "pear");
  EXPECT_EQ(replaced("${env:EMPTY}").text, "");
  EXPECT_EQ(replaced("${env:A:-pear}").text, "apple");
  EXPECT_EQ(replaced("${env:NONE:-a:-b}").text, "a:-b");
}

TEST(Variables, LeaveOtherDollarsAlone) {
  EXPECT_EQ(replaced("$ $$ $A a$ $(x)").text, "$ $$ $A a$ $(x)");
  EXPECT_EQ(replaced("$${env:A}").text, "${env:A}");
  EXPECT_EQ(replaced("$$${env:A}").text, "$${env:A}");
}

TEST(Variables, AreNotLookedAtAgain) { EXPECT_EQ(replaced("${env:TRICK}").text, "${env:A}"); }

TEST(Variables, FromFilesAndCredentialsAreSecret) {
  EXPECT_FALSE(replaced("${env:A}").secret);
  const Replaced file = replaced("[${file:note.txt}]");
  EXPECT_EQ(file.text, "[line]");
  EXPECT_TRUE(file.secret);
  EXPECT_EQ(replaced("${file:/abs}").text, "two\n");
  EXPECT_EQ(replaced("${cred:key}").text, "k");
  EXPECT_TRUE(replaced("${cred:key}").secret);
}

TEST(Variables, AreNotReplacedInKeys) {
  const std::string text = "${env:A}: x\n";
  Diagnostics diagnostics("h", text);
  auto root = parse_yaml(text, diagnostics);
  replace_variables(*root, sample::FakeEnvironment(), "", diagnostics);
  EXPECT_EQ(root->children[0].key, "${env:A}");
  EXPECT_TRUE(diagnostics.ok());
}

struct BadVariable {
  const char* name;
  std::string value;
  std::uint32_t column;
  std::string_view message;
};

class BadVariableTest : public testing::TestWithParam<BadVariable> {};

TEST_P(BadVariableTest, IsToldWithItsPlace) {
  const BadVariable& row = GetParam();
  EXPECT_THAT(replaced(row.value).complaints,
              testing::StartsWith(fmt::format("h:1:{}: error: {}\nv: ", row.column, row.message)));
}

INSTANTIATE_TEST_SUITE_P(
    Scalars, BadVariableTest,
    testing::Values(
        BadVariable{"Unset", "ä ${env:NONE}", 7,
                    "the environment variable `NONE` is not set; set it, or write "
                    "`${env:NONE:-default}`"},
        BadVariable{"NoScheme", "a${HOME}", 6,
                    "`${HOME}` is no variable; there are `${env:NAME}`, `${file:PATH}` and "
                    "`${cred:NAME}`; write `$${` for a plain `${`"},
        BadVariable{"UnknownScheme", "${vault:x}", 5,
                    "`${vault:x}` is no variable; there are `${env:NAME}`, `${file:PATH}` and "
                    "`${cred:NAME}`; write `$${` for a plain `${`"},
        BadVariable{"NoFileName", "${file:}", 5,
                    "`${file:}` is no variable; there are `${env:NAME}`, `${file:PATH}` and "
                    "`${cred:NAME}`; write `$${` for a plain `${`"},
        BadVariable{"BadName", "${env:a b}", 5, "`a b` is no name of an environment variable"},
        BadVariable{"NeverClosed", "x ${env:A", 7,
                    "`${` is never closed; write `$${` for a plain `${`"},
        BadVariable{"NoFile", "${file:none}", 5, "read conf/none: no such file"},
        BadVariable{"LargeFile", "${file:large}", 5, "too large"},
        BadVariable{"CredentialOutside", "${cred:../x}", 5, "`../x` is no name of a credential"}),
    [](const auto& row) { return row.param.name; });

TEST(Variables, ASecondFailureInOneScalarPointsAtItself) {
  EXPECT_THAT(replaced("${env:X1} ${env:X2}").complaints,
              testing::AllOf(testing::HasSubstr("h:1:5: error: the environment variable `X1`"),
                             testing::HasSubstr("h:1:15: error: the environment variable `X2`")));
}

TEST(Variables, CredentialsNeedTheirFolder) {
  const std::string text = "v: ${cred:key}\n";
  Diagnostics diagnostics("h", text);
  auto root = parse_yaml(text, diagnostics);
  replace_variables(*root, sample::FakeEnvironment(), "", diagnostics);
  EXPECT_EQ(diagnostics.text(),
            "h:1:4: error: the credential `key` is not there: $CREDENTIALS_DIRECTORY is not set; "
            "give the service LoadCredential=key:PATH, or use `${file:PATH}`\n"
            "v: ${cred:key}\n"
            "   ^\n");
}

TEST(MachineEnvironment, ReadsVariablesAndFiles) {
  const Environment& machine = machine_environment();
  EXPECT_TRUE(machine.variable("PATH"));
  EXPECT_EQ(machine.variable("HEADRACE_IS_NEVER_SET"), std::nullopt);

  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / fmt::format("headrace-variables-{}", getpid());
  std::ofstream(file) << "12345";
  EXPECT_EQ(machine.file(file, 5), "12345");
  const auto kind_of = [&](const std::filesystem::path& path, std::size_t limit) {
    try {
      machine.file(path, limit);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kBug;
  };
  EXPECT_EQ(kind_of(file, 4), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(file.parent_path(), 4), ErrorKind::kInvalid);
  std::filesystem::remove(file);
  EXPECT_EQ(kind_of(file, 5), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace::stack
