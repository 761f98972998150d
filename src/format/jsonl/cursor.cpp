#include "format/jsonl/cursor.h"

#include "format/json_escape.h"

namespace headrace::jsonl {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take_digits(const char*& at, const char* end) {
  const char* begin = at;
  while (at < end && is_digit(*at)) ++at;
  return at > begin;
}

bool escapes_are_right(BytesView raw) {
  std::size_t at = raw.find('\\');
  while (at != BytesView::npos) {
    const char kind = at + 1 < raw.size() ? raw[at + 1] : '\0';
    if (kind == 'u') {
      if (raw.size() - at < 6 || escaped_unit(raw.data() + at + 2) < 0) return false;
    } else if (!is_short_escape(kind)) {
      return false;
    }
    at = raw.find('\\', at + 2);
  }
  return true;
}

bool fail(const Cursor& cursor, const char* what, Flaw& flaw) {
  flaw = {cursor.here(), what};
  return false;
}

}  // namespace

bool is_number(BytesView token) {
  const char* at = token.data();
  const char* end = at + token.size();
  if (at < end && *at == '-') ++at;
  if (at == end || !is_digit(*at)) return false;
  if (*at == '0') {
    ++at;
  } else {
    take_digits(at, end);
  }
  if (at < end && *at == '.') {
    if (!take_digits(++at, end)) return false;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    if (!take_digits(at, end)) return false;
  }
  return at == end;
}

bool is_string(BytesView token) {
  return token.size() >= 2 && token.back() == '"' &&
         escapes_are_right(token.substr(1, token.size() - 2));
}

bool unescape(BytesView raw, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + raw.size());
  const char* end = unescape_json(raw, out.data() + before, LoneSurrogate::kRefuse);
  out.resize(end == nullptr ? before : static_cast<std::size_t>(end - out.data()));
  return end != nullptr;
}

bool Skipper::key(Cursor& cursor, Flaw& flaw) {
  if (cursor.peek() != '"') return fail(cursor, "expected a key", flaw);
  if (!is_string(cursor.token())) return fail(cursor, "a key is malformed", flaw);
  ++cursor.at;
  if (cursor.peek() != ':') return fail(cursor, "expected ':'", flaw);
  ++cursor.at;
  return true;
}

bool Skipper::scalar(Cursor& cursor, Flaw& flaw) {
  const BytesView token = cursor.token();
  bool right = false;
  switch (token.empty() ? '\0' : token[0]) {
    case '"':
      if (!is_string(token)) return fail(cursor, "a string is malformed", flaw);
      right = true;
      break;
    case 't':
      right = token == "true";
      break;
    case 'f':
      right = token == "false";
      break;
    case 'n':
      right = token == "null";
      break;
    default:
      right = is_number(token);
      break;
  }
  if (!right) return fail(cursor, "expected a value", flaw);
  ++cursor.at;
  return true;
}

bool Skipper::skip(Cursor& cursor, std::size_t open, Flaw& flaw) {
  open_.clear();
  bool at_value = true;
  do {
    if (at_value) {
      const char c = cursor.peek();
      if (c == '{' || c == '[') {
        if (open + open_.size() >= limit_) return fail(cursor, "nested too deeply", flaw);
        open_.push_back(c == '{' ? '}' : ']');
        ++cursor.at;
        at_value = cursor.peek() != open_.back();
        if (at_value && c == '{' && !key(cursor, flaw)) return false;
        continue;
      }
      if (!scalar(cursor, flaw)) return false;
      at_value = false;
      continue;
    }
    if (cursor.peek() == open_.back()) {
      open_.pop_back();
      ++cursor.at;
    } else if (cursor.peek() == ',') {
      ++cursor.at;
      if (open_.back() == '}' && !key(cursor, flaw)) return false;
      at_value = true;
    } else {
      return fail(cursor, open_.back() == '}' ? "expected ',' or '}'" : "expected ',' or ']'",
                  flaw);
    }
  } while (!open_.empty());
  return true;
}

}  // namespace headrace::jsonl
