#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace headrace {

/// What `work` says when it throws an Error of this kind; fails the test if it does not.
template <class Work>
std::string refusal(ErrorKind kind, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace headrace
