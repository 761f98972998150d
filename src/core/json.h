#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// Appends `text` as a JSON string with its quotes. Controls are escaped; UTF-8 stays as it is, and
/// bytes that are no UTF-8 become U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON value, compact, in the order of the calls. Commas are put in by itself; a call
/// that makes no sense at its place (a key in an array, an end without a begin) is an assertion.
///
///   JsonWriter json;
///   json.begin_object().key("a").number(1).key("b").begin_array().string("x").end_array();
///   json.end_object();
///   std::string text = std::move(json).text();   // {"a":1,"b":["x"]}
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(int value) { return number(static_cast<std::int64_t>(value)); }
  JsonWriter& number(std::uint64_t value);
  /// Shortest text that reads back as the same double; NaN and infinities become null.
  JsonWriter& number(double value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  const std::string& text() const& { return out_; }
  std::string text() && { return std::move(out_); }

 private:
  void value();

  std::string out_;
  std::vector<bool> open_;  // One entry per open object or array: is it an object?
  bool comma_ = false;      // The next value or key needs a comma before it.
};

}  // namespace headrace
