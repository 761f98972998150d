#pragma once

#include <string>

#include "format/jsonl/document.h"
#include "format/jsonl/lines.h"
#include "format/jsonl/structure.h"

namespace headrace::jsonl {

/// The text of one object after the other, in pieces of any cut: finds out whether an object's rows
/// are lines or a document that is spread over lines, and hands them out in batches.
class ObjectText {
 public:
  /// Whoever reads the rows.
  class Reader {
   public:
    /// Is the line one JSON object, all by itself?
    virtual bool is_row(const Line& line) = 0;
    /// Takes the rows of a batch. Gives the number of the line that follows it.
    virtual std::uint64_t take(const Batch& batch) = 0;
    /// Takes text that lies in no batch, from line `number` on.
    virtual void add_fault(std::uint64_t number, BytesView text, std::string reason) = 0;

   protected:
    ~Reader() = default;
  };

  /// Lines and rows longer than `line_bytes` are faults.
  explicit ObjectText(std::uint64_t line_bytes);

  /// Begins another object.
  void begin();
  void write(BytesView piece, Reader& reader);
  void end(Reader& reader) { drain(reader, /*at_end=*/true); }

  /// Are this object's rows spread over lines?
  bool is_document() const { return form_ == Form::kDocument; }
  bool is_readable(const Line& line) const {
    return line.flaw.empty() && line.text.size() <= line_bytes_;
  }
  /// Why a line is not readable.
  std::string obstacle(const Line& line) const;
  /// One walk at a time.
  LineWalk walk(const Batch& batch) { return {structure_, batch}; }

 private:
  enum class Form : unsigned char { kUnknown, kLines, kDocument };

  void drain(Reader& reader, bool at_end);
  void drain_lines(Reader& reader, bool at_end);
  void begin_document();
  Form form_of(const Batch& batch, Reader& reader);
  std::string too_long() const;

  std::uint64_t line_bytes_;
  Structure structure_;
  LineBuffer lines_;
  DocumentBuffer document_;
  Form form_ = Form::kUnknown;
  bool at_start_ = true;
};

}  // namespace headrace::jsonl
