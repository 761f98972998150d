#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/parts.h"
#include "app/stack_file.h"
#include "setup/setup.h"

namespace headrace {

/// A stack as far as it needs something outside. Pure.
setup::Needs setup_needs(const StackFile& stack);

/// What `plan`, `apply` and `destroy` work with: a stack's s3 stores, its SQS and SNS, wired to
/// each other. The stack and what is given outlive it; all of it lives on the given loop.
class StackSetup {
 public:
  /// Throws kInvalid if the stack makes no sense outside.
  StackSetup(const StackFile& stack, const Parts::Given& given);

  setup::Setup& operator*() { return setup_; }
  setup::Setup* operator->() { return &setup_; }
  setup::Outside& outside() { return outside_; }
  /// An s3 store of the stack. Throws kInvalid if it has none of that name and kind.
  S3Store& store(const std::string& name);

 private:
  /// For the services at a home; throws kInvalid if its ca_file can't be read.
  HttpClient& client(const std::string& home);

  const StackFile& stack_;
  Parts::Given given_;
  HttpClients http_;
  std::map<std::string, std::unique_ptr<S3Store>> stores_;
  setup::Outside outside_;
  setup::Setup setup_;
};

}  // namespace headrace
