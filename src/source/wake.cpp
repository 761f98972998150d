#include "source/wake.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "core/error.h"

namespace headrace {
namespace {

using boost::asio::experimental::awaitable_operators::operator||;

Task<> never(boost::asio::experimental::channel<void(boost::system::error_code)>& silent) {
  co_await silent.async_receive(boost::asio::use_awaitable);
}

}  // namespace

struct Wake::Bell {
  using Channel = boost::asio::experimental::channel<void(boost::system::error_code)>;
  explicit Bell(const Executor& executor) : rings(executor, 1), silence(executor, 1) {}
  Channel rings;
  Channel silence;  // Nobody sends: stands in for what is not waited for.
};

void Wake::ring() {
  rung_ = true;
  if (bell_ != nullptr) bell_->rings.try_send(boost::system::error_code());
}

Task<> Wake::wait(Clock& clock, std::optional<Time> due, std::function<Task<>()> other) {
  if (!rung_) {
    Bell bell(co_await boost::asio::this_coro::executor);
    struct Hung {
      Bell*& place;
      ~Hung() { place = nullptr; }
    } const hung{bell_ = &bell};
    try {
      Task<> timer = due ? clock.sleep_until(*due) : never(bell.silence);
      Task<> third = other ? other() : never(bell.silence);
      co_await (bell.rings.async_receive(boost::asio::use_awaitable) || std::move(timer) ||
                std::move(third));
    } catch (const boost::asio::multiple_exceptions&) {
      // All three ended without what they waited for: only being cancelled does that.
      throw Error(ErrorKind::kCancelled, "wait cancelled");
    } catch (const boost::system::system_error&) {
      throw to_error(std::current_exception());
    }
  }
  rung_ = false;
}

}  // namespace headrace
