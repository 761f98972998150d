#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/credentials.h"
#include "net/credentials/ini.h"
#include "net/credentials/surroundings.h"

namespace headrace {

/// The profiles of the config file and of the credentials file, by name without "profile ".
struct Profiles {
  IniSections config;
  IniSections credentials;
  IniSections merged;  ///< Both; where both say something, the credentials file does.
  IniSections sso_sessions;

  /// The merged settings of a profile; nullptr if no file has it.
  const IniSection* find(std::string_view name) const;
};

/// Reads both files anew; one that is not there counts as empty.
Profiles load_profiles(const Surroundings& surroundings);

/// A setting of a section; nullopt if it is absent or empty.
std::optional<std::string> setting(const IniSection& section, std::string_view name);

/// The long-lived or temporary keys that stand in a section itself; nullopt if there is no key.
/// Throws kInvalid if only one half is there.
std::optional<Credentials> static_keys(const IniSection& section, std::string_view origin);

/// AWS_ACCESS_KEY_ID and its companions. Throws kInvalid if only one half is there.
std::optional<Credentials> environment_keys(const Surroundings& surroundings);

}  // namespace headrace
