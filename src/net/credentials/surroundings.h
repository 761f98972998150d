#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "net/credentials.h"

namespace headrace {

/// A ChainConfig with its defaults filled in: what the steps of the chain see of the machine.
class Surroundings {
 public:
  explicit Surroundings(ChainConfig config);

  const ChainConfig& config() const { return config_; }
  /// A variable of the environment; one that is empty counts as unset.
  std::optional<std::string> env(const std::string& name) const;
  /// `text` with a leading "~/" replaced by the home folder.
  std::filesystem::path path(const std::string& text) const;

  /// Whether somebody named the profile in the configuration, which turns off the environment.
  bool profile_is_given() const { return !config_.profile.empty(); }
  /// The profile that counts, and whether anybody named it at all.
  std::string profile() const;
  bool profile_is_named() const { return profile_is_given() || env("AWS_PROFILE"); }

  std::filesystem::path config_file() const;
  std::filesystem::path credentials_file() const;

 private:
  ChainConfig config_;
};

/// A small file as a whole; nullopt if there is none. Throws kInvalid if it cannot be read or has
/// more than 1 MiB.
std::optional<std::string> read_small_file(const std::filesystem::path& file);

/// A token's file without the space at its ends. Throws kInvalid if there is none or it is empty.
std::string read_token_file(const std::filesystem::path& file, std::string_view named_by);

}  // namespace headrace
