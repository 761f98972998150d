#include "format/parquet/thrift.h"

namespace headrace::parquet_file {
namespace {

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace

void Thrift::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
  out_ += static_cast<char>(value);
}

void Thrift::head(int field, Type type) {
  int& last = last_[depth_];
  const int distance = field - last;
  last = field;
  if (distance > 0 && distance < 16) {
    out_ += static_cast<char>(distance << 4 | type);
  } else {
    out_ += static_cast<char>(type);
    varint(zigzag(field));
  }
}

void Thrift::boolean(int field, bool value) { head(field, value ? kTrue : kFalse); }

void Thrift::byte(int field, std::int8_t value) {
  head(field, kByte);
  out_ += static_cast<char>(value);
}

void Thrift::integer(int field, std::int64_t value, bool wide) {
  head(field, wide ? kInt64 : kInt32);
  varint(zigzag(value));
}

void Thrift::i16(int field, std::int16_t value) {
  head(field, kInt16);
  varint(zigzag(value));
}

void Thrift::text(int field, std::string_view value) {
  head(field, kBinary);
  element_text(value);
}

void Thrift::begin(int field) {
  head(field, kStruct);
  begin_element();
}

void Thrift::begin_element() { last_[++depth_] = 0; }

void Thrift::end() {
  out_ += '\0';
  --depth_;
}

void Thrift::list(int field, std::size_t size, Type type) {
  head(field, kList);
  if (size < 15) {
    out_ += static_cast<char>(size << 4 | type);
  } else {
    out_ += static_cast<char>(0xF0 | type);
    varint(size);
  }
}

void Thrift::element_integer(std::int64_t value) { varint(zigzag(value)); }

void Thrift::element_text(std::string_view value) {
  varint(value.size());
  out_ += value;
}

void Thrift::element_boolean(bool value) { out_ += static_cast<char>(value ? kTrue : kFalse); }

}  // namespace headrace::parquet_file
