#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace headrace {
namespace {

namespace ssl = boost::asio::ssl;

bool is_address(const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return !no_address;
}

/// What to do about a certificate that OpenSSL refused.
std::string remedy(long verdict, const std::string& host) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "it has expired; have it renewed, or set this machine's clock";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "it is not valid yet; set this machine's clock";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("it is not for '{}'; use a name that is in the certificate", host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its authority is not known here; name the authority's file as ca_file";
    default:
      return X509_verify_cert_error_string(verdict);
  }
}

}  // namespace

ssl::context make_tls_context(const std::optional<std::filesystem::path>& ca_file, bool verify) {
  ssl::context context(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.native_handle(), kProtocols, sizeof(kProtocols) - 1);
  context.set_verify_mode(verify ? ssl::verify_peer : ssl::verify_none);
  boost::system::error_code failed;
  if (ca_file) {
    context.load_verify_file(ca_file->string(), failed);
    if (failed) {
      throw Error(ErrorKind::kInvalid, fmt::format("ca_file {}: not a readable PEM file ({})",
                                                   ca_file->string(), failed.message()));
    }
  } else {
    context.set_default_verify_paths(failed);
  }
  return context;
}

void expect_host(SSL* tls, const std::string& host, bool verify) {
  const bool address = is_address(host);
  if (!address) SSL_set_tlsext_host_name(tls, host.c_str());
  if (!verify) return;
  if (address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
  } else {
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(tls, host.c_str());
  }
}

Error handshake_error(SSL* tls, const std::string& host, const boost::system::error_code& failed) {
  const long verdict = SSL_get_verify_result(tls);
  if (verdict != X509_V_OK && SSL_get_verify_mode(tls) != SSL_VERIFY_NONE) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("the server's certificate: {}", remedy(verdict, host)));
  }
  return Error(ErrorKind::kTransient, fmt::format("TLS handshake: {}", failed.message()));
}

}  // namespace headrace
