#include "app/iam.h"

#include "app/match.h"
#include "app/setup.h"
#include "setup/iam.h"

namespace headrace {
namespace {

using setup::objects_arn;

const std::set<std::string> kRead{"s3:GetObject"};
const std::set<std::string> kWrite{"s3:PutObject", "s3:PutObjectTagging",
                                   "s3:AbortMultipartUpload"};
const std::set<std::string> kDelete{"s3:DeleteObject"};
const std::set<std::string> kReadTags{"s3:GetObjectTagging"};
const std::set<std::string> kWriteTags{"s3:PutObjectTagging"};

/// What comes before the first field of a template.
std::string head_of(const std::string& text) { return text.substr(0, text.find('{')); }

/// Goes through a stack and allows what each part of it does.
class Grants {
 public:
  explicit Grants(const StackFile& stack) : stack_(stack) {}

  setup::IamPolicy take() {
    for (const auto& [name, source] : stack_.sources) add_source(*source);
    for (const auto& [name, table] : stack_.tables) add_table(*table);
    for (const auto& [name, dataset] : stack_.datasets) {
      if (!on_s3(dataset->store)) continue;
      policy_.allow(objects_arn(dataset->bucket, dataset->prefix), kRead);
      policy_.allow_list(dataset->bucket, dataset->prefix);
    }
    for (const auto& [name, route] : stack_.routes) {
      for (const SourceFields& from : sources_of(stack_, *route)) add_route(*route, from);
    }
    return std::move(policy_);
  }

 private:
  bool on_s3(const std::string& store) const {
    const auto found = stack_.stores.find(store);
    return found != stack_.stores.end() && std::holds_alternative<S3StoreStanza>(*found->second);
  }

  void add_source(const SourceStanza& source) {
    if (const auto* sqs = std::get_if<SqsStanza>(&source)) {
      policy_.allow(setup::queue_arn(setup::place_of(*sqs)),
                    {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility",
                     "sqs:GetQueueAttributes", "sqs:GetQueueUrl"});
    }
    const SourceFields& fields = common(source);
    if (std::holds_alternative<ListingStanza>(source) && on_s3(fields.store)) {
      policy_.allow_list(fields.bucket, fields.prefix);
    }
  }

  void add_table(const TableConfig& table) {
    if (!on_s3(table.store)) return;
    const std::size_t slash = table.location.find('/');
    const std::string bucket = table.location.substr(0, slash);
    const std::string prefix = head_of(table.location.substr(slash + 1));
    allow(bucket, prefix, {kRead, kWrite, kDelete});
    policy_.allow_list(bucket, prefix);
    allow_probe(bucket);
  }

  void allow(const std::string& bucket, const std::string& prefix,
             std::initializer_list<std::set<std::string>> actions) {
    if (bucket.empty()) return;
    for (const auto& some : actions) policy_.allow(objects_arn(bucket, prefix), some);
  }

  /// Conditional writes are tried once per bucket (docs/stores.md).
  void allow_probe(const std::string& bucket) {
    allow(bucket, ".headrace/probe-", {kRead, kWrite, kDelete});
  }

  void add_target(const SourceFields& from, const TargetConfig& step) {
    if (!on_s3(step.store.empty() ? from.store : step.store)) return;
    const std::string& bucket = step.bucket.empty() ? from.bucket : step.bucket;
    allow(head_of(bucket), head_of(step.to), {kRead, kWrite});
    allow_probe(head_of(bucket));
  }

  void add_route(const RouteConfig& route, const SourceFields& from) {
    const bool here = on_s3(from.store);
    const std::string prefix = setup::key_ends(from).prefix;
    if (here && !match_of(stack_.folder, route.match).unless_tagged.empty()) {
      allow(from.bucket, prefix, {kReadTags});
    }
    for (const auto& step : route.steps) {
      const bool edits = std::holds_alternative<EditConfig>(step.value);
      const bool moves = std::holds_alternative<MoveConfig>(step.value);
      const bool tags = std::holds_alternative<TagConfig>(step.value);
      const bool deletes = std::holds_alternative<DeleteConfig>(step.value);
      if (const auto target = target_of(step.value)) add_target(from, *target);
      if (!here) continue;
      allow(from.bucket, prefix, {kRead});
      if (edits) allow_probe(from.bucket);
      if (edits) allow(from.bucket, prefix, {kWrite, kReadTags});
      if (tags) allow(from.bucket, prefix, {kReadTags, kWriteTags});
      if (moves || deletes) allow(from.bucket, prefix, {kDelete});
      if (moves || std::holds_alternative<CopyConfig>(step.value)) {
        allow(from.bucket, prefix, {kReadTags});
      }
    }
  }

  const StackFile& stack_;
  setup::IamPolicy policy_;
};

}  // namespace

std::string iam_policy(const StackFile& stack, bool with_setup) {
  setup::IamPolicy policy = Grants(stack).take();
  if (with_setup) {
    setup::allow_setup(policy, setup::work_out(setup_needs(stack)), stack.name);
    if (const auto state = setup::work_out(setup_needs(stack)).state) {
      policy.allow(objects_arn(state->bucket, ".headrace/probe-"), kRead);
      policy.allow(objects_arn(state->bucket, ".headrace/probe-"), kWrite);
    }
  }
  return policy.json();
}

}  // namespace headrace
