#include "setup/notification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <pugixml.hpp>
#include <sstream>

#include "core/error.h"

namespace headrace::setup {
namespace {

constexpr const char* kRoot = "NotificationConfiguration";
constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
constexpr const char* kTopicRule = "TopicConfiguration";
constexpr const char* kQueueRule = "QueueConfiguration";
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata_single;
constexpr std::string_view kCreated = "s3:ObjectCreated:*";
constexpr std::string_view kRemoved = "s3:ObjectRemoved:*";

pugi::xml_document parse(std::string_view xml) {
  pugi::xml_document document;
  if (!xml.empty()) {
    const auto parsed = document.load_buffer(xml.data(), xml.size(), kParse, pugi::encoding_utf8);
    if (!parsed) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("the bucket's notification configuration is no XML: {}",
                              parsed.description()));
    }
  }
  if (!document.document_element()) {
    document.append_child(kRoot).append_attribute("xmlns") = kNamespace;
  }
  // moto names an empty one after the request.
  document.document_element().set_name(kRoot);
  return document;
}

std::string text(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return std::move(out).str();
}

bool is_rule(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name == kTopicRule || name == kQueueRule || name == "CloudFunctionConfiguration";
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Rule rule_of(const pugi::xml_node& node) {
  Rule rule;
  rule.id = node.child_value("Id");
  rule.to_topic = std::string_view(node.name()) == kTopicRule;
  for (const char* name : {"Queue", "Topic", "CloudFunction"}) {
    if (node.child(name)) rule.target = node.child_value(name);
  }
  for (const auto event : node.children("Event")) rule.events.emplace_back(event.child_value());
  for (const auto part : node.child("Filter").child("S3Key").children("FilterRule")) {
    const std::string name = lower(part.child_value("Name"));  // Any case is taken, and given.
    if (name == "prefix") rule.prefix = part.child_value("Value");
    if (name == "suffix") rule.suffix = part.child_value("Value");
  }
  return rule;
}

void remove_rule(pugi::xml_document& document, std::string_view id) {
  pugi::xml_node root = document.document_element();
  for (pugi::xml_node node = root.first_child(); node;) {
    const pugi::xml_node next = node.next_sibling();
    if (is_rule(node) && id == node.child_value("Id")) root.remove_child(node);
    node = next;
  }
}

void add_text(pugi::xml_node parent, const char* name, const std::string& value) {
  parent.append_child(name).append_child(pugi::node_pcdata).set_value(value.c_str());
}

void add_filter(pugi::xml_node rules, const char* name, const std::string& value) {
  if (value.empty()) return;
  pugi::xml_node rule = rules.append_child("FilterRule");
  add_text(rule, "Name", name);
  add_text(rule, "Value", value);
}

/// Topics stand before queues.
pugi::xml_node place_for(pugi::xml_node root, bool topic) {
  if (topic) return root.prepend_child(kTopicRule);
  pugi::xml_node last;
  for (const auto node : root.children(kTopicRule)) last = node;
  return last ? root.insert_child_after(kQueueRule, last) : root.prepend_child(kQueueRule);
}

bool may_be_equal(std::string_view one, std::string_view other) {
  for (std::string_view* event : {&one, &other}) {
    if (event->starts_with("s3:")) event->remove_prefix(3);
  }
  const auto covers = [](std::string_view wide, std::string_view narrow) {
    return wide.ends_with('*') && narrow.starts_with(wide.substr(0, wide.size() - 1));
  };
  return one == other || covers(one, other) || covers(other, one);
}

}  // namespace

std::vector<Rule> read_rules(std::string_view xml) {
  const auto document = parse(xml);
  std::vector<Rule> rules;
  for (const auto node : document.document_element().children()) {
    if (is_rule(node)) rules.push_back(rule_of(node));
  }
  return rules;
}

std::string with_rule(std::string_view xml, const Rule& rule) {
  auto document = parse(xml);
  remove_rule(document, rule.id);
  pugi::xml_node node = place_for(document.document_element(), rule.to_topic);
  add_text(node, "Id", rule.id);
  add_text(node, rule.to_topic ? "Topic" : "Queue", rule.target);
  for (const std::string& event : rule.events) add_text(node, "Event", event);
  if (!rule.prefix.empty() || !rule.suffix.empty()) {
    pugi::xml_node key = node.append_child("Filter").append_child("S3Key");
    add_filter(key, "prefix", rule.prefix);
    add_filter(key, "suffix", rule.suffix);
  }
  return text(document);
}

std::string without_rule(std::string_view xml, std::string_view id) {
  auto document = parse(xml);
  remove_rule(document, id);
  return text(document);
}

bool overlap(const Rule& one, const Rule& other) {
  const bool events = std::ranges::any_of(one.events, [&](const std::string& event) {
    return std::ranges::any_of(other.events,
                               [&](const std::string& also) { return may_be_equal(event, also); });
  });
  const bool prefix = one.prefix.starts_with(other.prefix) || other.prefix.starts_with(one.prefix);
  const bool suffix = one.suffix.ends_with(other.suffix) || other.suffix.ends_with(one.suffix);
  return events && prefix && suffix;
}

std::string events_text(const std::vector<std::string>& events) {
  std::vector<std::string> words;
  for (const std::string& event : events) {
    words.push_back(event == kCreated ? "created" : event == kRemoved ? "removed" : event);
  }
  std::ranges::sort(words);
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<std::string> events_of(std::string_view text) {
  std::vector<std::string> events{std::string(kCreated)};
  if (text.contains("removed")) events.emplace_back(kRemoved);
  return events;
}

}  // namespace headrace::setup
