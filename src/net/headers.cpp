#include <algorithm>

#include "net/http.h"

namespace headrace {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }

bool same_name(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

const std::string* Headers::find(std::string_view name) const {
  const auto at = std::ranges::find_if(
      fields_, [&](const Field& field) { return same_name(field.name, name); });
  return at == fields_.end() ? nullptr : &at->value;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : std::string_view();
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(name, std::move(value));
}

void Headers::add(std::string_view name, std::string value) {
  fields_.push_back({std::string(name), std::move(value)});
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.name, name); });
}

std::uint64_t HttpBody::size() const {
  if (stream) return length;
  if (!pieces) return bytes.size();
  std::uint64_t sum = 0;
  for (const Bytes& piece : *pieces) sum += piece.size();
  return sum;
}

}  // namespace headrace
