#include "table/delta/log_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace headrace::delta {
namespace {

constexpr std::size_t kVersionDigits = 20;
constexpr std::size_t kPartDigits = 10;
constexpr std::size_t kUuidLength = 36;

/// Exactly `digits` digits at the start of `text`, which loses them.
template <class Integer>
std::optional<Integer> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const char* end = text.data() + digits;
  Integer value = 0;
  if (text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

/// What follows ".checkpoint." in a name.
bool parse_checkpoint(std::string_view rest, LogName& out) {
  if (rest == "parquet") return true;
  if (rest.size() > kUuidLength && rest[8] == '-' && rest[kUuidLength] == '.') {
    out.by_uuid = true;
    const std::string_view type = rest.substr(kUuidLength + 1);
    return type == "parquet" || type == "json";
  }
  const auto part = take_number<std::uint32_t>(rest, kPartDigits);
  if (!part || !take(rest, ".")) return false;
  const auto parts = take_number<std::uint32_t>(rest, kPartDigits);
  if (!parts || rest != ".parquet" || *part < 1 || *part > *parts) return false;
  out.part = *part;
  out.parts = *parts;
  return true;
}

}  // namespace

LogName parse_log_name(std::string_view name) {
  LogName out;
  const auto version = take_number<std::int64_t>(name, kVersionDigits);
  if (!version) return out;
  out.version = *version;
  if (name == ".json") {
    out.kind = LogName::Kind::kCommit;
  } else if (take(name, ".checkpoint.") && parse_checkpoint(name, out)) {
    out.kind = LogName::Kind::kCheckpoint;
  }
  return out;
}

std::string commit_name(std::int64_t version) { return fmt::format("{:020}.json", version); }

std::string checkpoint_name(std::int64_t version) {
  return fmt::format("{:020}.checkpoint.parquet", version);
}

void LogListing::add(std::string_view name, Time modified) {
  const LogName parsed = parse_log_name(name);
  if (parsed.kind == LogName::Kind::kCommit) {
    // Clocks of stores step back, and copied tables have all times alike: a later version is later.
    if (!commits_.empty() && modified <= commits_.back().at) {
      modified = commits_.back().at + std::chrono::milliseconds(1);
    }
    commits_.push_back({.version = parsed.version, .at = modified});
  } else if (parsed.kind == LogName::Kind::kCheckpoint) {
    const std::string group = parsed.by_uuid ? std::string(name) : fmt::format("{}", parsed.parts);
    Group& at = checkpoints_[parsed.version][group];
    at.at = std::max(at.at, modified);
    at.wanted = parsed.parts;
    at.parts.emplace(parsed.part, name);
  }
}

std::int64_t LogListing::oldest() const {
  if (!commits_.empty() && commits_.front().version == 0) return 0;
  // Without the first commit, everything stands on a checkpoint.
  for (const auto& [version, groups] : checkpoints_) {
    for (const auto& [key, group] : groups) {
      if (group.parts.size() == group.wanted) return version;
    }
  }
  return newest();
}

std::int64_t LogListing::newest() const {
  const std::int64_t commit = commits_.empty() ? -1 : commits_.back().version;
  const std::int64_t checkpoint = checkpoints_.empty() ? -1 : checkpoints_.rbegin()->first;
  return std::max(commit, checkpoint);
}

std::optional<CheckpointFiles> LogListing::checkpoint(std::int64_t most) const {
  for (auto version = checkpoints_.rbegin(); version != checkpoints_.rend(); ++version) {
    if (version->first > most) continue;
    for (const auto& [key, group] : version->second) {
      if (group.parts.size() != group.wanted) continue;
      CheckpointFiles out{.version = version->first, .at = group.at, .names = {}};
      for (const auto& [part, name] : group.parts) out.names.push_back(name);
      return out;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> first_needed(const LogListing& listing, Time cutoff) {
  std::optional<std::int64_t> newest;
  for (const CommitFile& commit : listing.commits()) {
    if (commit.at <= cutoff) newest = commit.version;
  }
  if (!newest) return std::nullopt;
  const auto checkpoint = listing.checkpoint(*newest);
  return checkpoint ? std::optional(checkpoint->version) : std::nullopt;
}

bool belongs_before(std::string_view name, std::int64_t version) {
  const LogName parsed = parse_log_name(name);
  if (parsed.version < 0 || parsed.version >= version) return false;
  if (parsed.kind != LogName::Kind::kOther) return true;
  std::string_view rest = name.substr(kVersionDigits);
  if (rest == ".crc") return true;
  // "x.y.compacted.json" tells of the versions x to y.
  if (!take(rest, ".")) return false;
  const auto last = take_number<std::int64_t>(rest, kVersionDigits);
  return last && *last < version && rest == ".compacted.json";
}

}  // namespace headrace::delta
