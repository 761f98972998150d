#include "core/error.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <new>

namespace headrace {
namespace {

using std::chrono::milliseconds;

TEST(Error, SaysTheSameFromOneLevelUp) {
  const Error inner(ErrorKind::kTransient, "503 SlowDown", milliseconds(250));
  const Error outer = inner.during("PUT a/b");
  EXPECT_STREQ(outer.what(), "PUT a/b: 503 SlowDown");
  EXPECT_EQ(outer.kind(), ErrorKind::kTransient);
  EXPECT_EQ(outer.retry_after(), milliseconds(250));
}

TEST(Error, HasAWordForEachKind) {
  EXPECT_EQ(to_string(ErrorKind::kTransient), "transient");
  EXPECT_EQ(to_string(ErrorKind::kConflict), "conflict");
  EXPECT_EQ(to_string(ErrorKind::kInvalid), "invalid");
  EXPECT_EQ(to_string(ErrorKind::kCorrupt), "corrupt");
  EXPECT_EQ(to_string(ErrorKind::kCancelled), "cancelled");
  EXPECT_EQ(to_string(ErrorKind::kBug), "bug");
}

template <class Exception>
Error from(Exception exception) {
  return to_error(std::make_exception_ptr(std::move(exception)));
}

TEST(Error, IsMadeOfAnyException) {
  const Error ours = from(Error(ErrorKind::kCorrupt, "bad line", milliseconds(7)));
  EXPECT_EQ(ours.kind(), ErrorKind::kCorrupt);
  EXPECT_STREQ(ours.what(), "bad line");
  EXPECT_EQ(ours.retry_after(), milliseconds(7));

  using boost::system::system_error;
  EXPECT_EQ(from(system_error(boost::asio::error::operation_aborted)).kind(),
            ErrorKind::kCancelled);
  EXPECT_EQ(from(system_error(boost::asio::error::connection_reset)).kind(), ErrorKind::kTransient);
  EXPECT_EQ(from(std::bad_alloc()).kind(), ErrorKind::kTransient);
  EXPECT_EQ(from(std::logic_error("odd")).kind(), ErrorKind::kBug);
  EXPECT_STREQ(from(std::logic_error("odd")).what(), "odd");
  EXPECT_EQ(from(5).kind(), ErrorKind::kBug);
}

struct ErrnoCase {
  const char* name;
  int code;
  ErrorKind expected;
};

class ErrnoTest : public testing::TestWithParam<ErrnoCase> {};

TEST_P(ErrnoTest, IsClassifiedByWhatTheCallerShouldDo) {
  const Error error = errno_error(GetParam().code, "open a/b");
  EXPECT_EQ(error.kind(), GetParam().expected);
  EXPECT_TRUE(std::string_view(error.what()).starts_with("open a/b: ")) << error.what();
}

INSTANTIATE_TEST_SUITE_P(Calls, ErrnoTest,
                         testing::Values(ErrnoCase{"DiskFull", ENOSPC, ErrorKind::kTransient},
                                         ErrnoCase{"QuotaFull", EDQUOT, ErrorKind::kTransient},
                                         ErrnoCase{"DiskBroken", EIO, ErrorKind::kTransient},
                                         ErrnoCase{"NoDescriptors", EMFILE, ErrorKind::kTransient},
                                         ErrnoCase{"NotAllowed", EACCES, ErrorKind::kInvalid},
                                         ErrnoCase{"ReadOnly", EROFS, ErrorKind::kInvalid},
                                         ErrnoCase{"NotThere", ENOENT, ErrorKind::kInvalid}),
                         [](const auto& row) { return row.param.name; });

TEST(Error, TellsWhatToDoAboutAFullDisk) {
  EXPECT_STREQ(errno_error(ENOSPC, "write x").what(),
               "write x: No space left on device; free some space");
}

}  // namespace
}  // namespace headrace
