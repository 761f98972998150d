#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "net/http.h"

namespace headrace {

/// How the end of a body is known (RFC 9112 6.3).
enum class Framing : unsigned char { kNone, kLength, kChunked, kUntilClose };

/// What the head of an answer says.
struct AnswerHead {
  int status = 0;
  bool keep_alive = false;  ///< The connection may carry another request.
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  ///< With kLength.
  Headers headers;
};

/// What the head of a request says.
struct RequestHead {
  std::string method;
  std::string target;  ///< As sent, but never empty and without "http://host" before it.
  bool keep_alive = false;
  bool expects_continue = false;
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;
  Headers headers;
};

/// The size of the head at the front of `bytes` with its empty line; 0 if that has not come yet.
/// The first `seen` bytes were looked at before.
std::size_t head_size(std::string_view bytes, std::size_t seen = 0);

/// Reads a whole head, as head_size() measures it. Strict where leniency lets two programs disagree
/// about where a message ends: no bare line feeds, no folded lines, no two different lengths, no
/// length beside chunks. What is wrong is given in words. `to_head`: it answers a HEAD.
std::expected<AnswerHead, std::string> parse_answer_head(std::string_view head, bool to_head);
std::expected<RequestHead, std::string> parse_request_head(std::string_view head);

/// Whether a field may be sent: a token as its name, no line end within its value.
bool is_sendable(const Headers::Field& field);

/// Takes the chunks of a body apart, however they are cut (RFC 9112 7.1). Extensions and trailers
/// are read over, 8 KiB of them at most.
class ChunkReader {
 public:
  enum class State : unsigned char { kMore, kDone, kBroken };

  /// Takes bytes off the front of `in` and appends data to `out`, up to the end of the body or of
  /// `in`. Returns how many bytes it took.
  std::size_t feed(std::string_view in, Bytes& out);
  State state() const { return state_; }

 private:
  enum class At : unsigned char { kSize, kExtension, kData, kDataEnd, kTrailer };

  std::size_t take_data(std::string_view in, Bytes& out);
  void take_byte(char c);
  void take_size_digit(char c);

  State state_ = State::kMore;
  At at_ = At::kSize;
  std::uint64_t left_ = 0;    // Of the size read so far, or of the data still to come.
  std::size_t digits_ = 0;    // Of the size.
  std::size_t overhead_ = 0;  // Bytes of extensions and trailers.
  std::size_t column_ = 0;    // In a trailer's line.
  bool return_ = false;       // The last byte was a carriage return that a line feed must follow.
};

}  // namespace headrace
