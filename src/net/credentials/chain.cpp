#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "net/credentials.h"
#include "net/credentials/profiles.h"
#include "net/credentials/refreshing.h"
#include "net/credentials/service.h"

namespace headrace {
namespace {

/// One look along the chain: files and variables are read anew, so that what a person mended
/// counts at the next refresh.
class Look {
 public:
  explicit Look(ServiceContext context)
      : context_(context), surroundings_(context.surroundings), profile_(surroundings_.profile()) {}

  Task<Found> run() {
    if (auto found = from_environment()) co_return Found{std::move(found), {}};
    profiles_ = load_profiles(surroundings_);
    if (surroundings_.profile_is_named() && !profiles_.find(profile_)) refuse_missing();

    const IniSection* section = profiles_.find(profile_);
    std::optional<Credentials> found;
    if (section && has_role(*section)) {
      visited_.push_back(profile_);
      found = co_await through_role(profile_);
    } else {
      found = co_await from_profile(profile_, !surroundings_.profile_is_given());
    }
    if (!found) found = co_await from_services();
    co_return Found{std::move(found), fmt::format("{}", fmt::join(looked_at_, "; "))};
  }

 private:
  std::optional<Credentials> from_environment() {
    if (surroundings_.profile_is_given()) return std::nullopt;
    auto found = environment_keys(surroundings_);
    if (!found) looked_at_.push_back("the environment (no AWS_ACCESS_KEY_ID)");
    return found;
  }

  [[noreturn]] void refuse_missing() const {
    throw Error(ErrorKind::kInvalid, fmt::format("there is no profile {}: neither {} nor {} has it",
                                                 profile_, surroundings_.config_file().string(),
                                                 surroundings_.credentials_file().string()));
  }

  static bool has_role(const IniSection& section) {
    return section.contains("role_arn") && !section.contains("web_identity_token_file");
  }

  /// What a profile has without assuming a role by other credentials.
  Task<std::optional<Credentials>> from_profile(std::string name, bool with_environment) {
    static const IniSection kNothing;
    const IniSection* section = profiles_.find(name);
    if (!section) section = &kNothing;
    auto found = co_await by_web_identity(*section, name, with_environment);
    if (!found) found = co_await sso_credentials(context_, *section, profiles_.sso_sessions, name);
    if (!found) found = keys_in(profiles_.credentials, name, surroundings_.credentials_file());
    if (!found) {
      if (auto command = setting(*section, "credential_process")) {
        found = co_await process_credentials(context_.clock, *command, name);
      }
    }
    if (!found) found = keys_in(profiles_.config, name, surroundings_.config_file());
    if (!found) {
      looked_at_.push_back(fmt::format("profile {} in {} and {}", name,
                                       surroundings_.credentials_file().string(),
                                       surroundings_.config_file().string()));
    }
    co_return found;
  }

  static std::optional<Credentials> keys_in(const IniSections& sections, const std::string& name,
                                            const std::filesystem::path& file) {
    const auto found = sections.find(name);
    if (found == sections.end()) return std::nullopt;
    return static_keys(found->second, fmt::format("profile {} in {}", name, file.string()));
  }

  Task<std::optional<Credentials>> by_web_identity(IniSection section, std::string name,
                                                   bool with_environment) {
    const auto look = [&](const char* variable, const char* key) {
      auto value = with_environment ? surroundings_.env(variable) : std::nullopt;
      return value ? value : setting(section, key);
    };
    const auto file = look("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (!file) {
      if (with_environment) looked_at_.push_back("web identity (no AWS_WEB_IDENTITY_TOKEN_FILE)");
      co_return std::nullopt;
    }
    const auto role_arn = look("AWS_ROLE_ARN", "role_arn");
    if (!role_arn) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("there is a web identity token file but no role: set AWS_ROLE_ARN, "
                              "or role_arn in profile {}",
                              name));
    }
    RoleRequest role{
        .role_arn = *role_arn,
        .session_name = look("AWS_ROLE_SESSION_NAME", "role_session_name").value_or(""),
        .external_id = {},
        .duration = duration_of(section, name),
        .origin = "web identity, role " + *role_arn};
    std::string token = read_token_file(surroundings_.path(*file), "web identity");
    co_return co_await assume_role_with_token(context_, std::move(role), std::move(token));
  }

  static std::string duration_of(const IniSection& section, const std::string& name) {
    std::string text = setting(section, "duration_seconds").value_or("");
    if (text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {}: duration_seconds is no number of seconds", name));
    }
    return text;
  }

  /// `name` has a role_arn: takes what its source has to STS. Sources may be roles themselves.
  Task<Credentials> through_role(std::string name) {
    const IniSection section = *profiles_.find(name);
    if (setting(section, "mfa_serial")) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {} asks for a one-time code (mfa_serial), which nobody can "
                              "type here: use a role without, or a credential_process",
                              name));
    }
    RoleRequest role{.role_arn = setting(section, "role_arn").value_or(""),
                     .session_name = setting(section, "role_session_name").value_or(""),
                     .external_id = setting(section, "external_id").value_or(""),
                     .duration = duration_of(section, name),
                     .origin = fmt::format("role {} of profile {}", section.at("role_arn"), name)};
    Credentials source = co_await role_source(name, section);
    co_return co_await assume_role(context_, std::move(role), std::move(source));
  }

  Task<Credentials> role_source(std::string name, IniSection section) {
    const auto source = setting(section, "source_profile");
    const auto service = setting(section, "credential_source");
    if (source.has_value() == service.has_value()) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {} has a role_arn and {} source_profile {} "
                              "credential_source: it needs one of them",
                              name, source ? "both" : "neither", source ? "and" : "nor"));
    }
    co_return service ? co_await from_source_service(name, *service)
                      : co_await from_source_profile(name, *source);
  }

  Task<Credentials> from_source_profile(std::string name, std::string source) {
    const IniSection* section = profiles_.find(source);
    if (!section) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {}: its source_profile {} is in no file", name, source));
    }
    // A profile may name itself, to keep its keys beside its role; else no profile comes twice.
    const bool has_keys = section->contains("aws_access_key_id");
    const bool again = std::ranges::find(visited_, source) != visited_.end();
    if (again && (source != name || !has_keys)) {
      visited_.push_back(source);
      throw Error(ErrorKind::kInvalid, fmt::format("source_profile goes round in circles: {}",
                                                   fmt::join(visited_, " -> ")));
    }
    visited_.push_back(source);
    if (has_role(*section) && !has_keys) co_return co_await through_role(source);
    auto found = co_await from_profile(source, false);
    if (!found) {
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("profile {}: its source_profile {} has no credentials", name, source));
    }
    co_return std::move(*found);
  }

  Task<Credentials> from_source_service(std::string name, std::string service) {
    std::optional<Credentials> found;
    std::string why_not = "the environment says nothing of it";
    if (service == "Environment") {
      found = environment_keys(surroundings_);
    } else if (service == "EcsContainer") {
      found = co_await container_credentials(context_);
    } else if (service == "Ec2InstanceMetadata") {
      MachineAnswer answer = co_await machine_credentials(context_);
      found = std::move(answer.credentials);
      why_not = std::move(answer.why_not);
    } else {
      why_not = "only Environment, EcsContainer and Ec2InstanceMetadata are known";
    }
    if (!found) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("profile {}: credential_source {}: {}", name, service, why_not));
    }
    co_return std::move(*found);
  }

  Task<std::optional<Credentials>> from_services() {
    auto found = co_await container_credentials(context_);
    if (found) co_return found;
    looked_at_.push_back("the container's service (no AWS_CONTAINER_CREDENTIALS_..._URI)");
    MachineAnswer answer = co_await machine_credentials(context_);
    if (!answer.credentials) looked_at_.push_back("the machine's IMDS: " + answer.why_not);
    co_return std::move(answer.credentials);
  }

  ServiceContext context_;
  const Surroundings& surroundings_;
  std::string profile_;
  Profiles profiles_;
  std::vector<std::string> visited_;
  std::vector<std::string> looked_at_;
};

}  // namespace

std::unique_ptr<CredentialsProvider> credentials_chain(HttpClient& client, Clock& clock,
                                                       ChainConfig config) {
  const Duration refresh_before = config.refresh_before;
  auto surroundings = std::make_shared<const Surroundings>(std::move(config));
  auto fetch = [surroundings, &client, &clock]() -> Task<Found> {
    Look look({client, clock, *surroundings});
    co_return co_await look.run();
  };
  return std::make_unique<RefreshingCredentials>(std::move(fetch), clock, refresh_before);
}

std::optional<std::string> chain_region(const ChainConfig& config) {
  const Surroundings surroundings(config);
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto region = surroundings.env(name)) return region;
  }
  const Profiles profiles = load_profiles(surroundings);
  const IniSection* section = profiles.find(surroundings.profile());
  return section ? setting(*section, "region") : std::nullopt;
}

}  // namespace headrace
