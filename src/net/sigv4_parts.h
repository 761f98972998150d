#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "net/http.h"
#include "net/sha256.h"
#include "net/sigv4.h"

namespace headrace {

// The pieces of a signature under the names that AWS gives them, for Signer and for the tests that
// hold each piece against published cases. Pure functions; any thread.

/// How the canonical path comes from the one on the wire.
enum class PathRule : unsigned char {
  kAsItIs,      ///< S3: a key may hold "//" and "..".
  kNormalised,  ///< All others: "a/./b//../c" is "a/c", and what is encoded is encoded once more.
};

/// The headers that are signed: "name:value\n" each, sorted, and their names with ';' between.
struct CanonicalHeaders {
  std::string lines;
  std::string names;
};
CanonicalHeaders canonical_headers(const Headers& headers);

std::string canonical_path(std::string_view path, PathRule rule);

/// The query sorted by name and value, each encoded once; a name without '=' gets one.
std::string canonical_query(std::string_view query);

/// All of it; `path` and `query` are canonical already.
std::string canonical_request(std::string_view method, std::string_view path,
                              std::string_view query, const CanonicalHeaders& headers,
                              std::string_view payload_hash);

/// What the signature is the HMAC of.
std::string string_to_sign(std::string_view timestamp, std::string_view scope,
                           std::string_view canonical_request);

/// The key of one day ("20260131") in one scope.
MacKey signing_key(std::string_view secret, std::string_view date, const SigningScope& scope);

/// "20260131T090807Z"
std::string signing_timestamp(Time now);

}  // namespace headrace
