#pragma once

#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <string>

#include "core/error.h"
#include "net/http_client.h"
#include "testing/http_peer.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {

using boost::asio::experimental::awaitable_operators::operator&&;

/// One side of a conversation between a client and a scripted peer.
using Side = std::function<Task<>(HttpClient&, HttpPeer&)>;

/// Runs both sides on one loop, until both have ended.
inline void meet(const Side& client_side, const Side& peer_side, HttpClientConfig config = {},
                 Clock& clock = real_clock()) {
  run_task([&]() -> Task<> {
    const Executor executor = co_await boost::asio::this_coro::executor;
    HttpPeer peer(executor);
    HttpClient client(executor, clock, std::move(config));
    co_await (client_side(client, peer) && peer_side(client, peer));
  }());
}

inline HttpRequest request_to(std::string_view url, std::string method = "GET", Bytes body = {}) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = parse_url(url);
  request.body.bytes = std::move(body);
  return request;
}

/// Lets everything else on the loop that is ready run first.
inline Task<> breathe() {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
}

/// What `task` throws; a failed test if it throws nothing.
template <class T>
Task<Error> failure_of(Task<T> task) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    co_return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  co_return Error(ErrorKind::kBug, "nothing was thrown");
}

/// A body that gives `pieces` one after the other, as a file or another answer would.
class PieceSource final : public ByteSource {
 public:
  explicit PieceSource(std::vector<Bytes> pieces) : pieces_(std::move(pieces)) {}
  Task<Bytes> read() override {
    co_await breathe();
    ++reads_;
    if (next_ == pieces_.size()) co_return Bytes();
    co_return pieces_[next_++];
  }
  std::size_t reads() const { return reads_; }

 private:
  std::vector<Bytes> pieces_;
  std::size_t next_ = 0;
  std::size_t reads_ = 0;
};

}  // namespace headrace
