#include "route/convert_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "event/producer_rules.h"
#include "route/case_text.h"
#include "route/json_tree.h"
#include "route/pattern.h"

namespace headrace {
namespace {

using Kind = JsonTree::Kind;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::kInvalid, what); }

std::string_view raw(std::string_view text, const JsonTree& tree) {
  return text.substr(tree.begin, tree.end - tree.begin);
}

/// `inner` nested under the names of a dotted path.
std::string nested(std::string_view under, const std::string& inner) {
  if (under.empty()) return inner;
  std::string out;
  append_json_string(out, under.substr(0, under.find('.')));
  const std::size_t dot = under.find('.');
  const std::string_view rest = dot == std::string_view::npos ? "" : under.substr(dot + 1);
  return fmt::format("{{{}:{}}}", out, nested(rest, inner));
}

void check_pattern(const std::string& pattern, std::string_view what) {
  try {
    Pattern::parse(pattern);
  } catch (const Error& error) {
    throw error.during(what);
  }
}

/// Attributes have no fields of their own.
void check_flat(const JsonTree& policy) {
  for (std::size_t i = 0; i < policy.names.size(); ++i) {
    const JsonTree& item = policy.items[i];
    if (policy.names[i] == "$or") {
      for (const JsonTree& branch : item.items) check_flat(branch);
    } else if (item.kind == Kind::kObject) {
      refuse(
          fmt::format("SNS filter policy: {} is an object, but attributes have no fields: is it "
                      "a policy on the body (--scope body)?",
                      policy.names[i]));
    }
  }
}

const JsonTree* find_any(const JsonTree& tree, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const JsonTree* found = tree.find(name)) return found;
  }
  return nullptr;
}

const std::string& text_of(const JsonTree& tree, std::string_view what) {
  if (tree.kind != Kind::kString) {
    refuse(fmt::format("S3 notifications: {} must be a string, not {} (byte {})", what,
                       describe(tree.kind), tree.begin));
  }
  return tree.text;
}

/// What a bucket's events are called in notifications, and as detail-types.
struct EventName {
  std::string_view prefix;  // After "s3:".
  std::vector<std::string_view> types;
};
const EventName kEventNames[] = {
    {"ObjectCreated:", {"Object Created"}},
    {"ObjectRemoved:", {"Object Deleted"}},
    {"ObjectTagging:", {"Object Tags Added", "Object Tags Deleted"}},
    {"ObjectAcl:", {"Object ACL Updated"}},
    {"ObjectRestore:",
     {"Object Restore Initiated", "Object Restore Completed", "Object Restore Expired"}},
    {"LifecycleExpiration:", {"Object Deleted"}},
    {"LifecycleTransition", {"Object Storage Class Changed"}},
    {"IntelligentTiering", {"Object Access Tier Changed"}},
};

/// Reads one configuration.
class NotificationReader {
 public:
  ConvertedPattern read(const JsonTree& configuration) {
    for (const std::string_view name :
         {"QueueArn", "TopicArn", "LambdaFunctionArn", "Queue", "Topic", "CloudFunction"}) {
      if (const JsonTree* target = configuration.find(name)) target_ = text_of(*target, name);
    }
    if (const JsonTree* id = configuration.find("Id")) out_.name = text_of(*id, "Id");
    if (!target_.empty()) out_.name += (out_.name.empty() ? "" : " ") + target_;
    if (const JsonTree* events = find_any(configuration, {"Events", "Event"})) types(*events);
    const JsonTree* filter = find_any(configuration, {"Filter"});
    if (filter) rules(*filter);
    if (types_.empty() && !filter) refuse("S3 notifications: this has neither Events nor a Filter");
    write();
    return std::move(out_);
  }

  ConvertedPattern read_filter(const JsonTree& filter) {
    rules(filter);
    write();
    return std::move(out_);
  }

 private:
  void types(const JsonTree& events) {
    if (events.kind == Kind::kArray) {
      for (const JsonTree& event : events.items) type(text_of(event, "an event's name"));
    } else {
      type(text_of(events, "an event's name"));
    }
  }

  void type(const std::string& event) {
    const std::string_view name = std::string_view(event).substr(event.starts_with("s3:") ? 3 : 0);
    if (name == "*") refuse("S3 notifications: \"s3:*\" is no event that S3 takes");
    for (const EventName& known : kEventNames) {
      if (!name.starts_with(known.prefix)) continue;
      const std::string_view rest = name.substr(known.prefix.size());
      if (rest.empty() && known.prefix.ends_with(':')) break;
      types_.insert(known.types.begin(), known.types.end());
      if (!rest.empty() && rest != "*") {
        out_.notes.push_back(
            fmt::format("{}: which of the ways it was cannot be told from an "
                        "event: the pattern takes all of them",
                        event));
      }
      return;
    }
    refuse(fmt::format("S3 notifications: no event has the name {}", event));
  }

  void rules(const JsonTree& filter) {
    const JsonTree* key = find_any(filter, {"Key", "S3Key"});
    const JsonTree* rules = find_any(key ? *key : filter, {"FilterRules", "FilterRule"});
    if (!rules || rules->kind != Kind::kArray) {
      refuse("S3 notifications: a Filter must hold Key.FilterRules, an array");
    }
    for (const JsonTree& rule : rules->items) {
      const JsonTree* name = rule.find("Name");
      const JsonTree* value = rule.find("Value");
      if (!name || !value) refuse("S3 notifications: a filter rule must have a Name and a Value");
      const std::string which = text_of(*name, "Name");
      std::string* part = CaseText("prefix").equals(which)   ? &prefix_
                          : CaseText("suffix").equals(which) ? &suffix_
                                                             : nullptr;
      if (!part) {
        refuse(
            fmt::format("S3 notifications: a filter rule is a prefix or a suffix, not {}", which));
      }
      if (!part->empty()) refuse(fmt::format("S3 notifications: there are two rules of {}", which));
      const std::string& given = text_of(*value, "Value");
      *part = decode_form_key(given);
      if (*part == given) continue;
      out_.notes.push_back(
          fmt::format("{} \"{}\" is \"{}\": in these filters S3 takes + for a space, and %XX for "
                      "what cannot stand there",
                      which, given, *part));
    }
  }

  static std::string escaped(const std::string& literal) {
    std::string out;
    for (const char c : literal) {
      if (c == '*' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    return out;
  }

  /// A key fits both rules also where prefix and suffix overlap, which no wildcard says: the few
  /// keys that are so short stand beside it.
  void key(JsonWriter& json) const {
    json.begin_array();
    if (prefix_.empty()) {
      json.begin_object().key("suffix").string(suffix_).end_object();
    } else if (suffix_.empty()) {
      json.begin_object().key("prefix").string(prefix_).end_object();
    } else {
      json.begin_object().key("wildcard").string(escaped(prefix_) + "*" + escaped(suffix_));
      json.end_object();
      const std::size_t most = std::min(prefix_.size(), suffix_.size());
      for (std::size_t shared = 1; shared <= most; ++shared) {
        if (!prefix_.ends_with(std::string_view(suffix_).substr(0, shared))) continue;
        json.string(prefix_ + suffix_.substr(shared));
      }
    }
    json.end_array();
  }

  void write() {
    JsonWriter json;
    json.begin_object().key("detail-type").begin_array();
    if (types_.empty()) types_.insert("Object Created");
    for (const std::string_view type : types_) json.string(type);
    json.end_array();
    if (!prefix_.empty() || !suffix_.empty()) {
      json.key("detail").begin_object().key("object").begin_object().key("key");
      key(json);
      json.end_object().end_object();
    }
    json.end_object();
    out_.pattern = std::move(json).text();
  }

  ConvertedPattern out_;
  std::string target_;
  std::set<std::string_view> types_;
  std::string prefix_;
  std::string suffix_;
};

JsonTree tree_of(std::string_view json, std::string_view what) {
  try {
    JsonTree tree = parse_json_tree(json);
    if (tree.kind != Kind::kObject) refuse("it must be a JSON object");
    return tree;
  } catch (const Error& error) {
    throw error.during(what);
  }
}

}  // namespace

ConvertedPattern convert_sns_policy(std::string_view json, SnsScope scope, std::string_view under) {
  const JsonTree policy = tree_of(json, "SNS filter policy");
  const JsonTree* attributes = policy.find("Attributes");
  const JsonTree& subscription = attributes ? *attributes : policy;
  const JsonTree* inside = subscription.find("FilterPolicy");
  if (inside && inside->kind == Kind::kString) {
    const JsonTree* said = subscription.find("FilterPolicyScope");
    if (said) scope = said->text == "MessageBody" ? SnsScope::kBody : SnsScope::kAttributes;
    return convert_sns_policy(inside->text, scope, under);
  }
  if (scope == SnsScope::kAttributes) check_flat(policy);
  ConvertedPattern out;
  out.pattern = nested(under, std::string(raw(json, policy)));
  check_pattern(out.pattern, "SNS filter policy");
  return out;
}

std::vector<ConvertedPattern> convert_s3_notifications(std::string_view json) {
  const JsonTree tree = tree_of(json, "S3 notifications");
  if (find_any(tree, {"Key", "S3Key", "FilterRules"})) {
    return {NotificationReader().read_filter(tree)};
  }
  std::vector<ConvertedPattern> out;
  bool whole = tree.find("EventBridgeConfiguration") != nullptr;
  for (const std::string_view kind :
       {"TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations",
        "TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration"}) {
    const JsonTree* list = tree.find(kind);
    if (!list) continue;
    whole = true;
    if (list->kind == Kind::kObject) out.push_back(NotificationReader().read(*list));
    for (const JsonTree& one : list->kind == Kind::kArray ? list->items : std::vector<JsonTree>()) {
      out.push_back(NotificationReader().read(one));
    }
  }
  if (!whole) out.push_back(NotificationReader().read(tree));
  for (const ConvertedPattern& one : out) check_pattern(one.pattern, "S3 notifications");
  return out;
}

}  // namespace headrace
