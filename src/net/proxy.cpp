#include "net/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "core/base64.h"
#include "core/error.h"

namespace headrace {
namespace {

namespace ip = boost::asio::ip;

std::optional<Proxy> read_proxy(std::string_view text, std::string_view what) {
  if (text.empty()) return std::nullopt;
  const std::size_t scheme = text.find("://");
  std::string_view rest = scheme == std::string_view::npos ? text : text.substr(scheme + 3);
  if (scheme != std::string_view::npos && text.substr(0, scheme) != "http") {
    throw Error(ErrorKind::kInvalid, fmt::format("{} proxy: only http:// proxies are known", what));
  }
  Proxy proxy;
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    proxy.authorization = "Basic " + to_base64(uri_decode(rest.substr(0, at)));
    rest.remove_prefix(at + 1);
  }
  try {
    const Url url = parse_url("http://" + std::string(rest));
    proxy.host = url.host;
    proxy.port = url.port;
  } catch (const Error& error) {
    throw error.during(fmt::format("{} proxy", what));
  }
  return proxy;
}

/// The first bits of an address as one number per byte, IPv4 as it is.
std::string address_bytes(const ip::address& address) {
  std::string out;
  if (address.is_v4()) {
    for (const unsigned char byte : address.to_v4().to_bytes())
      out.push_back(static_cast<char>(byte));
  } else {
    for (const unsigned char byte : address.to_v6().to_bytes())
      out.push_back(static_cast<char>(byte));
  }
  return out;
}

/// Whether `host` is an address within "10.0.0.0/8" or "fd00::/8".
bool in_block(const std::string& host, std::string_view block) {
  const std::size_t slash = block.find('/');
  boost::system::error_code bad_host;
  boost::system::error_code bad_block;
  const ip::address address = ip::make_address(host, bad_host);
  const ip::address base = ip::make_address(std::string(block.substr(0, slash)), bad_block);
  std::size_t bits = 0;
  std::from_chars(block.data() + slash + 1, block.data() + block.size(), bits);
  if (bad_host || bad_block || address.is_v4() != base.is_v4()) return false;
  const std::string left = address_bytes(address);
  const std::string right = address_bytes(base);
  if (bits > left.size() * 8) return false;
  const std::size_t whole = bits / 8;
  if (left.compare(0, whole, right, 0, whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8);
  return ((left[whole] ^ right[whole]) & mask & 0xff) == 0;
}

/// One entry of NO_PROXY against a URL.
bool exempts(std::string_view entry, const Url& url) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return in_block(url.host, entry);
  const std::size_t colon = entry.rfind(':');
  if (colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != fmt::format("{}", url.port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || !url.host.ends_with(entry)) return false;
  return url.host.size() == entry.size() || url.host[url.host.size() - entry.size() - 1] == '.';
}

std::string trimmed_lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t') out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c);
  }
  return out;
}

}  // namespace

ProxyRules::ProxyRules(const ProxyConfig& config)
    : http_(read_proxy(config.http, "http")), https_(read_proxy(config.https, "https")) {
  std::string_view rest = config.no_proxy;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(','));
    exempt_.push_back(trimmed_lower(entry));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
}

const Proxy* ProxyRules::find(const Url& url) const {
  const std::optional<Proxy>& proxy = url.secure() ? https_ : http_;
  return proxy && !is_exempt(url) ? &*proxy : nullptr;
}

bool ProxyRules::is_exempt(const Url& url) const {
  return std::ranges::any_of(exempt_, [&](const std::string& e) { return exempts(e, url); });
}

ProxyConfig proxy_from_environment(
    const std::function<std::optional<std::string>(const std::string&)>& env) {
  const auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      std::optional<std::string> value = env(name);
      if (value && !value->empty()) return *std::move(value);
    }
    return std::string();
  };
  ProxyConfig config;
  // HTTP_PROXY in capitals is what a CGI server makes of a request's "Proxy" header: not trusted.
  config.http = first({"http_proxy", "all_proxy", "ALL_PROXY"});
  config.https = first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  config.no_proxy = first({"no_proxy", "NO_PROXY"});
  return config;
}

}  // namespace headrace
