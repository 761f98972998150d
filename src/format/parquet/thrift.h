#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace headrace::parquet_file {

/// Thrift's compact protocol, as far as Parquet's structures need it: appends to a string. Fields
/// of a struct are written in ascending order of their numbers.
class Thrift {
 public:
  explicit Thrift(std::string& out) : out_(out) {}

  void boolean(int field, bool value);
  void byte(int field, std::int8_t value);
  void integer(int field, std::int64_t value, bool wide);
  void i16(int field, std::int16_t value);
  void i32(int field, std::int32_t value) { integer(field, value, false); }
  void i64(int field, std::int64_t value) { integer(field, value, true); }
  void text(int field, std::string_view value);

  /// A struct as a field, to be ended; one with no members is ended at once.
  void begin(int field);
  void end();
  void empty_struct(int field) {
    begin(field);
    end();
  }

  /// Lists as a field. The elements follow: by element_*(), or by begin_element() and end() each.
  void list_of_structs(int field, std::size_t size) { list(field, size, kStruct); }
  void list_of_i32(int field, std::size_t size) { list(field, size, kInt32); }
  void list_of_i64(int field, std::size_t size) { list(field, size, kInt64); }
  void list_of_texts(int field, std::size_t size) { list(field, size, kBinary); }
  void list_of_booleans(int field, std::size_t size) { list(field, size, kTrue); }
  void element_integer(std::int64_t value);
  void element_text(std::string_view value);
  void element_boolean(bool value);
  void begin_element();

  /// A struct that stands for itself, in no field.
  void begin_top() { begin_element(); }

 private:
  enum Type : std::uint8_t {
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kInt16 = 4,
    kInt32 = 5,
    kInt64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };
  static constexpr int kMostNesting = 8;

  void varint(std::uint64_t value);
  void head(int field, Type type);
  void list(int field, std::size_t size, Type type);

  std::string& out_;
  int last_[kMostNesting] = {};  // The last field of each open struct.
  int depth_ = 0;
};

}  // namespace headrace::parquet_file
