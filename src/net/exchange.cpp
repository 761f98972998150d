#include "net/exchange.h"

#include <fmt/format.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/error.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// A body up to this size is copied behind its head and goes out in the same write.
constexpr std::size_t kJoined = 16 * 1024;

/// What came of sending: a network failure is a value, since an answer may be there all the same.
struct Sent {
  error_code failed;
};

Task<Exchanged> read_head(Connection& connection, std::size_t largest, bool to_head) {
  Exchanged result;
  std::size_t seen = 0;
  while (true) {
    const std::string_view unread = connection.unread();
    const std::size_t size = head_size(unread, seen);
    if (size > largest || (size == 0 && unread.size() >= largest)) {
      result.problem = fmt::format("the head of its answer has more than {} bytes", largest);
      co_return result;
    }
    if (size == 0) {
      seen = unread.size();
      const Moved moved = co_await connection.fill();
      result.any_answer = result.any_answer || moved.bytes != 0;
      if (!moved.failed) continue;
      result.failed = moved.failed;
      co_return result;
    }
    result.any_answer = true;
    auto head = parse_answer_head(unread.substr(0, size), to_head);
    connection.consume(size);
    seen = 0;
    if (head && head->status < 200 && head->status != 101) continue;  // Interim: 100, 102, 103.
    if (head && head->status == 101) {
      result.problem = "the server switches to another protocol";
    } else if (head) {
      result.head = std::move(*head);
    } else {
      result.problem = "the server sends " + head.error();
    }
    co_return result;
  }
}

Task<Sent> send_stream(Connection& connection, const Outgoing& outgoing) {
  Moved moved = co_await connection.write(outgoing.head);
  std::uint64_t left = outgoing.body->length;
  while (!moved.failed && left != 0) {
    const Bytes piece = co_await outgoing.body->stream->read();
    if (piece.empty() || piece.size() > left) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("what is sent has {} than the {} bytes announced",
                              piece.empty() ? "less" : "more", outgoing.body->length));
    }
    moved = co_await connection.write(piece);
    left -= piece.size();
  }
  co_return Sent{moved.failed};
}

Task<Sent> send_pieces(Connection& connection, const Outgoing& outgoing) {
  std::string_view head = outgoing.head;  // Goes out with the first piece.
  Moved moved;
  for (const Bytes& piece : *outgoing.body->pieces) {
    moved = co_await connection.write(head, piece);
    if (moved.failed) break;
    head = {};
  }
  co_return Sent{moved.failed};
}

Task<Sent> send_all(Connection& connection, const Outgoing& outgoing) {
  Sent sent;
  if (outgoing.body->stream) {
    sent = co_await send_stream(connection, outgoing);
  } else if (outgoing.body->pieces) {
    sent = co_await send_pieces(connection, outgoing);
  } else {
    sent.failed = (co_await connection.write(outgoing.head, outgoing.body->bytes)).failed;
  }
  connection.set_uploading(false);
  co_return sent;
}

/// The answer ends the sending; a source that fails ends the reading; the rest runs on.
struct EndOfBoth {
  asio::cancellation_type operator()(const std::exception_ptr& failed, const Sent&) const {
    return failed ? asio::cancellation_type::terminal : asio::cancellation_type::none;
  }
  asio::cancellation_type operator()(const std::exception_ptr&, const Exchanged&) const {
    return asio::cancellation_type::terminal;
  }
};

Task<Exchanged> exchange_large(Connection& connection, const Outgoing& outgoing) {
  const auto executor = co_await asio::this_coro::executor;
  connection.set_uploading(true);
  auto [order, send_failed, sent, read_failed, result] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, send_all(connection, outgoing), asio::deferred),
          asio::co_spawn(executor, read_head(connection, outgoing.largest, outgoing.to_head),
                         asio::deferred))
          .async_wait(EndOfBoth{}, asio::use_awaitable);
  if (send_failed) {
    // The sending may have been cancelled by the answer; then there is one.
    const Error error = to_error(send_failed);
    const bool answered = !read_failed && (result.head || !result.problem.empty());
    if (error.kind() != ErrorKind::kCancelled || !answered) throw error;
  }
  if (read_failed) std::rethrow_exception(read_failed);
  if (result.failed && sent.failed) result.failed = sent.failed;
  result.sent_all = !send_failed && !sent.failed;
  co_return std::move(result);
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void append_fields(std::string& head, const Headers& headers) {
  for (const Headers::Field& field : headers) {
    if (!is_sendable(field)) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("header '{}' cannot be sent: a name is made of letters, digits and "
                              "'-', a value is one line",
                              uri_encode(field.name)));
    }
    append_field(head, field.name, field.value);
  }
}

}  // namespace

Outgoing compose(HttpRequest& request, bool absolute, const std::string& proxy_authorization,
                 std::size_t largest_head) {
  Outgoing out{{}, nullptr, largest_head, request.method == "HEAD"};
  const HttpBody& body = request.body;
  const bool joined = !body.stream && body.size() <= kJoined;
  out.head.reserve(512 + (joined ? body.size() : 0));
  out.head.append(request.method).push_back(' ');
  const Url& url = request.url;
  if (absolute) out.head.append("http://").append(url.authority());
  out.head.append(url.path);
  if (!url.query.empty()) out.head.append("?").append(url.query);
  if (out.head.find_first_of(" \r\n\t", request.method.size() + 1) != std::string::npos ||
      !is_sendable({request.method, {}})) {
    throw Error(ErrorKind::kInvalid, "the URL has a space or line end; percent-encode it");
  }
  out.head.append(" HTTP/1.1\r\n");
  if (!request.headers.find("Host")) append_field(out.head, "Host", url.authority());
  append_fields(out.head, request.headers);
  const bool usual =
      request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
  if ((usual || body.size() != 0) && !request.headers.find("Content-Length")) {
    fmt::format_to(std::back_inserter(out.head), "Content-Length: {}\r\n", body.size());
  }
  if (!proxy_authorization.empty()) {
    append_field(out.head, "Proxy-Authorization", proxy_authorization);
  }
  out.head.append("\r\n");
  if (!joined) {
    out.body = &request.body;
  } else if (body.pieces) {
    for (const Bytes& piece : *body.pieces) out.head.append(piece);
  } else {
    out.head.append(body.bytes);
  }
  return out;
}

Task<Exchanged> exchange(Connection& connection, const Outgoing& outgoing) {
  if (outgoing.body) co_return co_await exchange_large(connection, outgoing);
  const Moved sent = co_await connection.write(outgoing.head);
  // Even when the server takes no more, its answer may be there.
  Exchanged result = co_await read_head(connection, outgoing.largest, outgoing.to_head);
  result.sent_all = !sent.failed;
  if (result.failed && sent.failed) result.failed = sent.failed;
  co_return result;
}

}  // namespace headrace
