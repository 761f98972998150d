#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/task.h"
#include "format/compression.h"
#include "format/json_edit.h"

namespace headrace {

/// An object's bytes with edits applied, read once from front to back: unpacked, edited, packed the
/// same way again. The work runs on the pool, at most 256 KiB of output at a time.
///
/// Memory  What JsonEditor needs, and a few pieces.
/// Errors  Those of the body, Decompressor and JsonEditor; failed() is true from then on.
class EditStream final : public ByteSource {
 public:
  /// `edits` and `cpu` outlive the stream.
  EditStream(std::unique_ptr<ByteSource> body, const JsonEdits& edits, CpuPool& cpu);

  Task<Bytes> read() override;
  /// Goes on without giving bytes, until something changed or the end: did something change?
  Task<bool> changes_later();

  bool changed() const { return editor_.changed(); }
  bool failed() const { return failed_; }
  /// Complete at the end.
  const JsonEditReport& report() const { return editor_.report(); }

 private:
  Task<Bytes> next(bool packed);
  Task<> feed();
  Bytes work(bool packed);
  Bytes pack(Bytes edited);

  std::unique_ptr<ByteSource> body_;
  CpuPool& cpu_;
  Decompressor unpack_;
  JsonEditor editor_;
  std::optional<Compressor> pack_;
  bool hungry_ = true;  // Nothing is left of the input so far.
  bool input_ended_ = false;
  bool edits_ended_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace headrace
