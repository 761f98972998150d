#include "setup/iam.h"

#include <fmt/format.h>

#include "core/json.h"

namespace headrace::setup {
namespace {

std::string quoted_list(const std::set<std::string>& items) {
  std::string text = "[";
  std::string separator = "\n        ";
  for (const std::string& item : items) {
    text += std::exchange(separator, ",\n        ");
    append_json_string(text, item);
  }
  return text + "\n      ]";
}

std::string statement(const std::set<std::string>& actions, const std::set<std::string>& resources,
                      const std::string& condition = "") {
  return fmt::format(
      "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}{}\n    "
      "}}",
      quoted_list(actions), quoted_list(resources), condition);
}

/// The region in "https://sqs.eu-west-1.amazonaws.com eu-west-1".
std::string region_of(const std::string& home) { return home.substr(home.find(' ') + 1); }

std::string service_arn(std::string_view service, const std::string& home,
                        const std::string& name) {
  return fmt::format("arn:aws:{}:{}:*:{}", service, region_of(home), name);
}

void allow_bucket(IamPolicy& policy, const std::string& bucket) {
  policy.allow(bucket_arn(bucket),
               {"s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions",
                "s3:ListBucketMultipartUploads", "s3:GetBucketVersioning", "s3:PutBucketVersioning",
                "s3:GetBucketNotification", "s3:PutBucketNotification"});
  policy.allow(objects_arn(bucket, ""),
               {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"});
}

}  // namespace

std::string bucket_arn(const std::string& bucket) { return "arn:aws:s3:::" + bucket; }

std::string objects_arn(const std::string& bucket, const std::string& prefix) {
  return bucket_arn(bucket) + "/" + prefix + "*";
}

std::string queue_arn(const QueuePlace& place) {
  return service_arn("sqs", place.home(), place.queue);
}

void IamPolicy::allow(const std::string& resource, const std::set<std::string>& actions) {
  allowed_[resource].insert(actions.begin(), actions.end());
}

void IamPolicy::allow_list(const std::string& bucket, const std::string& prefix) {
  lists_[bucket].insert(prefix);
}

std::string IamPolicy::json() const {
  std::map<std::set<std::string>, std::set<std::string>> by_actions;
  for (const auto& [resource, actions] : allowed_) by_actions[actions].insert(resource);
  std::vector<std::string> statements;
  for (const auto& [actions, resources] : by_actions) {
    statements.push_back(statement(actions, resources));
  }
  for (const auto& [bucket, prefixes] : lists_) {
    std::string condition;
    if (!prefixes.contains("")) {
      std::set<std::string> patterns;
      for (const std::string& prefix : prefixes) patterns.insert(prefix + "*");
      condition =
          fmt::format(",\n      \"Condition\": {{ \"StringLike\": {{ \"s3:prefix\": {} }} }}",
                      quoted_list(patterns));
    }
    statements.push_back(statement({"s3:ListBucket"}, {bucket_arn(bucket)}, condition));
  }
  return fmt::format("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n",
                     fmt::join(statements, ",\n"));
}

void allow_setup(IamPolicy& policy, const Wanted& wanted, const std::string& stack) {
  if (wanted.state) {
    policy.allow(objects_arn(wanted.state->bucket, ".headrace/" + stack + "/"),
                 {"s3:GetObject", "s3:PutObject"});
  }
  for (const Resource& resource : wanted.resources) {
    if (resource.home.starts_with("store ")) continue;
    switch (resource.kind) {
      case Kind::kBucket:
        allow_bucket(policy, resource.name);
        break;
      case Kind::kQueue:
        policy.allow(service_arn("sqs", resource.home, resource.name),
                     {"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueUrl",
                      "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"});
        break;
      case Kind::kTopic:
        policy.allow("*", {"sns:ListTopics", "sns:Unsubscribe"});
        policy.allow(service_arn("sns", resource.home, resource.name),
                     {"sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes",
                      "sns:SetTopicAttributes", "sns:Subscribe", "sns:ListSubscriptionsByTopic"});
        break;
      case Kind::kPermission:
      case Kind::kSubscription:
      case Kind::kRule:
        break;  // Rights on the two sides, which are above.
    }
  }
}

}  // namespace headrace::setup
