#include "source/webhook/webhook_listener.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "core/error.h"
#include "source/source_spec.h"

namespace headrace {
namespace {

ServedAnswer too_large() { return {413, {}, "the body is larger than this source takes\n"}; }

}  // namespace

std::string wrong_listen_address(const std::string& listen) {
  try {
    ListenAddress::parse(listen);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool is_loopback_address(const std::string& listen) {
  return ListenAddress::parse(listen).loopback;
}

ListenAddress ListenAddress::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress parsed;
  bool good = colon != std::string::npos;
  if (good) {
    parsed.address = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, parsed.port);
    good = error == std::errc() && stop == end;
  }
  if (parsed.address.starts_with('[') && parsed.address.ends_with(']')) {
    parsed.address = parsed.address.substr(1, parsed.address.size() - 2);
  }
  if (parsed.address == "localhost") parsed.address = "127.0.0.1";
  boost::system::error_code wrong;
  const auto ip = boost::asio::ip::make_address(parsed.address, wrong);
  if (!good || wrong) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("`{}` is no address to listen at; expected IP:PORT, such as "
                            "127.0.0.1:8480; port 0 is any free one",
                            text));
  }
  parsed.loopback = ip.is_loopback();
  return parsed;
}

WebhookListener::WebhookListener(ListenAddress address, const Log& log)
    : address_(std::move(address)), log_(log) {}

WebhookListener::~WebhookListener() = default;

void WebhookListener::add(std::string path, std::uint64_t body_bytes, HttpGate gate,
                          HttpHandler handler) {
  doors_.emplace(std::move(path), Door{body_bytes, std::move(gate), std::move(handler)});
}

Task<> WebhookListener::run() {
  if (std::exchange(started_, true)) co_return;
  HttpServerConfig config;
  config.address = address_.address;
  config.port = address_.port;
  config.gate = [this](const ServedRequest& request) { return refuse(request); };
  for (const auto& [path, door] : doors_) {
    config.body_bytes = std::max(config.body_bytes, door.body_bytes);
  }
  server_ = std::make_unique<HttpServer>(
      co_await boost::asio::this_coro::executor, config,
      [this](ServedRequest request) { return handle(std::move(request)); }, log_);
  std::string paths;
  for (const auto& [path, door] : doors_) paths += (paths.empty() ? "" : " ") + path;
  log_.info("listening for events", {{"address", *bound()}, {"paths", paths}});
  co_await server_->run();
}

std::optional<std::string> WebhookListener::bound() const {
  if (!server_) return std::nullopt;
  const bool six = address_.address.contains(':');
  return fmt::format("{}{}{}:{}", six ? "[" : "", address_.address, six ? "]" : "",
                     server_->port());
}

std::optional<ServedAnswer> WebhookListener::refuse(const ServedRequest& request) const {
  const auto door = doors_.find(request.path);
  if (door == doors_.end()) return ServedAnswer{404, {}, "no source listens at this path\n"};
  if (auto refused = door->second.gate(request)) return refused;
  const std::string_view said = request.headers.get("Content-Length");
  std::uint64_t length = 0;
  std::from_chars(said.data(), said.data() + said.size(), length);
  if (length > door->second.body_bytes) return too_large();
  return std::nullopt;
}

Task<ServedAnswer> WebhookListener::handle(ServedRequest request) {
  const Door& door = doors_.find(request.path)->second;  // It was let in by this door's gate.
  if (request.body.size() > door.body_bytes) co_return too_large();
  co_return co_await door.handler(std::move(request));
}

}  // namespace headrace
