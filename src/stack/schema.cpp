#include <fmt/format.h>

#include "stack/sections.h"

namespace headrace::stack {
namespace {

/// A schema with what an editor shows beside it. Draft-07 ignores all neighbours of a $ref.
void write_described(JsonWriter& json, const AnyType& type, std::string_view doc,
                     const FieldInfo* field) {
  JsonWriter inner;
  type.schema(inner);
  const std::string& schema = inner.text();
  json.begin_object().key("description").string(doc);
  if (field && field->fallback) {
    write_json(json.key("default"), *field->fallback);
  }
  if (field && !field->examples.empty()) {
    json.key("examples").begin_array();
    for (const Node& example : field->examples) write_json(json, example);
    json.end_array();
  }
  json.key("allOf").begin_array().raw(schema).end_array();
  json.end_object();
}

}  // namespace

void StructSection::map_schema(JsonWriter& json, std::string_view kind) const {
  json.begin_object().key("type").string("object");
  json.key("description").string(doc_);
  json.key("additionalProperties").boolean(false).key("properties").begin_object();
  if (!kind.empty()) json.key("kind").begin_object().key("const").string(kind).end_object();
  for (const FieldInfo& field : fields_) {
    write_described(json.key(field.name), *field.type, field.doc, &field);
  }
  json.end_object().key("required").begin_array();
  if (!kind.empty()) json.string("kind");
  for (const FieldInfo& field : fields_) {
    if (field.required) json.string(field.name);
  }
  json.end_array().end_object();
}

void StructSection::definition(JsonWriter& json) const {
  if (shorthand_.empty()) return map_schema(json, "");
  json.begin_object().key("anyOf").begin_array();
  for (const FieldInfo& field : fields_) {
    if (field.name == shorthand_) write_described(json, *field.type, field.doc, &field);
  }
  map_schema(json, "");
  json.end_array().end_object();
}

void UnionSection::definition(JsonWriter& json) const {
  json.begin_object().key("type").string("object").key("description").string(doc_);
  if (spelling_ == Spelling::kByKey) {
    json.key("minProperties").number(1).key("maxProperties").number(1);
    json.key("additionalProperties").boolean(false).key("properties").begin_object();
    for (const Kind& kind : kinds_) {
      write_described(json.key(kind.name), *kind.type, kind.doc, nullptr);
    }
    json.end_object().end_object();
    return;
  }
  json.key("required").begin_array().string("kind").end_array();
  words_.schema(json.key("properties").begin_object().key("kind"));
  json.end_object().key("allOf").begin_array();
  for (const Kind& kind : kinds_) {
    json.begin_object().key("if").begin_object().key("properties").begin_object();
    json.key("kind").begin_object().key("const").string(kind.name).end_object().end_object();
    json.key("required").begin_array().string("kind").end_array().end_object();
    kind.section->map_schema(json.key("then"), kind.name);
    json.end_object();
  }
  json.end_array().end_object();
}

std::string json_schema(const StructSection& root) {
  Sections sections;
  root.parts(sections);
  JsonWriter json;
  json.begin_object().key("$schema").string("http://json-schema.org/draft-07/schema#");
  json.key("title").string(root.name());
  json.key("definitions").begin_object();
  root.definition(json.key(definition_name(root.name())));
  for (const Section* section : sections.all()) {
    section->definition(json.key(definition_name(section->name())));
  }
  json.end_object().key("allOf").begin_array();
  write_reference(json, root.name());
  json.end_array().end_object();
  return std::move(json).text();
}

}  // namespace headrace::stack
