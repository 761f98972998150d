#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/task.h"

namespace headrace {

/// "[=======>       ]  47%  12 s": one line for work of which `done` (0 to 1) is over, or whose
/// progress is not known.
std::string progress_line(std::optional<double> done, Duration since);

/// A bar on stderr while something long runs: it comes after half a second, and only where stderr
/// is a terminal.
///
/// Threads  One executor.
class ProgressBar {
 public:
  explicit ProgressBar(std::function<std::optional<double>()> done);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Begins to draw, on the awaiting executor.
  Task<> start();
  /// Takes the line off the terminal, before something else is written; it comes back.
  void clear();

 private:
  struct State;
  static Task<> draw(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace headrace
