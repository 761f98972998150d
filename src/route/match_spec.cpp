#include "route/match_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "core/size.h"
#include "route/json_tree.h"
#include "route/pattern.h"

namespace headrace {
namespace {

using Kind = JsonTree::Kind;

constexpr std::string_view kKeys =
    "bucket, key, size, type, key_fields, unless_tagged, or pattern alone";
constexpr std::string_view kLeaf =
    "a string, a list of values and operators, {file: name}, or {prefix:, suffix:} or {glob:}";

[[noreturn]] void refuse(std::string_view key, std::string_view what) {
  throw Error(ErrorKind::kInvalid, fmt::format("match: {} {}", key, what));
}

std::string escaped(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (c == '*' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

class MatchReader {
 public:
  MatchReader(std::string_view text, const MatchFiles& files) : text_(text), files_(files) {}

  MatchSpec read(const JsonTree& match) {
    if (match.kind != Kind::kObject) refuse("it", fmt::format("takes {}", kKeys));
    for (const std::string& name : match.names) {
      static constexpr std::string_view kKnown[] = {"bucket",     "key",           "size",   "type",
                                                    "key_fields", "unless_tagged", "pattern"};
      if (std::ranges::find(kKnown, name) == std::end(kKnown)) {
        refuse(name, fmt::format("is not known: there is {}", kKeys));
      }
    }
    MatchSpec out;
    if (const JsonTree* tags = match.find("unless_tagged")) out.unless_tagged = tag_names(*tags);
    const JsonTree* pattern = match.find("pattern");
    if (!pattern) {
      out.pattern = shorthand(match);
      Pattern::parse(out.pattern);  // What the raw lists hold is judged by the language itself.
      return out;
    }
    if (match.names.size() != 1 + (match.find("unless_tagged") ? 1 : 0)) {
      refuse("pattern", "stands alone: put bucket, key, size and type into the pattern");
    }
    out.pattern = raw(*pattern);
    Pattern::parse(out.pattern);
    return out;
  }

 private:
  std::string shorthand(const JsonTree& match) {
    JsonWriter json;
    json.begin_object().key("detail-type");
    if (const JsonTree* type = match.find("type")) {
      leaf(json, "type", *type);
    } else {
      json.begin_array().string("Object Created").end_array();
    }
    const JsonTree* bucket = match.find("bucket");
    const JsonTree* key = match.find("key");
    const JsonTree* size = match.find("size");
    const JsonTree* fields = match.find("key_fields");
    if (bucket || key || size || fields) {
      json.key("detail").begin_object();
      if (bucket) {
        json.key("bucket").begin_object().key("name");
        leaf(json, "bucket", *bucket);
        json.end_object();
      }
      if (key || size) object(json, key, size);
      if (fields) key_fields(json, *fields);
      json.end_object();
    }
    json.end_object();
    return std::move(json).text();
  }

  void object(JsonWriter& json, const JsonTree* key, const JsonTree* size) {
    json.key("object").begin_object();
    if (key) {
      json.key("key");
      leaf(json, "key", *key);
    }
    if (size) {
      json.key("size");
      size_leaf(json, *size);
    }
    json.end_object();
  }

  void key_fields(JsonWriter& json, const JsonTree& fields) {
    if (fields.kind != Kind::kObject || fields.names.empty()) {
      refuse("key_fields", "takes the names of key fields with what each must be");
    }
    json.key("key_fields").begin_object();
    for (std::size_t i = 0; i < fields.names.size(); ++i) {
      json.key(fields.names[i]);
      leaf(json, "key_fields." + fields.names[i], fields.items[i]);
    }
    json.end_object();
  }

  /// The array that stands for one field in the pattern.
  void leaf(JsonWriter& json, const std::string& name, const JsonTree& value) {
    if (value.kind == Kind::kArray) return void(json.raw(raw(value)));
    json.begin_array();
    if (value.kind == Kind::kString) {
      json.string(value.text);
    } else if (value.kind == Kind::kObject && value.find("file")) {
      for (const std::string& line : file(name, value)) json.string(line);
    } else if (value.kind == Kind::kObject && !value.names.empty()) {
      shape(json, name, value);
    } else {
      refuse(name, fmt::format("takes {}", kLeaf));
    }
    json.end_array();
  }

  /// {prefix:, suffix:} or {glob:} as one operator.
  void shape(JsonWriter& json, const std::string& name, const JsonTree& value) {
    for (std::size_t i = 0; i < value.names.size(); ++i) {
      const std::string& part = value.names[i];
      if (part != "prefix" && part != "suffix" && part != "glob") {
        refuse(name, fmt::format("knows no '{}': it takes {}", part, kLeaf));
      }
      if (value.items[i].kind != Kind::kString) {
        refuse(fmt::format("{}.{}", name, part), "takes a string");
      }
    }
    const JsonTree* prefix = value.find("prefix");
    const JsonTree* suffix = value.find("suffix");
    const JsonTree* glob = value.find("glob");
    if (glob && (prefix || suffix)) {
      refuse(name, "takes a glob or a prefix and suffix: write them as one glob");
    }
    json.begin_object();
    if (glob) {
      json.key("wildcard").string(wildcard(name + ".glob", glob->text));
    } else if (prefix && suffix) {
      json.key("wildcard").string(escaped(prefix->text) + "*" + escaped(suffix->text));
    } else if (prefix) {
      json.key("prefix").string(prefix->text);
    } else {
      json.key("suffix").string(suffix->text);
    }
    json.end_object();
  }

  /// A glob's only sign is the star, which also crosses slashes; two stars are one.
  static std::string wildcard(const std::string& name, std::string_view glob) {
    std::string out;
    for (std::size_t i = 0; i < glob.size(); ++i) {
      const char c = glob[i];
      if (c == '?' || c == '[' || c == '{') {
        refuse(name, fmt::format("has '{}': a glob knows '*' alone, which stands for any run of "
                                 "characters, slashes too; \\{} is the character itself",
                                 c, c));
      }
      if (c == '*' && i > 0 && glob[i - 1] == '*' && !escape_before(glob, i - 1)) continue;
      if (c == '\\' && i + 1 < glob.size() && std::string_view("?[{").contains(glob[i + 1])) {
        out.push_back(glob[++i]);
        continue;
      }
      out.push_back(c);
      if (c == '\\' && i + 1 < glob.size()) out.push_back(glob[++i]);
    }
    return out;
  }

  /// Is the character at `at` itself escaped?
  static bool escape_before(std::string_view text, std::size_t at) {
    std::size_t slashes = 0;
    while (at > slashes && text[at - 1 - slashes] == '\\') ++slashes;
    return slashes % 2 == 1;
  }

  void size_leaf(JsonWriter& json, const JsonTree& value) {
    static constexpr std::string_view kShape =
        "takes a size, or bounds as {\">\": 0, \"<=\": 5MiB}, or a list of values and operators";
    if (value.kind == Kind::kArray) return void(json.raw(raw(value)));
    json.begin_array();
    if (value.kind != Kind::kObject) {
      json.raw(size(value, kShape));
    } else {
      json.begin_object().key("numeric").begin_array();
      bound(json, value, ">", ">=", kShape);
      bound(json, value, "<", "<=", kShape);
      bound(json, value, "=", "=", kShape);
      for (const std::string& name : value.names) {
        if (std::ranges::find(kBounds, name) == std::end(kBounds)) refuse("size", kShape);
      }
      if (value.names.empty()) refuse("size", kShape);
      json.end_array().end_object();
    }
    json.end_array();
  }

  void bound(JsonWriter& json, const JsonTree& value, std::string_view open,
             std::string_view closed, std::string_view shape) {
    const JsonTree* one = value.find(open);
    const JsonTree* other = value.find(closed);
    if (one && other && one != other) {
      refuse("size", fmt::format("takes '{}' or '{}', not both", open, closed));
    }
    if (!one && !other) return;
    json.string(one ? open : closed).raw(size(one ? *one : *other, shape));
  }

  static std::string size(const JsonTree& value, std::string_view shape) {
    if (value.kind == Kind::kNumber) return value.text;
    const auto bytes = value.kind == Kind::kString ? parse_size(value.text) : std::nullopt;
    if (!bytes) refuse("size", shape);
    return fmt::format("{}", *bytes);
  }

  const std::vector<std::string>& file(const std::string& name, const JsonTree& value) const {
    const JsonTree& path = *value.find("file");
    if (value.names.size() != 1 || path.kind != Kind::kString) {
      refuse(name, "takes {file: name}, with nothing beside it");
    }
    const auto lines = files_.find(path.text);
    if (lines == files_.end()) refuse(name, fmt::format("names the file {}, not read", path.text));
    if (lines->second.empty()) {
      refuse(name, fmt::format("names the file {}, which has no values", path.text));
    }
    return lines->second;
  }

  static std::vector<std::string> tag_names(const JsonTree& tags) {
    std::vector<std::string> out;
    if (tags.kind == Kind::kString) out.push_back(tags.text);
    if (tags.kind == Kind::kArray) {
      for (const JsonTree& tag : tags.items) {
        if (tag.kind != Kind::kString) refuse("unless_tagged", "takes names of tags");
        out.push_back(tag.text);
      }
    }
    if (out.empty()) refuse("unless_tagged", "takes the name of a tag, or a list of them");
    return out;
  }

  std::string raw(const JsonTree& value) const {
    return std::string(text_.substr(value.begin, value.end - value.begin));
  }

  static constexpr std::string_view kBounds[] = {">", ">=", "<", "<=", "="};

  std::string_view text_;
  const MatchFiles& files_;
};

JsonTree tree_of(std::string_view match_json) {
  try {
    return parse_json_tree(match_json.empty() ? "{}" : match_json);
  } catch (const Error& error) {
    throw error.during("match");
  }
}

void collect_files(const JsonTree& leaf, std::vector<std::string>& out) {
  const JsonTree* file = leaf.kind == Kind::kObject ? leaf.find("file") : nullptr;
  if (!file || file->kind != Kind::kString || std::ranges::count(out, file->text) > 0) return;
  out.push_back(file->text);
}

}  // namespace

std::vector<std::string> match_files(std::string_view match_json) {
  const JsonTree match = tree_of(match_json);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < match.names.size(); ++i) {
    const JsonTree& value = match.items[i];
    if (match.names[i] == "pattern") continue;
    if (match.names[i] == "key_fields") {
      for (const JsonTree& field : value.items) collect_files(field, out);
    } else {
      collect_files(value, out);
    }
  }
  return out;
}

MatchSpec read_match(std::string_view match_json, const MatchFiles& files) {
  return MatchReader(match_json, files).read(tree_of(match_json));
}

std::string shorthand_to_pattern(std::string_view match_json) {
  return read_match(match_json).pattern;
}

std::vector<std::string> value_lines(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with('#')) out.emplace_back(line);
  }
  return out;
}

}  // namespace headrace
