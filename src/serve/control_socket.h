#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "core/log.h"
#include "core/task.h"
#include "serve/api.h"

namespace headrace {

/// The control socket of a running engine: the API as HTTP/1.1 over a Unix socket that only its
/// owner may open. One request a connection; bodies up to 16 MiB, headers up to 16 KiB, 64
/// connections at a time.
class ControlSocket {
 public:
  /// Binds at once, replacing a socket that nobody serves any more; throws kInvalid if the path is
  /// too long (108 bytes) or not writable.
  ControlSocket(Executor executor, std::filesystem::path path, Api& api, const Log& log);
  /// Removes the socket's file.
  ~ControlSocket();

  /// Serves until cancelled; ends when calls under way have ended and all connections are closed.
  Task<> run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Asks the engine behind the socket; nullopt if none is listening there.
std::optional<ApiResponse> ask_engine(const std::filesystem::path& path, const ApiRequest& request);

}  // namespace headrace
