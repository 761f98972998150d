#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A bucket's notification configuration: one XML document whose rules belong to many, so that ours
// are put in and taken out of what is there.
namespace headrace::setup {

struct Rule {
  std::string id;
  std::string target;  ///< ARN.
  std::vector<std::string> events{};
  std::string prefix{};
  std::string suffix{};
  bool to_topic = false;  ///< TopicConfiguration; else QueueConfiguration.
};

/// All rules but those that have another shape (EventBridge). Throws kTransient for broken XML.
std::vector<Rule> read_rules(std::string_view xml);
/// The document with this rule added or replaced by its id; everything else stays.
std::string with_rule(std::string_view xml, const Rule& rule);
std::string without_rule(std::string_view xml, std::string_view id);

/// Would both rules want one event of one key? Amazon S3 refuses such pairs.
bool overlap(const Rule& one, const Rule& other);

/// "created", "created, removed", or the events as they are if they are others.
std::string events_text(const std::vector<std::string>& events);
/// The reverse.
std::vector<std::string> events_of(std::string_view text);

}  // namespace headrace::setup
