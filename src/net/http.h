#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace headrace {

/// Header fields in the order they are sent. Names compare without regard to case (RFC 9110 5.1).
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  /// The first field of this name; nullptr if there is none.
  const std::string* find(std::string_view name) const;
  /// The same as a view; empty if there is none.
  std::string_view get(std::string_view name) const;
  /// Replaces all fields of this name, or adds one.
  void set(std::string_view name, std::string value);
  void add(std::string_view name, std::string value);
  void remove(std::string_view name);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

/// An absolute http or https URL, taken apart.
struct Url {
  std::string scheme = "http";  ///< "http" or "https".
  std::string host;             ///< Lower case; an IPv6 address without its brackets.
  std::uint16_t port = 80;
  std::string path = "/";  ///< As it goes on the wire: percent-encoded, begins with '/'.
  std::string query;       ///< As it goes on the wire, without '?'.

  bool secure() const { return scheme == "https"; }
  /// "host", or "host:port" where the port is not the scheme's own: the Host field.
  std::string authority() const;
  /// "/path?query": the request line's target.
  std::string target() const;
  /// The whole URL without its query, which may hold signatures: for messages.
  std::string text() const;
};

/// Throws kInvalid, naming what is wrong, for anything but an absolute http(s) URL without user
/// information.
Url parse_url(std::string_view text);

/// Percent-encodes all but the unreserved characters of RFC 3986 (A-Z a-z 0-9 - . _ ~). With
/// `keep_slash`, '/' stays: the encoding of S3 keys and of SigV4's canonical path.
std::string uri_encode(std::string_view text, bool keep_slash = false);
/// The reverse; a '%' that starts no escape stays as it is. With `plus_is_space`, '+' is a space:
/// the encoding of HTML forms and of keys in S3 notifications.
std::string uri_decode(std::string_view text, bool plus_is_space = false);

/// What is sent along with a request: bytes in memory, the same lent in pieces, or a stream of
/// known length. Of the last two at most one; both are not owned and outlive the call.
struct HttpBody {
  Bytes bytes;                   ///< Used if the others are null.
  ByteSource* stream = nullptr;  ///< Must give `length` bytes.
  std::uint64_t length = 0;      ///< Of `stream`.
  const std::vector<Bytes>* pieces = nullptr;

  std::uint64_t size() const;
};

struct HttpRequest {
  std::string method = "GET";
  Url url;
  Headers headers;  ///< Host, Content-Length and Connection are added by the client.
  HttpBody body;
};

/// An answer whose head has come. The body is read from the connection as it is asked for; the
/// connection goes back to its pool at the body's end, and is closed if the body is dropped before.
struct HttpResponse {
  int status = 0;
  Headers headers;
  /// Never null. Throws kTransient if the connection ends before the body does.
  std::unique_ptr<ByteSource> body;
};

}  // namespace headrace
