#include "step/temp_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

[[noreturn]] void fail(std::string_view action, const std::filesystem::path& path) {
  throw errno_error(errno, fmt::format("{} {}", action, path.string()));
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("open", folder);
  const int result = ::fsync(fd);
  ::close(fd);
  if (result != 0) fail("fsync", folder);
}

Bytes read_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
              std::uint64_t length) {
  Bytes bytes(length, '\0');
  std::size_t came = 0;
  while (came < length) {
    const auto got =
        ::pread(fd, bytes.data() + came, length - came, static_cast<off_t>(offset + came));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path);
    if (got == 0) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} ends at byte {}, but {} more belong to it",
                                                   path.string(), offset + came, length - came));
    }
    came += static_cast<std::size_t>(got);
  }
  return bytes;
}

constexpr std::size_t kPieceBytes = 1u << 20;

/// Part of a file, piece by piece.
class FilePart final : public ByteSource {
 public:
  FilePart(std::filesystem::path path, std::uint64_t offset, std::uint64_t size, CpuPool& cpu)
      : path_(std::move(path)), at_(offset), end_(offset + size), cpu_(cpu) {}

  Task<Bytes> read() override {
    if (at_ == end_) co_return Bytes();
    auto piece = [this] {
      return read_file_part(path_, at_, std::min<std::uint64_t>(end_ - at_, kPieceBytes));
    };
    Bytes bytes = co_await run_on(cpu_, piece);
    at_ += bytes.size();
    co_return bytes;
  }

 private:
  std::filesystem::path path_;
  std::uint64_t at_;
  std::uint64_t end_;
  CpuPool& cpu_;
};

}  // namespace

TempFile::TempFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code code;
  std::filesystem::create_directories(path_.parent_path(), code);
  if (code) throw errno_error(code.value(), "make the folder " + path_.parent_path().string());
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd_ < 0) fail("make", path_);
}

TempFile::~TempFile() {
  ::close(fd_);
  if (!keep_) ::unlink(path_.c_str());
}

std::uint64_t TempFile::append(BytesView bytes) {
  const std::uint64_t begin = size_;
  while (!bytes.empty()) {
    const auto wrote = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("write", path_);
    size_ += static_cast<std::uint64_t>(wrote);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return begin;
}

Bytes TempFile::read(std::uint64_t offset, std::uint64_t length) const {
  return read_at(fd_, path_, offset, length);
}

void TempFile::keep() {
  if (::fsync(fd_) != 0) fail("fsync", path_);
  sync_folder(path_.parent_path());
  keep_ = true;
}

TempPath::~TempPath() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void remove_leftovers(const std::filesystem::path& folder, std::string_view begin,
                      std::string_view end) {
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with(begin) && name.ends_with(end)) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
}

std::unique_ptr<ByteSource> file_part(std::filesystem::path path, std::uint64_t offset,
                                      std::uint64_t size, CpuPool& cpu) {
  return std::make_unique<FilePart>(std::move(path), offset, size, cpu);
}

Bytes read_file_part(const std::filesystem::path& path, std::uint64_t offset,
                     std::uint64_t length) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open", path);
  try {
    Bytes bytes = read_at(fd, path, offset, length);
    ::close(fd);
    return bytes;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

}  // namespace headrace
