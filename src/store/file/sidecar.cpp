#include "store/file/sidecar.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/hash.h"
#include "store/file/posix.h"
#include "store/file/temp_file.h"
#include "store/file_layout.h"

namespace headrace::file {
namespace {

constexpr std::string_view kFirstLine = "headrace-sidecar 1";
constexpr std::uint64_t kLargest = 1u << 20;
constexpr time_t kOldSeconds = 60 * 60;

/// One word without blanks: everything but visible ASCII, and "%" itself, as %XX. An empty word
/// stays empty and is still told apart, because fields are split at every single blank.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c < '\x7f' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// The next line's three words; nullopt at the end of the text or if it is no such line.
struct Line {
  std::string kind, name, value;
};

std::optional<Line> next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  auto name = unescape(line.substr(first + 1, second - first - 1));
  auto value = unescape(line.substr(second + 1));
  if (!name || !value) return std::nullopt;
  return Line{std::string(line.substr(0, first)), std::move(*name), std::move(*value)};
}

/// Takes the first two lines off `text`: what it is, and whose.
std::optional<ObjectKey> take_owner(std::string_view& text) {
  if (!text.starts_with(kFirstLine) || !text.substr(kFirstLine.size()).starts_with('\n')) {
    return std::nullopt;
  }
  text.remove_prefix(kFirstLine.size() + 1);
  const auto line = next_line(text);
  if (!line || line->kind != "object") return std::nullopt;
  return ObjectKey{line->name, line->value};
}

std::string fan_out_folder(unsigned index) { return fmt::format(".headrace/meta/{:02x}", index); }

}  // namespace

std::string encode_sidecar(const ObjectKey& key, const Sidecar& sidecar) {
  std::string text =
      fmt::format("{}\nobject {} {}\n", kFirstLine, escape(key.bucket), escape(key.path));
  for (const auto& [name, value] : sidecar.metadata) {
    text += fmt::format("metadata {} {}\n", escape(name), escape(value));
  }
  for (const auto& [name, value] : sidecar.tags) {
    text += fmt::format("tag {} {}\n", escape(name), escape(value));
  }
  return text;
}

Sidecar decode_sidecar(const ObjectKey& key, std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Error(ErrorKind::kCorrupt, fmt::format("the sidecar of {} {}", key.text(), what));
  };
  const auto owner = take_owner(text);
  if (!owner) throw wrong("does not start as one");
  if (*owner != key) throw wrong("belongs to " + owner->text());
  Sidecar sidecar;
  while (!text.empty()) {
    auto line = next_line(text);
    if (!line) throw wrong("has a broken line");
    if (line->kind == "metadata") {
      sidecar.metadata[line->name] = std::move(line->value);
    } else if (line->kind == "tag") {
      sidecar.tags[line->name] = std::move(line->value);
    } else {
      throw wrong("has a line of unknown kind");
    }
  }
  return sidecar;
}

std::optional<ObjectKey> owner_of_sidecar(std::string_view text) { return take_owner(text); }

SidecarPlace sidecar_place(const ObjectKey& key, const Etag& etag) {
  const std::uint64_t hash = hash64(key.text());
  return {fan_out_folder(static_cast<unsigned>(hash >> 56)),
          fmt::format("{:016x}-{}", hash, etag.value)};
}

Sidecar read_sidecar(int root, const ObjectKey& key, const Etag& etag) {
  const Opened opened = open_beneath(root, sidecar_place(key, etag).path(), O_RDONLY);
  if (opened.nothing()) return {};
  const std::string action = "read the sidecar of " + key.text();
  if (!opened.fd) fail(opened.error, action);
  const auto size = static_cast<std::uint64_t>(stat_of(opened.fd.get(), action).st_size);
  return decode_sidecar(key, read_at(opened.fd.get(), 0, std::min(size, kLargest), action));
}

void write_sidecar(int root, const ObjectKey& key, const Etag& etag, const Sidecar& sidecar) {
  const std::string action = "write the sidecar of " + key.text();
  const SidecarPlace place = sidecar_place(key, etag);
  if (sidecar.empty()) {
    const Fd folder = find_folder(root, place.folder);
    if (folder && ::unlinkat(folder.get(), place.name.c_str(), 0) == 0) {
      sync(folder.get(), action);
    }
    return;
  }
  const std::string text = encode_sidecar(key, sidecar);
  if (text.size() > kLargest) {
    throw Error(ErrorKind::kInvalid, "metadata and tags of " + key.text() + " exceed 1 MiB");
  }
  const Fd folder = make_folders(root, place.folder);
  TempFile temp(make_folders(root, ".headrace/tmp"), "sidecar-");
  temp.write(text);
  sync(temp.fd(), action);
  if (const int code = temp.move_to(folder.get(), place.name)) fail(code, action);
  sync(folder.get(), action);
}

void remove_sidecar(int root, const ObjectKey& key, const Etag& etag) {
  const SidecarPlace place = sidecar_place(key, etag);
  const Fd folder = find_folder(root, place.folder);
  if (folder) ::unlinkat(folder.get(), place.name.c_str(), 0);
}

std::size_t sweep_sidecars(int root, unsigned index, std::size_t most) {
  const Fd folder = find_folder(root, fan_out_folder(index));
  if (!folder) return 0;
  // The file system's own time: the machine's clock may differ from a file server's.
  const TempFile now(make_folders(root, ".headrace/tmp"), "now-");
  const time_t time = stat_of(now.fd(), "stat a temporary file").st_mtim.tv_sec;
  std::size_t removed = 0;
  FolderReader reader(folder.get(), fan_out_folder(index));
  for (std::size_t seen = 0; seen < most; ++seen) {
    const auto entry = reader.next();
    if (!entry) break;
    const std::string name(entry->name);
    const Opened file = open_beneath(folder.get(), name, O_RDONLY);
    if (!file.fd) continue;
    const struct stat status = stat_of(file.fd.get(), "stat a sidecar");
    if (time - status.st_mtim.tv_sec < kOldSeconds) continue;
    const auto size = std::min(static_cast<std::uint64_t>(status.st_size), kLargest);
    const auto owner = owner_of_sidecar(read_at(file.fd.get(), 0, size, "read a sidecar"));
    if (!owner || fault_in_key(*owner)) continue;
    const Opened data = open_beneath(root, owner->text(), O_PATH);
    if (!data.fd && !data.nothing()) continue;
    const bool current =
        data.fd && sidecar_place(*owner, etag_of(stat_of(data.fd.get(), "stat"))).name == name;
    if (!current && ::unlinkat(folder.get(), name.c_str(), 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace headrace::file
