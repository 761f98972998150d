#include "net/credentials/surroundings.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::size_t kFileBytes = 1 << 20;

}  // namespace

Surroundings::Surroundings(ChainConfig config) : config_(std::move(config)) {
  if (!config_.env) {
    config_.env = [](const std::string& name) -> std::optional<std::string> {
      const char* value = std::getenv(name.c_str());
      return value ? std::optional<std::string>(value) : std::nullopt;
    };
  }
  if (config_.home.empty()) config_.home = env("HOME").value_or("");
}

std::optional<std::string> Surroundings::env(const std::string& name) const {
  auto value = config_.env(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::filesystem::path Surroundings::path(const std::string& text) const {
  return text.starts_with("~/") ? config_.home / text.substr(2) : std::filesystem::path(text);
}

std::string Surroundings::profile() const {
  return profile_is_given() ? config_.profile : env("AWS_PROFILE").value_or("default");
}

std::filesystem::path Surroundings::config_file() const {
  return path(env("AWS_CONFIG_FILE").value_or("~/.aws/config"));
}

std::filesystem::path Surroundings::credentials_file() const {
  return path(env("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"));
}

std::optional<std::string> read_small_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kFileBytes + 1, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(text.size())) && !stream.eof()) {
    throw Error(ErrorKind::kInvalid, "cannot read " + file.string() + ": look at its permissions");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytes) {
    throw Error(ErrorKind::kInvalid, file.string() + " has more than 1 MiB: is it the right file?");
  }
  return text;
}

std::string read_token_file(const std::filesystem::path& file, std::string_view named_by) {
  constexpr const char* kSpace = " \t\r\n";
  const auto text = read_small_file(file);
  if (!text) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: there is no file {}", named_by, file.string()));
  }
  const std::size_t begin = text->find_first_not_of(kSpace);
  if (begin == std::string::npos) {
    throw Error(ErrorKind::kInvalid, fmt::format("{}: {} is empty", named_by, file.string()));
  }
  return text->substr(begin, text->find_last_not_of(kSpace) - begin + 1);
}

}  // namespace headrace
