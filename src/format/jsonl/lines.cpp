#include "format/jsonl/lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace headrace::jsonl {
namespace {

constexpr std::size_t kBatchBytes = 512u << 10;
constexpr std::size_t kPadding = 64;
constexpr std::size_t kOverlongText = 1u << 20;

std::size_t find_line_end(BytesView text, std::size_t from) {
  const void* found = std::memchr(text.data() + from, '\n', text.size() - from);
  return found == nullptr ? text.size()
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool is_blank(BytesView text) { return std::ranges::all_of(text, is_space); }

}  // namespace

Bytes padded_copy(BytesView text) {
  Bytes copy;
  copy.reserve(text.size() + kPadding);
  copy.append(text).append(kPadding, '\0');
  return copy;
}

void LineBuffer::push(BytesView piece) {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, used_ - begin_);
    used_ -= begin_;
    searched_ -= begin_;
    begin_ = last_begin_ = 0;
  }
  bytes_.resize(used_);
  bytes_.append(piece).append(kPadding, '\0');
  used_ += piece.size();
}

char LineBuffer::first_byte() const {
  BytesView waiting = BytesView(bytes_).substr(begin_, used_ - begin_);
  if (waiting.starts_with(kByteOrderMark)) waiting.remove_prefix(kByteOrderMark.size());
  const auto found = std::ranges::find_if_not(waiting, is_space);
  return found == waiting.end() ? '\0' : *found;
}

std::string LineBuffer::take_all() {
  std::string all = bytes_.substr(last_begin_, used_ - last_begin_);
  clear();
  return all;
}

void LineBuffer::clear() {
  if (bytes_.capacity() > 4 * kBatchBytes) std::string().swap(bytes_);
  bytes_.clear();
  last_begin_ = begin_ = used_ = searched_ = 0;
  line_ = 1;
  passing_over_ = false;
  overlong_.reset();
}

std::optional<Batch> LineBuffer::give(std::size_t end, std::size_t next_begin) {
  const Batch batch{BytesView(bytes_).substr(begin_, end - begin_), line_, {}};
  last_begin_ = begin_;
  begin_ = searched_ = next_begin;
  return batch;
}

void LineBuffer::pass_over() {
  const BytesView waiting = BytesView(bytes_).substr(0, used_);
  const std::size_t end = find_line_end(waiting, begin_);
  begin_ = searched_ = end;
  if (end == used_) return;
  passing_over_ = false;
  begin_ = searched_ = end + 1;
  ++line_;
}

std::optional<Batch> LineBuffer::next(bool at_end) {
  if (passing_over_) pass_over();
  if (begin_ == used_) return std::nullopt;
  if (at_end) {
    const bool ended = bytes_[used_ - 1] == '\n';
    return give(used_ - (ended ? 1 : 0), used_);
  }
  const std::size_t waiting = used_ - begin_;
  if (waiting < kBatchBytes && waiting <= line_bytes_) return std::nullopt;
  const char* from = bytes_.data() + searched_;
  const void* last = memrchr(from, '\n', used_ - searched_);
  if (last != nullptr) {
    const auto end = static_cast<std::size_t>(static_cast<const char*>(last) - bytes_.data());
    return give(end, end + 1);
  }
  searched_ = used_;
  if (waiting > line_bytes_) {
    overlong_text_.assign(bytes_, begin_, std::min(waiting, kOverlongText));
    overlong_ = Batch{overlong_text_, line_, {}};
    passing_over_ = true;
    begin_ = used_;
  }
  return std::nullopt;
}

std::optional<Batch> LineBuffer::take_overlong() { return std::exchange(overlong_, std::nullopt); }

LineWalk::LineWalk(Structure& structure, const Batch& batch)
    : structure_(structure),
      rows_(batch.rows),
      has_rows_(!batch.rows.empty()),
      text_(batch.text),
      number_(batch.first_line),
      shared_(structure.find(batch.text)) {
  if (shared_) at_ = structure.positions();
}

Batch LineWalk::rest(const Line& line) const {
  if (has_rows_) return {text_, line.number, {rows_.data() - 1, rows_.size() + 1}};
  return {text_.substr(static_cast<std::size_t>(line.text.data() - text_.data())), line.number, {}};
}

/// False if the line is blank.
bool LineWalk::give_index(Line& line) {
  if (!shared_) {
    if (is_blank(line.text)) return false;
    line.flaw = structure_.find(line.text) ? std::string_view() : structure_.why();
    line.cursor = {line.text.data(), structure_.positions()};
    return true;
  }
  const auto begin = static_cast<std::size_t>(line.text.data() - text_.data());
  while (*at_ < begin) ++at_;
  line.flaw = {};
  line.cursor = {text_.data(), at_};
  return *at_ < begin + line.text.size();
}

bool LineWalk::next_span(Line& line) {
  if (rows_.empty()) return false;
  const Span& row = rows_.front();
  line.text = text_.substr(row.begin, row.end - row.begin);
  line.number = row.line;
  number_ = row.line + 1;
  rows_ = rows_.subspan(1);
  give_index(line);
  return true;
}

bool LineWalk::next(Line& line) {
  if (has_rows_) return next_span(line);
  while (begin_ <= text_.size()) {
    const std::size_t end = find_line_end(text_, begin_);
    line.text = text_.substr(begin_, end - begin_);
    line.number = number_++;
    begin_ = end + 1;
    if (give_index(line)) return true;
  }
  return false;
}

}  // namespace headrace::jsonl
