#include "net/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/error.h"

namespace headrace {
namespace {

/// One digest context for each thread: making one costs more than hashing a request.
class Hasher {
 public:
  Hasher() : kind_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), state_(EVP_MD_CTX_new()) {
    if (!kind_ || !state_) throw Error(ErrorKind::kBug, "OpenSSL has no SHA-256");
  }
  ~Hasher() {
    EVP_MD_CTX_free(state_);
    EVP_MD_free(kind_);
  }
  Hasher(const Hasher&) = delete;

  template <class Pieces>
  Sha256 digest(const Pieces& pieces) {
    Sha256 result;
    check(EVP_DigestInit_ex(state_, kind_, nullptr));
    for (const auto& piece : pieces) check(EVP_DigestUpdate(state_, piece.data(), piece.size()));
    check(EVP_DigestFinal_ex(state_, result.data(), nullptr));
    return result;
  }

 private:
  static void check(int done) {
    if (done != 1) throw Error(ErrorKind::kBug, "OpenSSL cannot compute SHA-256");
  }

  EVP_MD* kind_;
  EVP_MD_CTX* state_;
};

Hasher& hasher() {
  thread_local Hasher ours;
  return ours;
}

std::string_view view(const std::array<char, 64>& block) { return {block.data(), block.size()}; }

}  // namespace

Sha256 sha256(std::string_view first, std::string_view second) {
  return hasher().digest(std::array{first, second});
}

Sha256 sha256(const std::vector<std::string>& pieces) { return hasher().digest(pieces); }

MacKey::MacKey(std::string_view key) {
  if (key.size() > inner_.size()) {
    const Sha256 digest = sha256(key);
    *this = MacKey(bytes_of(digest));
    return;
  }
  inner_.fill(0x36);
  outer_.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner_[i] = static_cast<char>(inner_[i] ^ key[i]);
    outer_[i] = static_cast<char>(outer_[i] ^ key[i]);
  }
}

MacKey::~MacKey() {
  OPENSSL_cleanse(inner_.data(), inner_.size());
  OPENSSL_cleanse(outer_.data(), outer_.size());
}

Sha256 MacKey::mac(std::string_view text) const {
  const Sha256 digest = sha256(view(inner_), text);
  return sha256(view(outer_), bytes_of(digest));
}

std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string hex_of(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(digest.size() * 2, '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kDigits[digest[i] >> 4];
    text[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace headrace
