#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "stack/document.h"
#include "step/copy.h"
#include "step/delete.h"
#include "step/edit.h"
#include "step/move.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

template <class T>
struct Read {
  std::optional<T> value;
  std::string errors;
};

template <class T>
Read<T> read(const stack::Spec<T>& spec, std::string yaml) {
  stack::Document document("headrace.yaml", std::move(yaml), stack::machine_environment());
  auto value = document.read(spec);
  return {std::move(value), document.diagnostics().text()};
}

TEST(StepSpecs, AnEditIsReadWithAnyJsonAsValues) {
  const auto edit = read(edit_spec(), R"(
set: { a: "", b.c: 1.50, d: { x: [1, null] } }
remove: [e, "f\\.g"]
rename: { h: i }
if_absent: skip
on_bad_line: fail
line_bytes: 1MiB
)");
  ASSERT_TRUE(edit.value) << edit.errors;
  EXPECT_EQ(edit.value->set.at("a").text, R"("")");
  EXPECT_EQ(edit.value->set.at("b.c").text, "1.50");
  EXPECT_EQ(edit.value->set.at("d").text, R"({"x":[1,null]})");
  EXPECT_THAT(edit.value->remove, ElementsAre("e", "f\\.g"));
  EXPECT_THAT(edit.value->rename, ElementsAre(Pair("h", "i")));
  EXPECT_EQ(edit.value->if_absent, IfAbsent::kSkip);
  EXPECT_EQ(edit.value->on_bad_line, OnBadLine::kFail);
  EXPECT_EQ(edit.value->line_bytes, 1u << 20);
}

TEST(StepSpecs, AnEditThatMakesNoSenseIsToldAtItsPlace) {
  EXPECT_THAT(read(edit_spec(), "set: { a: 1 }\nremove: [a]\n").errors,
              HasSubstr("another edit touches 'a'"));
  EXPECT_THAT(read(edit_spec(), "remove: [a..b]\n").errors,
              HasSubstr("a name in the path is empty"));
  EXPECT_THAT(read(edit_spec(), "if_absent: add\n").errors,
              HasSubstr("needs set, remove or rename"));
  EXPECT_THAT(read(edit_spec(), "sets: {}\n").errors, HasSubstr("set"));
}

TEST(StepSpecs, ATargetIsRead) {
  const auto copy = read(copy_spec(), "to: \"archive/{key...}\"\nbucket: b\nstore: cold\n");
  ASSERT_TRUE(copy.value) << copy.errors;
  EXPECT_EQ(copy.value->to, "archive/{key...}");
  EXPECT_EQ(copy.value->bucket, "b");
  EXPECT_EQ(copy.value->store, "cold");
  const auto move = read(move_spec(), "to: \"archive/{filename}\"\noverwrite: true\n");
  ASSERT_TRUE(move.value) << move.errors;
  EXPECT_TRUE(move.value->overwrite);
}

TEST(StepSpecs, ATemplateThatIsRefusedIsToldAtItsPlace) {
  EXPECT_THAT(read(move_spec(), "to: \"a/{x}{y}\"\n").errors, HasSubstr("headrace.yaml:1:"));
  EXPECT_THAT(read(copy_spec(), "bucket: b\n").errors, HasSubstr("to"));
}

TEST(StepSpecs, ADeleteHasNoFields) { EXPECT_TRUE(read(delete_spec(), "{}\n").value); }

}  // namespace
}  // namespace headrace
