#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "core/error.h"

namespace headrace {

/// What connections of a client share: TLS 1.2 or newer, the authorities to trust. Throws kInvalid
/// if `ca_file` cannot be read.
boost::asio::ssl::context make_tls_context(const std::optional<std::filesystem::path>& ca_file,
                                           bool verify);

/// Asks `host` for its certificate by name (SNI), and has the certificate checked against it.
void expect_host(SSL* tls, const std::string& host, bool verify);

/// Why a handshake failed: kInvalid if the certificate does not hold, saying what to do; otherwise
/// kTransient.
Error handshake_error(SSL* tls, const std::string& host, const boost::system::error_code& failed);

}  // namespace headrace
