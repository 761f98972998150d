#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"

namespace headrace {

/// A proxy's address, and what it is told about who asks.
struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  ///< The value of Proxy-Authorization, a secret; empty for none.
};

/// Which proxy a URL goes through. Pure: looks up no names.
class ProxyRules {
 public:
  /// Throws kInvalid, without the password, if an address is none.
  explicit ProxyRules(const ProxyConfig& config);

  /// nullptr: the server itself is called.
  const Proxy* find(const Url& url) const;

 private:
  bool is_exempt(const Url& url) const;

  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  std::vector<std::string> exempt_;
};

}  // namespace headrace
