#include "testing/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <memory>

#include "core/error.h"
#include "core/random.h"

namespace headrace {
namespace {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;

void must(bool worked, const char* what) {
  if (!worked) throw Error(ErrorKind::kBug, std::string("making a certificate: ") + what);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Bio reader_of(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  must(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr blank(EVP_PKEY* key, const std::string& name, int last) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), real_random().next() >> 1);
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), -30, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), last, 0, nullptr);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

Certificate signed_by(X509* certificate, EVP_PKEY* own, EVP_PKEY* signer) {
  must(X509_sign(certificate, signer, EVP_sha256()) > 0, "sign");
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(certificate_out.get(), certificate) == 1, "write");
  must(PEM_write_bio_PrivateKey(key_out.get(), own, nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "write the key");
  return {text_of(certificate_out.get()), text_of(key_out.get())};
}

}  // namespace

Certificate make_authority() {
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = blank(key.get(), "Test authority " + real_random().uuid(), 1);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  return signed_by(certificate.get(), key.get(), key.get());
}

Certificate make_certificate(const Certificate& authority, const std::string& host, int last) {
  const X509Ptr issuer(
      PEM_read_bio_X509(reader_of(authority.certificate).get(), nullptr, nullptr, nullptr));
  const Key issuer_key(
      PEM_read_bio_PrivateKey(reader_of(authority.key).get(), nullptr, nullptr, nullptr));
  must(issuer && issuer_key, "read the authority");
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = blank(key.get(), host, last);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  add_extension(certificate.get(), NID_subject_alt_name, (no_address ? "DNS:" : "IP:") + host);
  add_extension(certificate.get(), NID_basic_constraints, "CA:FALSE");
  return signed_by(certificate.get(), key.get(), issuer_key.get());
}

}  // namespace headrace
