#include "format/jsonl/object_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headrace::jsonl {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr int kLinesToLookAt = 1'000;

}  // namespace

ObjectText::ObjectText(std::uint64_t line_bytes)
    : line_bytes_(line_bytes), lines_(line_bytes), document_(line_bytes) {}

void ObjectText::begin() {
  lines_.clear();
  document_.clear();
  form_ = Form::kUnknown;
  at_start_ = true;
}

void ObjectText::write(BytesView piece, Reader& reader) {
  for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kPieceBytes))) {
    if (form_ == Form::kDocument) {
      document_.push(piece.substr(0, kPieceBytes));
    } else {
      lines_.push(piece.substr(0, kPieceBytes));
    }
    drain(reader, /*at_end=*/false);
  }
}

std::string ObjectText::obstacle(const Line& line) const {
  return line.flaw.empty() ? too_long() : std::string(line.flaw);
}

void ObjectText::drain(Reader& reader, bool at_end) {
  if (form_ == Form::kUnknown && lines_.first_byte() == '[') begin_document();
  if (form_ != Form::kDocument) drain_lines(reader, at_end);
  if (form_ != Form::kDocument) return;
  while (const auto batch = document_.next(at_end)) reader.take(*batch);
  for (auto& fault : document_.take_faults()) {
    reader.add_fault(fault.line, fault.text, std::move(fault.reason));
  }
}

void ObjectText::drain_lines(Reader& reader, bool at_end) {
  while (auto batch = lines_.next(at_end)) {
    if (std::exchange(at_start_, false) && batch->text.starts_with(kByteOrderMark)) {
      batch->text.remove_prefix(kByteOrderMark.size());
    }
    if (form_ == Form::kUnknown) form_ = form_of(*batch, reader);
    if (form_ == Form::kDocument) return begin_document();
    lines_.count(reader.take(*batch));
  }
  if (const auto overlong = lines_.take_overlong()) {
    at_start_ = false;
    form_ = Form::kLines;
    reader.add_fault(overlong->first_line, overlong->text, too_long());
  }
}

void ObjectText::begin_document() {
  form_ = Form::kDocument;
  std::string all = lines_.take_all();
  if (all.starts_with(kByteOrderMark)) all.erase(0, kByteOrderMark.size());
  document_.push(all);
}

/// Lines, if one of the first thousand is an object all by itself, from its first column on. Else
/// it is a document spread over lines, if it begins like one.
ObjectText::Form ObjectText::form_of(const Batch& batch, Reader& reader) {
  Line line;
  LineWalk walk(structure_, batch);
  bool opens = false;
  for (int count = 0; count < kLinesToLookAt && walk.next(line); ++count) {
    if (count == 0) opens = line.text[line.text.find_first_not_of(" \t\r")] == '{';
    const bool whole = line.text.starts_with('{') && is_readable(line) && reader.is_row(line);
    if (whole || !opens) return Form::kLines;
  }
  return opens ? Form::kDocument : Form::kLines;
}

std::string ObjectText::too_long() const {
  return fmt::format("the line is longer than the limit of {} bytes", line_bytes_);
}

}  // namespace headrace::jsonl
