#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/object.h"
#include "store/s3/service.h"

namespace headrace::s3 {

/// What an object's bytes must add up to, if the store said so.
class ExpectedSum {
 public:
  /// Takes the sum of the whole object out of an answer's head. Sums of sums ("...-3") and those of
  /// other kinds are left alone.
  static std::optional<ExpectedSum> read(const Headers& headers);

  void add(BytesView bytes);
  bool holds() const;

 private:
  bool is_crc64_ = false;
  std::uint64_t sum_ = 0;
  std::string expected_;
};

/// The body of a GET. Gives exactly `length` bytes or throws: kTransient if the connection ends
/// before, kCorrupt if they are not what the checksum says; the last piece comes only after the
/// check. Any executor may read and destroy it.
class AnswerBody final : public ByteSource {
 public:
  AnswerBody(std::shared_ptr<Service> service, std::unique_ptr<ByteSource> stream,
             std::string where, std::uint64_t length, std::optional<ExpectedSum> sum);
  ~AnswerBody() override;
  AnswerBody(const AnswerBody&) = delete;

  Task<Bytes> read() override;

 private:
  Task<Bytes> read_here();

  std::shared_ptr<Service> service_;
  std::unique_ptr<ByteSource> stream_;
  std::string where_;
  std::uint64_t left_;
  std::optional<ExpectedSum> sum_;
};

}  // namespace headrace::s3
