#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/signal.h"
#include "net/credentials.h"

namespace headrace {

/// What a look for credentials found: some, or the places that had none.
struct Found {
  std::optional<Credentials> credentials;
  std::string looked_at;
};

/// Keeps what `fetch` gave and fetches anew `refresh_before` the end, or at half of a shorter life.
/// One get() fetches; others go on with the old credentials while these hold, and else wait for the
/// same answer or the same failure. A failed refresh is tried again after a minute, while the old
/// ones hold, and by each get() after that.
///
/// Credentials that are refused just after they came are kept for some seconds: they are wrong, not
/// old, and fetching them for every request would make it worse.
class RefreshingCredentials final : public CredentialsProvider {
 public:
  using Fetch = std::function<Task<Found>()>;

  RefreshingCredentials(Fetch fetch, Clock& clock, Duration refresh_before)
      : fetch_(std::move(fetch)), clock_(clock), refresh_before_(refresh_before) {}

  Task<std::optional<Credentials>> get() override;
  void refused(const Credentials& credentials) override;

 private:
  bool hold(Time now) const;
  bool are_due(Time now) const;
  Task<> fetch_now();
  void keep(Credentials credentials);

  Fetch fetch_;
  Clock& clock_;
  Duration refresh_before_;

  std::optional<Credentials> current_;
  Time fetched_at_{};
  Time refresh_at_ = Time::max();
  bool had_some_ = false;

  bool fetching_ = false;
  std::uint64_t fetches_ = 0;   // Ended ones.
  std::exception_ptr failure_;  // Of the last one; not a cancellation.
  Signal fetched_;
};

}  // namespace headrace
