#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>

#include "cli/cli.h"

namespace headrace {
namespace {

constexpr Duration kQuiet = std::chrono::milliseconds(500);
constexpr Duration kEvery = std::chrono::milliseconds(100);
constexpr int kWidth = 30;

}  // namespace

std::string progress_line(std::optional<double> done, Duration since) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  if (!done) return fmt::format("running  {} s", seconds);
  const int filled = static_cast<int>(*done * kWidth);
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < kWidth) bar += '>';
  bar.resize(kWidth, ' ');
  return fmt::format("[{}] {:3}%  {} s", bar, static_cast<int>(*done * 100), seconds);
}

struct ProgressBar::State {
  std::function<std::optional<double>()> done;  // Empty once the work is over.
  Duration began{};
  bool shown = false;
};

ProgressBar::ProgressBar(std::function<std::optional<double>()> done)
    : state_(std::make_shared<State>(State{.done = std::move(done)})) {}

ProgressBar::~ProgressBar() {
  clear();
  state_->done = nullptr;
}

Task<> ProgressBar::start() {
  state_->began = real_clock().monotonic();
  if (!on_terminal(STDERR_FILENO)) co_return;
  boost::asio::co_spawn(co_await boost::asio::this_coro::executor, draw(state_),
                        boost::asio::detached);
}

/// Holds the state alone: the bar may be gone when the clock comes back.
Task<> ProgressBar::draw(std::shared_ptr<State> state) {
  co_await real_clock().sleep(kQuiet);
  while (state->done) {
    const Duration since = real_clock().monotonic() - state->began;
    std::fprintf(stderr, "\r%s\x1b[K", progress_line(state->done(), since).c_str());
    std::fflush(stderr);
    state->shown = true;
    co_await real_clock().sleep(kEvery);
  }
}

void ProgressBar::clear() {
  if (!std::exchange(state_->shown, false)) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace headrace
