#pragma once

#include <curl/curl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <vector>

#include "net/http_server.h"

// For benches that measure a client beside libcurl: both in the thread at hand, the server in
// another process. Whatever goes wrong aborts: a figure of half the work is none.
namespace headrace::bench {

/// Serves on a free port of this machine in a child that ends with this process; gives the port.
/// Call it before anything has threads.
inline std::uint16_t serve_in_child(const HttpServerConfig& config, const HttpHandler& handler) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  if (::fork() == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    boost::asio::io_context loop(1);
    HttpServer server(loop.get_executor(), config, handler, silent_log());
    const std::uint16_t port = server.port();
    if (::write(ends[1], &port, sizeof(port)) != sizeof(port)) std::abort();
    boost::asio::co_spawn(loop, server.run(), boost::asio::detached);
    loop.run();
    ::_exit(0);
  }
  std::uint16_t port = 0;
  if (::read(ends[0], &port, sizeof(port)) != sizeof(port)) std::abort();
  return port;
}

/// Runs `count` tasks that `make` gives until all have ended.
template <class Make>
void run_side_by_side(boost::asio::io_context& loop, std::int64_t count, Make make) {
  std::int64_t running = count;
  for (std::int64_t i = 0; i < count; ++i) {
    boost::asio::co_spawn(loop, make(), [&](const std::exception_ptr& failed) {
      if (failed) std::abort();
      --running;
    });
  }
  while (running != 0) loop.run_one();
}

/// Makes `count` transfers, each handle one after the other, through libcurl's multi interface.
/// `ready` is called with a handle before each of its transfers.
template <class Ready>
void transfer(CURLM* multi, const std::vector<CURL*>& handles, std::int64_t count, Ready ready) {
  std::int64_t to_start = count;
  std::int64_t to_end = count;
  const auto start = [&](CURL* handle) {
    if (to_start == 0) return;
    --to_start;
    ready(handle);
    curl_multi_add_handle(multi, handle);
  };
  for (CURL* handle : handles) start(handle);
  while (to_end > 0) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int waiting = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &waiting)) {
      if (message->data.result != CURLE_OK) std::abort();
      CURL* handle = message->easy_handle;
      curl_multi_remove_handle(multi, handle);
      --to_end;
      start(handle);
    }
    if (to_end > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
}

/// For CURLOPT_WRITEFUNCTION: counts the bytes of a body into a std::size_t.
inline std::size_t count_body(char*, std::size_t size, std::size_t count, void* total) {
  *static_cast<std::size_t*>(total) += size * count;
  return size * count;
}

}  // namespace headrace::bench
