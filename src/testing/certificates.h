#pragma once

#include <string>

namespace headrace {

/// A PEM certificate and its private key.
struct Certificate {
  std::string certificate;
  std::string key;
};

/// A certificate authority of a test's own. Times are days from now, so a negative `last` has
/// expired already.
Certificate make_authority();
/// A server's certificate for `host` (a name or an address), signed by `authority`.
Certificate make_certificate(const Certificate& authority, const std::string& host, int last = 1);

}  // namespace headrace
