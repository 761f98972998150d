#include "format/json_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "format/json_edit_text.h"

namespace headrace {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kLeadingSpaceBytes = 64u << 10;  // More before the first value: JSON lines.
constexpr std::size_t kFaultTextBytes = 8u << 20;      // Of all faults of an object together.
constexpr BytesView kByteOrderMark = "\xEF\xBB\xBF";
constexpr BytesView kSpace = " \t\r\n";

bool is_blank(BytesView text) { return text.find_first_not_of(kSpace) == BytesView::npos; }

}  // namespace

class JsonEditor::Impl {
 public:
  explicit Impl(const JsonEdits& edits) : config_(edits.config()), edit_(edits) {}

  void push(Bytes piece) {
    scanned_ = std::max(scanned_, at_) - at_;
    if (at_ == in_.size()) {
      in_ = std::move(piece);
    } else {
      in_.erase(0, at_);
      in_ += piece;
    }
    at_ = 0;
  }

  void finish() { finished_ = true; }

  Bytes next() {
    if (mode_ == Mode::kLines && out_.empty()) {
      out_.reserve(std::min(kPieceBytes, in_.size() - at_ + 1024));
    }
    while (given_ == 0 && out_.size() < kPieceBytes && advance()) {
    }
    if (given_ == 0 && out_.size() <= kPieceBytes) return std::exchange(out_, {});
    Bytes piece = out_.substr(given_, kPieceBytes);
    given_ += piece.size();
    if (given_ == out_.size()) {
      out_ = {};
      given_ = 0;
    }
    return piece;
  }

  const JsonEditReport& report() const { return report_; }

 private:
  enum class Mode : unsigned char {
    kMark,       // A byte order mark may come.
    kUndecided,  // What the text is, is not known yet.
    kDocument,   // Gathered whole.
    kLines,
    kLongLine,  // Passed through to its end.
    kPassing,   // All that is left is passed through.
  };

  BytesView rest() const { return BytesView(in_).substr(at_); }

  /// Does the next bit of work; false if it needs more input, or there is none left.
  bool advance() {
    switch (mode_) {
      case Mode::kMark:
        return mark();
      case Mode::kUndecided:
        return decide();
      case Mode::kDocument:
        return document();
      case Mode::kLines:
        return line();
      case Mode::kLongLine:
        return long_line();
      case Mode::kPassing:
        return pass(in_.size() - at_);
    }
    return false;
  }

  bool pass(std::size_t bytes) {
    out_.append(in_, at_, bytes);
    at_ += bytes;
    return bytes > 0;
  }

  bool become(Mode mode) {
    mode_ = mode;
    return true;
  }

  bool mark() {
    const BytesView start = rest().substr(0, kByteOrderMark.size());
    if (!finished_ && start != kByteOrderMark && kByteOrderMark.starts_with(start)) return false;
    if (start == kByteOrderMark) pass(start.size());
    return become(Mode::kUndecided);
  }

  bool decide() {
    const BytesView text = rest();
    const std::size_t first = std::min(text.find_first_not_of(kSpace), text.size());
    if (first > kLeadingSpaceBytes) return become(Mode::kLines);
    if (first == text.size()) return finished_ && become(Mode::kLines);
    if (text[first] == '[') return become(Mode::kDocument);
    if (text[first] != '{') return become(Mode::kLines);
    const std::size_t line_end =
        text.find('\n', std::max(first, scanned_ - std::min(scanned_, at_)));
    scanned_ = in_.size();
    const BytesView line =
        text.substr(first, line_end == BytesView::npos ? line_end : line_end - first);
    const bool whole = line_end != BytesView::npos || finished_;
    if (line.size() <= config_.line_bytes && !whole) return false;
    scanned_ = 0;
    if (line.size() > config_.line_bytes || edit_.well_formed(line)) return become(Mode::kLines);
    return become(Mode::kDocument);
  }

  bool document() {
    const bool too_long = rest().size() > config_.document_bytes;
    if (!too_long && !finished_) return false;
    const BytesView text = rest().substr(0, config_.document_bytes);
    if (!too_long && edit_.document(text, out_)) {
      note_document();
      at_ = in_.size();
      return become(Mode::kPassing);
    }
    const std::string reason =
        too_long ? fmt::format("the document is longer than the limit of {} bytes",
                               config_.document_bytes)
                 : edit_.fault();
    if (is_lines_after_all(text, !too_long)) return become(Mode::kLines);
    ++report_.values;
    fault("document", 1, reason, text);
    return become(Mode::kPassing);
  }

  void note_document() {
    report_.values += edit_.values();
    report_.changed += edit_.changed();
    for (const JsonTextEdit::Fault& one : edit_.element_faults()) {
      fault("element", one.number, one.reason, one.text);
    }
    report_.fault_count += edit_.element_fault_count() - edit_.element_faults().size();
  }

  /// A text that began with a broken line looked like the beginning of a document. The line after
  /// it tells: a document of many lines has no whole object there.
  bool is_lines_after_all(BytesView text, bool complete) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == BytesView::npos || text[first] != '{') return false;
    std::size_t begin = text.find('\n', first);
    if (begin == BytesView::npos) return complete;
    begin = text.find_first_not_of(kSpace, begin);
    if (begin == BytesView::npos) return complete;
    if (text[begin] != '{') return false;
    const std::size_t end = text.find('\n', begin);
    if (end == BytesView::npos && !complete) return false;
    return edit_.well_formed(text.substr(begin, end == BytesView::npos ? end : end - begin));
  }

  bool line() {
    const std::size_t line_end = in_.find('\n', std::max(at_, scanned_));
    const bool ended = line_end != Bytes::npos;
    const BytesView text = ended ? rest().substr(0, line_end - at_) : rest();
    scanned_ = ended ? line_end + 1 : in_.size();
    if (text.size() > config_.line_bytes) {
      ++report_.values;
      fault("line", ++line_, fmt::format("longer than the limit of {} bytes", config_.line_bytes),
            text.substr(0, config_.line_bytes));
      scanned_ = at_;
      return become(Mode::kLongLine);
    }
    if (!ended && (!finished_ || text.empty())) return false;
    ++line_;
    if (is_blank(text)) return pass(text.size() + (ended ? 1 : 0));
    edit_line(text);
    at_ += text.size();
    if (ended) pass(1);
    return true;
  }

  void edit_line(BytesView text) {
    ++report_.values;
    const bool has_return = text.ends_with('\r');
    if (has_return) text.remove_suffix(1);
    if (edit_.object(text, out_)) {
      report_.changed += edit_.changed();
    } else {
      fault("line", line_, edit_.fault(), text);
      out_ += text;
    }
    if (has_return) out_ += '\r';
  }

  bool long_line() {
    const std::size_t line_end = in_.find('\n', at_);
    if (line_end == Bytes::npos) return pass(in_.size() - at_);
    pass(line_end + 1 - at_);
    return become(Mode::kLines);
  }

  void fault(std::string_view what, std::uint64_t number, const std::string& reason,
             BytesView text) {
    if (config_.on_bad_line == OnBadLine::kFail) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} {}: {}", what, number, reason));
    }
    ++report_.fault_count;
    if (config_.on_bad_line == OnBadLine::kSkip || report_.faults.size() >= config_.faults) return;
    if (text.ends_with('\r')) text.remove_suffix(1);
    text = text.substr(0, config_.fault_bytes);
    if (fault_text_ + text.size() > kFaultTextBytes) return;
    fault_text_ += text.size();
    report_.faults.push_back({number, reason, std::string(text)});
  }

  const JsonEditConfig& config_;
  JsonTextEdit edit_;
  Mode mode_ = Mode::kMark;
  Bytes in_;
  std::size_t at_ = 0;       // In in_: what is before is done.
  std::size_t scanned_ = 0;  // In in_: no line ends from at_ up to here.
  bool finished_ = false;
  Bytes out_;
  std::size_t given_ = 0;  // Of out_, when it is too large to be given at once.
  std::uint64_t line_ = 0;
  std::size_t fault_text_ = 0;
  JsonEditReport report_;
};

JsonEditor::JsonEditor(const JsonEdits& edits) : impl_(std::make_unique<Impl>(edits)) {}
JsonEditor::~JsonEditor() = default;
JsonEditor::JsonEditor(JsonEditor&&) noexcept = default;
JsonEditor& JsonEditor::operator=(JsonEditor&&) noexcept = default;
void JsonEditor::push(Bytes piece) { impl_->push(std::move(piece)); }
Bytes JsonEditor::next() { return impl_->next(); }
void JsonEditor::finish() { impl_->finish(); }
bool JsonEditor::changed() const { return impl_->report().changed > 0; }
const JsonEditReport& JsonEditor::report() const { return impl_->report(); }

}  // namespace headrace
