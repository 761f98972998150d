#include "format/jsonl/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace headrace::jsonl {
namespace {

constexpr std::size_t kBatchBytes = 512u << 10;
constexpr std::size_t kPadding = 64;
constexpr std::size_t kOverlongText = 1u << 20;

}  // namespace

void DocumentBuffer::clear() { *this = DocumentBuffer(row_bytes_); }

std::vector<DocumentBuffer::Fault> DocumentBuffer::take_faults() {
  return std::exchange(faults_, {});
}

/// Forgets what lies before all that is still needed.
void DocumentBuffer::compact() {
  std::size_t keep = ready_.empty() ? scanned_ : ready_.front().begin;
  if (row_begin_ != kNone) keep = std::min(keep, row_begin_);
  if (keep == 0) return;
  std::memmove(bytes_.data(), bytes_.data() + keep, used_ - keep);
  used_ -= keep;
  scanned_ -= keep;
  if (row_begin_ != kNone) row_begin_ -= keep;
  for (Span& row : ready_) {
    row.begin -= keep;
    row.end -= keep;
  }
}

void DocumentBuffer::push(BytesView piece) {
  compact();
  bytes_.resize(used_);
  bytes_.append(piece).append(kPadding, '\0');
  used_ += piece.size();
  scan();
}

void DocumentBuffer::begin_row(std::size_t at) {
  row_begin_ = at;
  row_line_ = line_;
}

void DocumentBuffer::end_row(std::size_t end) {
  if (!dropping_) ready_.push_back({row_begin_, end, row_line_});
  dropping_ = false;
  row_begin_ = kNone;
}

void DocumentBuffer::open(char bracket, std::size_t at) {
  if (depth_ == 0 && bracket == '[' && row_begin_ == kNone) {
    in_array_ = true;
  } else if (row_begin_ == kNone) {
    begin_row(at);
  }
  ++depth_;
}

void DocumentBuffer::close(char bracket, std::size_t at) {
  const std::size_t row_depth = in_array_ ? 1 : 0;
  if (depth_ > row_depth) {
    if (--depth_ == row_depth) end_row(at + 1);
    return;
  }
  if (row_begin_ != kNone) end_row(at);  // A plain value.
  if (in_array_ && bracket == ']') {
    in_array_ = false;
    depth_ = 0;
  } else {
    begin_row(at);
    end_row(at + 1);  // Closes nothing: reading it will say so.
  }
}

void DocumentBuffer::scan_text(char c, std::size_t at) {
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
  } else if (c == '\n') {
    in_string_ = false;
    end_row(at);
    depth_ = in_array_ ? 1 : 0;
    ++line_;
  }
}

void DocumentBuffer::scan() {
  for (; scanned_ < used_; ++scanned_) {
    const char c = bytes_[scanned_];
    if (in_string_) {
      scan_text(c, scanned_);
      continue;
    }
    const bool between = depth_ == (in_array_ ? 1u : 0u);
    switch (c) {
      case '{':
      case '[':
        open(c, scanned_);
        break;
      case '}':
      case ']':
        close(c, scanned_);
        break;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
      case ',':
        if (between && row_begin_ != kNone) end_row(scanned_);
        if (c == '\n') ++line_;
        break;
      default:
        if (row_begin_ == kNone) begin_row(scanned_);
        if (c == '"') in_string_ = true;
    }
  }
  drop_if_overlong();
}

void DocumentBuffer::drop_if_overlong() {
  if (row_begin_ == kNone || used_ - row_begin_ <= row_bytes_) return;
  if (!dropping_) {
    faults_.push_back({row_line_, bytes_.substr(row_begin_, std::min(row_bytes_, kOverlongText)),
                       fmt::format("the row is longer than the limit of {} bytes", row_bytes_)});
  }
  dropping_ = true;
  row_begin_ = used_;  // Still within the row, but nothing of it is kept.
}

void DocumentBuffer::finish() {
  if (row_begin_ != kNone) end_row(used_);
  if (in_array_) {
    faults_.push_back({line_, "", "the object ends within an array: it may have been cut short"});
  }
  depth_ = 0;
  in_array_ = in_string_ = escaped_ = false;
}

std::optional<Batch> DocumentBuffer::next(bool at_end) {
  if (at_end) finish();
  if (ready_.empty()) return std::nullopt;
  const std::size_t begin = ready_.front().begin;
  const std::size_t end = ready_.back().end;
  if (!at_end && end - begin < kBatchBytes) return std::nullopt;
  given_ = std::exchange(ready_, {});
  for (Span& row : given_) {
    row.begin -= begin;
    row.end -= begin;
  }
  return Batch{BytesView(bytes_).substr(begin, end - begin), given_.front().line, given_};
}

}  // namespace headrace::jsonl
