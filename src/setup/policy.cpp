#include "setup/policy.h"

#include <simdjson.h>

#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace headrace::setup {
namespace {

using simdjson::dom::element;

struct Statement {
  std::string id;
  std::string json;
  std::string sender;
};

std::string text_at(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// The source ARN that a statement's condition asks for, under whichever operator.
std::string sender_in(const element& statement) {
  simdjson::dom::object condition;
  if (statement["Condition"].get(condition) != simdjson::SUCCESS) return "";
  for (const auto& [name, keys] : condition) {
    for (const char* key : {"aws:SourceArn", "AWS:SourceArn", "aws:sourcearn"}) {
      if (std::string text = text_at(keys, key); !text.empty()) return text;
    }
  }
  return "";
}

Statement statement_of(const element& given) {
  return {text_at(given, "Sid"), std::string(simdjson::minify(given)), sender_in(given)};
}

struct Policy {
  std::string version = "2012-10-17";
  std::string id;
  std::vector<Statement> statements;
};

Policy read(std::string_view text) {
  Policy policy;
  if (text.empty()) return policy;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    throw Error(ErrorKind::kInvalid, "a policy that is there already is no JSON object");
  }
  if (std::string version = text_at(root, "Version"); !version.empty()) {
    policy.version = std::move(version);
  }
  policy.id = text_at(root, "Id");
  element statements;
  if (root["Statement"].get(statements) != simdjson::SUCCESS) return policy;
  if (!statements.is_array()) {
    policy.statements.push_back(statement_of(statements));
    return policy;
  }
  for (const element one : statements.get_array()) policy.statements.push_back(statement_of(one));
  return policy;
}

std::string write(const Policy& policy) {
  JsonWriter json;
  json.begin_object().key("Version").string(policy.version);
  if (!policy.id.empty()) json.key("Id").string(policy.id);
  json.key("Statement").begin_array();
  for (const Statement& statement : policy.statements) json.raw(statement.json);
  json.end_array().end_object();
  return std::move(json).text();
}

std::string arn_account(std::string_view arn) {
  for (int i = 0; i < 4; ++i) arn.remove_prefix(std::min(arn.size(), arn.find(':') + 1));
  return std::string(arn.substr(0, arn.find(':')));
}

std::string statement_json(const Permission& permission) {
  const bool from_bucket = permission.sender.contains(":s3:");
  const bool to_topic = permission.resource.contains(":sns:");
  JsonWriter json;
  json.begin_object().key("Sid").string(permission.id).key("Effect").string("Allow");
  json.key("Principal").begin_object().key("Service");
  json.string(from_bucket ? "s3.amazonaws.com" : "sns.amazonaws.com").end_object();
  json.key("Action").string(to_topic ? "SNS:Publish" : "sqs:SendMessage");
  json.key("Resource").string(permission.resource);
  json.key("Condition").begin_object();
  json.key("ArnEquals").begin_object().key("aws:SourceArn").string(permission.sender).end_object();
  // A bucket's ARN names no account: a bucket of that name made anew by another one may not send.
  if (from_bucket) {
    json.key("StringEquals").begin_object().key("aws:SourceAccount");
    json.string(arn_account(permission.resource)).end_object();
  }
  json.end_object().end_object();
  return std::move(json).text();
}

}  // namespace

std::optional<std::string> sender_of(std::string_view policy, std::string_view id) {
  for (const Statement& statement : read(policy).statements) {
    if (statement.id == id) return statement.sender;
  }
  return std::nullopt;
}

std::string with_permission(std::string_view text, const Permission& permission) {
  Policy policy = read(text);
  std::erase_if(policy.statements, [&](const Statement& s) { return s.id == permission.id; });
  policy.statements.push_back({permission.id, statement_json(permission), permission.sender});
  return write(policy);
}

std::string without_permission(std::string_view text, std::string_view id) {
  Policy policy = read(text);
  std::erase_if(policy.statements, [&](const Statement& s) { return s.id == id; });
  return policy.statements.empty() ? "" : write(policy);
}

}  // namespace headrace::setup
