#include "format/json_edit_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headrace {

using Node = JsonEdits::Node;
using Action = JsonEdits::Node::Action;

/// Where the parts of one `"key" : value` stand in the text.
struct JsonTextEdit::Member {
  const char* comma = nullptr;  // Before it; null for the first.
  const char* lead = nullptr;   // Where the space before the key begins.
  const char* key = nullptr;    // At the quote.
  const char* key_end = nullptr;
  const char* value = nullptr;
  const char* value_end = nullptr;
};

/// What is known of an object while its members pass.
struct JsonTextEdit::Walk {
  BytesView first_lead;
  Member last;
  std::size_t members = 0;
  bool kept = false;  // Some member stays.
  bool hole = false;  // The first members go: the text is copied up to the first key.
};

namespace {

BytesView between(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

}  // namespace

void JsonTextEdit::begin(BytesView text, Bytes& out) {
  scan_.begin(text);
  out_ = &out;
  copied_ = text.data();
  dirty_ = false;
  is_edit_fault_ = false;
  seen_.clear();
  element_faults_.clear();
  element_fault_count_ = 0;
  values_ = 0;
  changed_values_ = 0;
}

void JsonTextEdit::flush(const char* to) {
  out_->append(copied_, static_cast<std::size_t>(to - copied_));
  copied_ = to;
}

void JsonTextEdit::replace(const char* from, const char* to, BytesView with) {
  flush(from);
  *out_ += with;
  copied_ = to;
  dirty_ = true;
}

bool JsonTextEdit::edit_fault(const char* where, std::string what) {
  is_edit_fault_ = true;
  return scan_.fail(where, std::move(what));
}

bool JsonTextEdit::nothing_follows() {
  scan_.skip_space();
  return scan_.at == scan_.end || scan_.fail(scan_.at, "expected nothing more");
}

bool JsonTextEdit::well_formed(BytesView text) {
  scan_.begin(text);
  scan_.skip_space();
  if (scan_.peek() != '{' && scan_.peek() != '[') return false;
  return scan_.value() && nothing_follows();
}

bool JsonTextEdit::object(BytesView text, Bytes& out) {
  begin(text, out);
  const std::size_t before = out.size();
  if (top_object()) return true;
  out.resize(before);
  return false;
}

bool JsonTextEdit::top_object() {
  values_ = 1;
  scan_.skip_space();
  if (scan_.peek() != '{') return scan_.fail(scan_.at, "expected an object");
  if (!edit_object(edits_.root()) || !nothing_follows()) return false;
  flush(scan_.end);
  changed_values_ = dirty_ ? 1 : 0;
  return true;
}

bool JsonTextEdit::document(BytesView text, Bytes& out) {
  begin(text, out);
  const std::size_t before = out.size();
  scan_.skip_space();
  bool good = scan_.peek() == '[' ? array() : top_object();
  if (good && out.size() - before > edits_.config().document_bytes) {
    good = edit_fault(text.data(), "the edited document passes the limit of its size");
  }
  if (!good) {
    out.resize(before);
    element_faults_.clear();
    element_fault_count_ = 0;
    changed_values_ = 0;
  }
  return good;
}

bool JsonTextEdit::array() {
  const std::size_t before = out_->size();
  if (!scan_.enter('[')) return false;
  scan_.skip_space();
  if (scan_.peek() != ']') {
    while (true) {
      scan_.skip_space();
      if (!element(++values_)) return false;
      if (out_->size() - before > edits_.config().document_bytes)
        return true;  // document() says so.
      scan_.skip_space();
      if (scan_.peek() != ',') break;
      ++scan_.at;
    }
  }
  if (!scan_.expect(']', "',' or ']'")) return false;
  if (!nothing_follows()) return false;
  flush(scan_.end);
  return true;
}

/// Edits one element, or steps over it unchanged and notes why. False if it is not JSON.
bool JsonTextEdit::element(std::uint64_t number) {
  const char* const start = scan_.at;
  const char* const copied = copied_;
  const std::size_t size = out_->size();
  const std::size_t seen = seen_.size();
  const int open = scan_.open;
  dirty_ = false;
  is_edit_fault_ = false;
  if (scan_.peek() == '{') {
    if (edit_object(edits_.root())) {
      changed_values_ += dirty_ ? 1 : 0;
      return true;
    }
    if (!is_edit_fault_) return false;
  } else {
    edit_fault(start, "expected an object");
  }
  const std::string reason = scan_.fault();
  out_->resize(size);
  copied_ = copied;
  seen_.resize(seen);
  scan_.at = start;
  scan_.open = open;
  if (!scan_.value()) return false;
  ++element_fault_count_;
  if (element_faults_.size() < edits_.config().faults) {
    element_faults_.push_back({number, reason, between(start, scan_.at)});
  }
  return true;
}

bool JsonTextEdit::edit_object(const Node& node) {
  if (!scan_.enter('{')) return false;
  const std::size_t seen = seen_.size();
  seen_.resize(seen + node.children.size(), 0);
  Walk walk;
  const char* lead = scan_.at;
  scan_.skip_space();
  walk.first_lead = between(lead, scan_.at);
  if (scan_.peek() != '}') {
    const char* comma = nullptr;
    while (true) {
      walk.last = Member{.comma = comma, .lead = lead, .key = scan_.at};
      if (!member(node, walk, seen)) return false;
      if (scan_.peek() != ',') break;
      comma = scan_.at++;
      lead = scan_.at;
      scan_.skip_space();
    }
  }
  if (scan_.peek() != '}') return scan_.expect('}', "',' or '}'");
  if (!close(node, walk, seen)) return false;
  ++scan_.at;
  --scan_.open;
  seen_.resize(seen);
  return true;
}

/// One member, from its key to the comma or brace after it.
bool JsonTextEdit::member(const Node& node, Walk& walk, std::size_t seen) {
  Member& here = walk.last;
  ++walk.members;
  if (walk.hole && !walk.kept) copied_ = here.key;
  BytesView raw;
  if (!scan_.string(raw)) return false;
  here.key_end = scan_.at;
  scan_.skip_space();
  if (!scan_.expect(':', "':'")) return false;
  scan_.skip_space();
  here.value = scan_.at;
  const std::size_t index = node.find(raw);
  bool removed = false;
  if (index == Node::kNoChild) {
    if (!scan_.value()) return false;
  } else {
    seen_[seen + index] = 1;
    if (!apply(node.children[index], here, removed)) return false;
  }
  here.value_end = scan_.at;
  scan_.skip_space();
  if (removed) {
    take_out(walk, here);
  } else {
    walk.kept = true;
  }
  return true;
}

bool JsonTextEdit::apply(const Node& child, const Member& member, bool& removed) {
  switch (child.action) {
    case Action::kNone:
      return inner(child);
    case Action::kTarget:
      return scan_.value();
    case Action::kSet:
      if (!scan_.value()) return false;
      if (between(member.value, scan_.at) != child.text) {
        replace(member.value, scan_.at, child.text);
      }
      return true;
    case Action::kRemove:
      removed = true;
      return scan_.value();
    case Action::kRename:
      replace(member.key, member.key_end, child.text);
      return scan_.value();
  }
  return false;
}

/// The value of a field that paths only go through.
bool JsonTextEdit::inner(const Node& child) {
  if (scan_.peek() == '{') return edit_object(child);
  const char* const value = scan_.at;
  const bool null = scan_.peek() == 'n';
  if (!scan_.value()) return false;
  if (child.added.empty()) return true;
  if (!null) {
    return edit_fault(value,
                      fmt::format("{} is no object, so nothing in it can be set", child.key));
  }
  replace(value, scan_.at, child.added);
  return true;
}

/// Leaves a member out, with the comma before it, or with the one after it if none stays before.
void JsonTextEdit::take_out(Walk& walk, const Member& member) {
  dirty_ = true;
  if (walk.kept) {
    flush(member.comma);
    copied_ = scan_.peek() == ',' ? scan_.at : member.value_end;
  } else {
    if (!walk.hole) flush(member.key);
    walk.hole = true;
    copied_ = member.value_end;
  }
}

bool JsonTextEdit::close(const Node& node, Walk& walk, std::size_t seen) {
  if (!check_targets(node, seen)) return false;
  add(node, walk, seen);
  if (walk.hole && !walk.kept) {
    // All members went: "{}", without the space that stood before the first.
    out_->resize(out_->size() - walk.first_lead.size());
    copied_ = scan_.at;
  }
  return true;
}

bool JsonTextEdit::check_targets(const Node& node, std::size_t seen) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    if (child.action == Action::kRename && seen_[seen + i] != 0 &&
        seen_[seen + child.target] != 0) {
      return edit_fault(scan_.at, fmt::format("{} cannot become {}: that field is there already",
                                              child.key, child.text));
    }
  }
  return true;
}

/// Appends the fields that are to be set and are not there, spaced like the last member.
void JsonTextEdit::add(const Node& node, Walk& walk, std::size_t seen) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    if (child.added.empty() || seen_[seen + i] != 0) continue;
    const Member& last = walk.last;
    BytesView colon = ":";
    BytesView lead;
    if (walk.members > 0) {
      colon = between(last.key_end, last.value);
      lead = between(last.lead, last.key);
      const bool lines = lead.find('\n') != BytesView::npos;
      if (walk.members == 1 && !lines) lead = colon.substr(colon.find(':') + 1);
    }
    flush(walk.members > 0 ? last.value_end : scan_.at);
    if (walk.kept) {
      *out_ += ',';
      *out_ += lead;
    }
    *out_ += child.key;
    *out_ += colon;
    *out_ += child.added;
    walk.kept = true;
    dirty_ = true;
  }
}

}  // namespace headrace
