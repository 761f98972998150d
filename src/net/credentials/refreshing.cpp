#include "net/credentials/refreshing.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace headrace {
namespace {

constexpr Duration kPauseAfterFailure = std::chrono::minutes(1);
constexpr Duration kYoung = std::chrono::seconds(5);

/// Runs `work` however the scope is left.
template <class Work>
struct OnExit {
  Work work;
  ~OnExit() { work(); }
};
template <class Work>
OnExit(Work) -> OnExit<Work>;

}  // namespace

bool RefreshingCredentials::hold(Time now) const {
  return current_ && (!current_->expires || now < *current_->expires);
}

bool RefreshingCredentials::are_due(Time now) const { return !hold(now) || now >= refresh_at_; }

Task<std::optional<Credentials>> RefreshingCredentials::get() {
  while (are_due(clock_.now())) {
    if (!fetching_) {
      co_await fetch_now();
      break;
    }
    if (hold(clock_.now())) break;
    const std::uint64_t awaited = fetches_ + 1;
    while (fetches_ < awaited) co_await fetched_.wait();
    if (failure_ && !hold(clock_.now())) std::rethrow_exception(failure_);
  }
  co_return current_;
}

Task<> RefreshingCredentials::fetch_now() {
  fetching_ = true;
  failure_ = nullptr;
  const OnExit done{[this] {
    fetching_ = false;
    ++fetches_;
    fetched_.notify_all();
  }};
  try {
    Found found = co_await fetch_();
    if (!found.credentials) {
      throw Error(had_some_ ? ErrorKind::kTransient : ErrorKind::kInvalid,
                  "no credentials; looked at " + found.looked_at);
    }
    keep(std::move(*found.credentials));
  } catch (...) {
    const Error error = to_error(std::current_exception());
    if (error.kind() == ErrorKind::kCancelled) throw error;
    failure_ = std::make_exception_ptr(error);
    if (!hold(clock_.now())) throw error;
    refresh_at_ = clock_.now() + kPauseAfterFailure;
  }
}

void RefreshingCredentials::keep(Credentials credentials) {
  const Time now = clock_.now();
  if (credentials.expires && *credentials.expires <= now) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} gives credentials that ended at {}", credentials.origin,
                            format_time(*credentials.expires)));
  }
  refresh_at_ = Time::max();
  if (credentials.expires) {
    const Duration life = *credentials.expires - now;
    refresh_at_ = *credentials.expires - std::min(refresh_before_, life / 2);
  }
  fetched_at_ = now;
  had_some_ = true;
  current_ = std::move(credentials);
}

void RefreshingCredentials::refused(const Credentials& credentials) {
  if (!current_ || current_->access_key != credentials.access_key ||
      current_->session_token != credentials.session_token) {
    return;  // Others have been fetched since.
  }
  if (clock_.now() - fetched_at_ >= kYoung) current_.reset();
}

}  // namespace headrace
