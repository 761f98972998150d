#include "store/s3/answer_body.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "core/error.h"
#include "store/s3/checksum.h"

namespace headrace::s3 {

std::optional<ExpectedSum> ExpectedSum::read(const Headers& headers) {
  if (headers.get("x-amz-checksum-type") == "COMPOSITE") return std::nullopt;
  ExpectedSum sum;
  sum.is_crc64_ = headers.find("x-amz-checksum-crc64nvme") != nullptr;
  sum.expected_ = headers.get(sum.is_crc64_ ? "x-amz-checksum-crc64nvme" : "x-amz-checksum-crc32");
  if (sum.expected_.empty() || sum.expected_.find('-') != std::string::npos) return std::nullopt;
  return sum;
}

void ExpectedSum::add(BytesView bytes) {
  sum_ = is_crc64_ ? crc64_nvme(bytes, sum_) : crc32(bytes, static_cast<std::uint32_t>(sum_));
}

bool ExpectedSum::holds() const {
  return expected_ ==
         (is_crc64_ ? checksum_text(sum_) : checksum_text(static_cast<std::uint32_t>(sum_)));
}

AnswerBody::AnswerBody(std::shared_ptr<Service> service, std::unique_ptr<ByteSource> stream,
                       std::string where, std::uint64_t length, std::optional<ExpectedSum> sum)
    : service_(std::move(service)),
      stream_(std::move(stream)),
      where_(std::move(where)),
      left_(length),
      sum_(std::move(sum)) {}

AnswerBody::~AnswerBody() {
  if (!stream_) return;
  // The connection belongs to the service's executor, and needs the service to be given back.
  const Executor executor = service_->executor();
  boost::asio::post(executor,
                    [service = std::move(service_), stream = std::move(stream_)]() mutable {
                      stream.reset();
                      service.reset();
                    });
}

Task<Bytes> AnswerBody::read() {
  co_return co_await run_at(*service_, [this] { return read_here(); });
}

Task<Bytes> AnswerBody::read_here() {
  if (!stream_) co_return Bytes{};
  Bytes piece = co_await stream_->read();
  if (piece.size() > left_ || (piece.empty() && left_ > 0)) {
    throw Error(ErrorKind::kTransient, fmt::format("{}: the body is {} than the answer's head says",
                                                   where_, piece.empty() ? "shorter" : "longer"));
  }
  left_ -= piece.size();
  if (sum_) sum_->add(piece);
  if (left_ > 0) co_return piece;
  if (sum_ && !sum_->holds()) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{}: the bytes are not those that the store's checksum was made of; "
                            "they broke in the store or on the way",
                            where_));
  }
  // The end has to be seen for the connection to be used again.
  if (!piece.empty()) co_await stream_->read();
  stream_.reset();
  co_return piece;
}

}  // namespace headrace::s3
