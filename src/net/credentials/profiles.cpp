#include "net/credentials/profiles.h"

#include <fmt/format.h>

#include "core/error.h"
#include "net/credentials/shell_words.h"

namespace headrace {
namespace {

IniSections read_file(const std::filesystem::path& file) {
  const auto text = read_small_file(file);
  return text ? parse_ini(*text, file.string()) : IniSections();
}

void merge(IniSection& into, const IniSection& from) {
  for (const auto& [name, value] : from) into[name] = value;
}

/// Sections of the config file: [default], [profile NAME], [sso-session NAME]; others are not ours.
void sort_section(Profiles& profiles, const std::string& title, const IniSection& section,
                  const std::filesystem::path& file) {
  if (title == "default") {
    merge(profiles.config["default"], section);
    return;
  }
  const auto words = shell_words(title);
  if (!words || words->empty()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: section [{}] has an open quote", file.string(), title));
  }
  if (words->size() != 2) return;
  if (words->front() == "profile") merge(profiles.config[words->back()], section);
  if (words->front() == "sso-session") merge(profiles.sso_sessions[words->back()], section);
}

}  // namespace

const IniSection* Profiles::find(std::string_view name) const {
  const auto found = merged.find(name);
  return found == merged.end() ? nullptr : &found->second;
}

Profiles load_profiles(const Surroundings& surroundings) {
  Profiles profiles;
  const auto config_file = surroundings.config_file();
  for (const auto& [title, section] : read_file(config_file)) {
    sort_section(profiles, title, section, config_file);
  }
  profiles.credentials = read_file(surroundings.credentials_file());
  profiles.merged = profiles.config;
  for (const auto& [name, section] : profiles.credentials) merge(profiles.merged[name], section);
  return profiles;
}

std::optional<std::string> setting(const IniSection& section, std::string_view name) {
  const auto found = section.find(name);
  if (found == section.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<Credentials> static_keys(const IniSection& section, std::string_view origin) {
  const auto access_key = setting(section, "aws_access_key_id");
  const auto secret_key = setting(section, "aws_secret_access_key");
  if (!access_key) return std::nullopt;
  if (!secret_key) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} has aws_access_key_id but no aws_secret_access_key", origin));
  }
  auto token = setting(section, "aws_security_token");
  if (!token) token = setting(section, "aws_session_token");
  return Credentials{.access_key = *access_key,
                     .secret_key = *secret_key,
                     .session_token = token.value_or(""),
                     .origin = std::string(origin)};
}

std::optional<Credentials> environment_keys(const Surroundings& surroundings) {
  const auto access_key = surroundings.env("AWS_ACCESS_KEY_ID");
  if (!access_key) return std::nullopt;
  const auto secret_key = surroundings.env("AWS_SECRET_ACCESS_KEY");
  if (!secret_key) {
    throw Error(ErrorKind::kInvalid,
                "the environment has AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY");
  }
  auto token = surroundings.env("AWS_SECURITY_TOKEN");
  if (!token) token = surroundings.env("AWS_SESSION_TOKEN");
  Credentials found{.access_key = *access_key,
                    .secret_key = *secret_key,
                    .session_token = token.value_or(""),
                    .origin = "environment"};
  if (const auto ends = surroundings.env("AWS_CREDENTIAL_EXPIRATION")) {
    found.expires = parse_time(*ends);
    if (!found.expires) {
      throw Error(ErrorKind::kInvalid,
                  "AWS_CREDENTIAL_EXPIRATION is no time (2026-01-31T09:00:00Z)");
    }
  }
  return found;
}

}  // namespace headrace
