#include "app/dataset_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "core/random.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

/// The dataset's name as a file's: what is not a letter, digit, - or _ as %XX.
fs::path file_of(const StackFile& stack, const std::string& dataset) {
  std::string name;
  for (const char c : dataset) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_');
    name += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return stack.state / "datasets" / (name + ".json");
}

void write_synced(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw errno_error(errno, "make " + path.string());
  int failed = 0;
  for (std::size_t at = 0; at < text.size() && failed == 0;) {
    const ssize_t wrote = ::write(file, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR) failed = errno;
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
  if (failed == 0 && ::fsync(file) != 0) failed = errno;
  ::close(file);
  if (failed != 0) throw errno_error(failed, "write " + path.string());
}

}  // namespace

std::string place_of(const DatasetConfig& config) {
  return fmt::format("{}://{}/{} as {}", config.store, config.bucket, config.prefix,
                     to_string(config.format));
}

std::shared_ptr<const DatasetState> load_dataset_state(const StackFile& stack,
                                                       const std::string& dataset) {
  const fs::path path = file_of(stack, dataset);
  std::ifstream in(path, std::ios::binary);
  if (!in) return nullptr;
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  try {
    auto state = std::make_shared<const DatasetState>(parse_dataset_state(text));
    const auto config = stack.datasets.find(dataset);
    const bool same = config != stack.datasets.end() && state->place == place_of(*config->second);
    return same ? state : nullptr;
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} is not what a crawl wrote ({}); `headrace dataset crawl {} --anew` "
                            "makes it again",
                            path.string(), error.what(), dataset));
  }
}

void save_dataset_state(const StackFile& stack, const std::string& dataset, DatasetState state) {
  const fs::path path = file_of(stack, dataset);
  state.place = place_of(*stack.datasets.at(dataset));
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) throw errno_error(failed.value(), "make the folder " + path.parent_path().string());
  const fs::path aside = path.string() + "." + real_random().uuid() + ".part";
  try {
    write_synced(aside, to_json(state));
    fs::rename(aside, path, failed);
    if (failed) throw errno_error(failed.value(), "replace " + path.string());
  } catch (...) {
    fs::remove(aside, failed);
    throw;
  }
}

void drop_dataset_state(const StackFile& stack, const std::string& dataset) {
  std::error_code ignored;
  fs::remove(file_of(stack, dataset), ignored);
}

}  // namespace headrace
