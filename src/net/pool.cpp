#include "net/pool.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/error.h"

namespace headrace {
namespace {

namespace asio = boost::asio;

/// Deadlines are looked at four times within the shortest of them, but at most once a second when
/// they are long, and never so often that it costs.
Duration sweep_period(const HttpClientConfig& config) {
  const Duration shortest =
      std::min({config.connect_timeout, config.idle_timeout, config.keep_alive});
  return std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(5), std::chrono::seconds(1));
}

}  // namespace

Lease::~Lease() {
  if (!pool_) return;  // Kept, or moved from.
  const Executor executor = pool_->executor();
  asio::dispatch(executor, [pool = std::move(pool_), endpoint = std::move(endpoint_),
                            connection = std::move(connection_)]() mutable {
    pool->drop(*endpoint, std::move(connection));
  });
}

void Lease::renew() {
  connection_ = pool_->make_connection();
  reused_ = false;
}

void Lease::keep() {
  const auto pool = std::move(pool_);
  pool->give_back(endpoint_, std::move(connection_));
}

Pool::Pool(Executor executor, Clock& clock, const HttpClientConfig& config)
    : executor_(std::move(executor)),
      limit_(std::max<std::size_t>(config.connections, 1)),
      keep_alive_(config.keep_alive),
      limits_{config.connect_timeout, config.idle_timeout, config.header_bytes},
      deadlines_(std::make_unique<Deadlines>(executor_, clock, sweep_period(config))) {}

std::size_t Pool::free_places(const Endpoint& endpoint) const {
  return endpoint.idle.size() + limit_ - endpoint.open - endpoint.granted;
}

std::shared_ptr<Endpoint> Pool::endpoint_for(const Url& url) {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->is_for(url)) return endpoint;
  }
  return endpoints_.emplace_back(std::make_shared<Endpoint>(url));
}

std::unique_ptr<Connection> Pool::make_connection() {
  if (shut_) throw Error(ErrorKind::kCancelled, "the HTTP client was closed");
  return std::make_unique<Connection>(executor_, *deadlines_, limits_);
}

Task<Lease> Pool::lease(const Url& url) {
  const auto endpoint = endpoint_for(url);
  if (!endpoint->waiting.empty() || free_places(*endpoint) == 0) {
    co_await wait_for_place(*endpoint);
  }
  if (endpoint->idle.empty()) ++endpoint->open;
  Lease lease(shared_from_this(), endpoint);
  if (endpoint->idle.empty()) {
    lease.connection_ = make_connection();
  } else {
    lease.connection_ = std::move(endpoint->idle.back());
    endpoint->idle.pop_back();
    lease.connection_->wake();
    lease.reused_ = true;
  }
  co_return lease;
}

Task<> Pool::wait_for_place(Endpoint& endpoint) {
  Endpoint::Waiter self{{executor_, asio::steady_timer::time_point::max()}};
  const auto place = endpoint.waiting.insert(endpoint.waiting.end(), &self);
  boost::system::error_code woken;
  co_await self.timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!self.granted) {
    endpoint.waiting.erase(place);
    throw Error(ErrorKind::kCancelled, "request cancelled");
  }
  --endpoint.granted;
}

void Pool::wake_waiters(Endpoint& endpoint) {
  while (!endpoint.waiting.empty() && free_places(endpoint) != 0) {
    Endpoint::Waiter* next = endpoint.waiting.front();
    endpoint.waiting.pop_front();
    ++endpoint.granted;
    next->granted = true;
    next->timer.cancel();
  }
}

void Pool::give_back(const std::shared_ptr<Endpoint>& endpoint,
                     std::unique_ptr<Connection> connection) {
  if (shut_) return;
  Connection& kept = *connection;
  endpoint->idle.push_back(std::move(connection));
  kept.rest(keep_alive_, [this, &kept, place = std::weak_ptr(endpoint)] {
    const auto of = place.lock();
    const auto at = std::ranges::find(of->idle, &kept, &std::unique_ptr<Connection>::get);
    std::unique_ptr<Connection> unused = std::move(*at);
    of->idle.erase(at);
    drop(*of, std::move(unused));
  });
  wake_waiters(*endpoint);
}

void Pool::drop(Endpoint& endpoint, std::unique_ptr<Connection> connection) {
  connection.reset();
  --endpoint.open;
  wake_waiters(endpoint);
  forget_unused(endpoint);
}

void Pool::forget_unused(const Endpoint& endpoint) {
  if (endpoint.open != 0 || endpoint.granted != 0 || !endpoint.waiting.empty()) return;
  std::erase_if(endpoints_, [&](const auto& known) { return known.get() == &endpoint; });
}

void Pool::shut() {
  shut_ = true;
  for (const auto& endpoint : endpoints_) endpoint->idle.clear();
  deadlines_.reset();
}

}  // namespace headrace
