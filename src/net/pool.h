#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <vector>

#include "net/connection.h"

namespace headrace {

class Pool;

/// The connections to one server. Who comes first is served first.
struct Endpoint {
  explicit Endpoint(const Url& url) : host(url.host), port(url.port), secure(url.secure()) {}
  bool is_for(const Url& url) const {
    return port == url.port && secure == url.secure() && host == url.host;
  }

  struct Waiter {
    boost::asio::steady_timer timer;  // Cancelled when it is this waiter's turn.
    bool granted = false;
  };

  std::string host;
  std::uint16_t port;
  bool secure;
  std::vector<std::unique_ptr<Connection>> idle;  // The last used at the back.
  std::list<Waiter*> waiting;
  std::size_t open = 0;     // Connections, idle or leased.
  std::size_t granted = 0;  // Waiters whose turn it is but who have not resumed.
};

/// A connection for one exchange, or the right to open one. Closed on destruction, unless kept;
/// both may happen on any executor.
class Lease {
 public:
  Lease(std::shared_ptr<Pool> pool, std::shared_ptr<Endpoint> endpoint)
      : pool_(std::move(pool)), endpoint_(std::move(endpoint)) {}
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  /// Whether it carried an exchange before, and so may have been closed by the server meanwhile.
  bool is_reused() const { return reused_; }
  /// Throws the connection away and makes an unopened one in its place.
  void renew();
  /// Gives the connection back for others. On the pool's executor.
  void keep();

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }

 private:
  friend class Pool;
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Endpoint> endpoint_;
  std::unique_ptr<Connection> connection_;
  bool reused_ = false;
};

/// The kept-alive connections of a client, at most `connections` for each server.
///
/// Threads  One executor.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(Executor executor, Clock& clock, const HttpClientConfig& config);

  /// Waits for a free place. An unused connection if there is one, otherwise an unopened one.
  Task<Lease> lease(const Url& url);
  const Executor& executor() const { return executor_; }
  /// Closes all that is unused, and from now on whatever is given back.
  void shut();

 private:
  friend class Lease;
  std::size_t free_places(const Endpoint& endpoint) const;
  std::shared_ptr<Endpoint> endpoint_for(const Url& url);
  Task<> wait_for_place(Endpoint& endpoint);
  std::unique_ptr<Connection> make_connection();
  void give_back(const std::shared_ptr<Endpoint>& endpoint, std::unique_ptr<Connection> connection);
  void drop(Endpoint& endpoint, std::unique_ptr<Connection> connection);
  void wake_waiters(Endpoint& endpoint);
  void forget_unused(const Endpoint& endpoint);

  Executor executor_;
  const std::size_t limit_;
  const Duration keep_alive_;
  const ConnectionLimits limits_;
  std::unique_ptr<Deadlines> deadlines_;
  std::vector<std::shared_ptr<Endpoint>> endpoints_;
  bool shut_ = false;
};

}  // namespace headrace
