#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace headrace {

using JsonElement = simdjson::dom::element;

/// One object of a message, and the way to it for messages. null counts as absent: some producers
/// write what they do not know as null.
///
/// Lifetime  Views into the parser's document and to the parent: for the stack of one decoding.
/// Errors    kCorrupt, naming the field by its path: "s3.object.key is missing".
class JsonFields {
 public:
  /// `at` must be an object.
  explicit JsonFields(JsonElement at, const JsonFields* parent = nullptr,
                      std::string_view name = {});

  JsonFields object(std::string_view name) const { return JsonFields(need(name), this, name); }
  std::optional<JsonFields> find_object(std::string_view name) const;

  std::string_view text(std::string_view name) const { return text_of(need(name), name); }
  std::optional<std::string_view> find_text(std::string_view name) const;
  std::string_view text_or_empty(std::string_view name) const {
    return find_text(name).value_or(std::string_view());
  }

  /// Empty also if the field is something else than a string.
  std::string_view text_if_any(std::string_view name) const;

  /// A whole number from 0 on.
  std::optional<std::uint64_t> find_number(std::string_view name) const;
  /// The same, or its digits in a string: Google writes 64-bit numbers so.
  std::optional<std::uint64_t> find_count(std::string_view name) const;

  std::optional<JsonElement> find(std::string_view name) const;
  JsonElement need(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  /// Is there a field of this name that is an object (a string)?
  bool has_object(std::string_view name) const;
  bool has_text(std::string_view name) const;

  std::string path(std::string_view name) const;
  std::string_view text_of(JsonElement at, std::string_view name) const;
  [[noreturn]] void fail(std::string_view name, std::string_view what) const;

  simdjson::dom::object all() const { return object_; }

 private:
  const JsonFields* parent_;
  std::string_view name_;
  simdjson::dom::object object_;
};

/// RFC 3339 within the years 0000 to 9999, so that it can be written again (format_time has four
/// digits for the year); nullopt if it is not.
std::optional<Time> time_of(std::string_view text);

/// Parse buffers, kept from message to message.
class JsonParser {
 public:
  /// The text's value, valid until the next call. Throws kCorrupt: "the message is not JSON: ...",
  /// or that it is nested deeper than `depth`.
  JsonElement parse(std::string_view json, std::size_t depth);
  /// Gives back what a large text made the buffers grow to.
  void forget_large();

 private:
  simdjson::dom::parser parser_;
};

}  // namespace headrace
