#include "net/credentials.h"

namespace headrace {
namespace {

class FixedCredentials final : public CredentialsProvider {
 public:
  explicit FixedCredentials(std::optional<Credentials> credentials)
      : credentials_(std::move(credentials)) {}

  Task<std::optional<Credentials>> get() override { co_return credentials_; }
  void refused(const Credentials&) override {}  // There are no others.

 private:
  std::optional<Credentials> credentials_;
};

}  // namespace

std::unique_ptr<CredentialsProvider> anonymous_credentials() {
  return std::make_unique<FixedCredentials>(std::nullopt);
}

std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials) {
  return std::make_unique<FixedCredentials>(std::move(credentials));
}

}  // namespace headrace
