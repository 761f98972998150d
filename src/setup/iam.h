#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "setup/wanted.h"

namespace headrace::setup {

/// An IAM policy that is put together piece by piece: what is allowed on one thing adds up, things
/// that allow the same share a statement.
class IamPolicy {
 public:
  /// `resource`: an ARN, with '*' and '?' as IAM has them.
  void allow(const std::string& resource, const std::set<std::string>& actions);
  /// Listing the keys of a bucket that begin with `prefix`; empty: all.
  void allow_list(const std::string& bucket, const std::string& prefix);

  /// Indented JSON that ends with a line end.
  std::string json() const;

 private:
  std::map<std::string, std::set<std::string>> allowed_;  // Resource -> actions.
  std::map<std::string, std::set<std::string>> lists_;    // Bucket -> prefixes.
};

std::string bucket_arn(const std::string& bucket);
/// Keys that begin with `prefix`.
std::string objects_arn(const std::string& bucket, const std::string& prefix);
/// "arn:aws:sqs:eu-west-1:*:landing"
std::string queue_arn(const QueuePlace& place);

/// Adds what plan, apply and destroy ask for.
void allow_setup(IamPolicy& policy, const Wanted& wanted, const std::string& stack);

}  // namespace headrace::setup
