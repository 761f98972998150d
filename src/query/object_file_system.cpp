// Built as C++17 (CMakeLists.txt): the engine's headers do not compile as C++23.
#include "query/object_file_system.h"

#include <duckdb/common/file_system.hpp>
#include <duckdb/main/capi/capi_internal.hpp>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

using Location = duckdb::idx_t;

class Handle final : public duckdb::FileHandle {
 public:
  Handle(duckdb::FileSystem& system, const std::string& path, duckdb::FileOpenFlags flags,
         std::shared_ptr<RangeFile> file)
      : duckdb::FileHandle(system, path, flags), file_(std::move(file)) {}

  void Close() override {}

  RangeFile& file() { return *file_; }
  Location position = 0;

 private:
  std::shared_ptr<RangeFile> file_;
};

Handle& ours(duckdb::FileHandle& handle) { return static_cast<Handle&>(handle); }

class ObjectFileSystem final : public duckdb::FileSystem {
 public:
  explicit ObjectFileSystem(OpenRangeFile open) : open_(std::move(open)) {}

  std::string GetName() const override { return "HeadraceObjects"; }
  bool CanHandleFile(const std::string& path) override { return path.rfind(kObjectScheme, 0) == 0; }
  bool CanSeek() override { return true; }
  /// Not on a disk: the reader then asks for what it needs of a row group in few, large reads.
  bool OnDiskFile(duckdb::FileHandle&) override { return false; }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener>) override {
    if (flags.OpenForWriting()) throw duckdb::IOException("objects are only read: " + path);
    auto file = open_(path);
    if (!file && flags.ReturnNullIfNotExists()) return nullptr;
    if (!file) throw duckdb::IOException("no such object: " + path);
    return duckdb::make_uniq<Handle>(*this, path, flags, std::move(file));
  }

  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return open_(path) != nullptr;
  }

  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    return {duckdb::OpenFileInfo(path)};  // Our paths hold no patterns.
  }

  void Read(duckdb::FileHandle& handle, void* buffer, std::int64_t bytes, Location at) override {
    RangeFile& file = ours(handle).file();
    if (bytes < 0 || at > file.size() || static_cast<Location>(bytes) > file.size() - at) {
      throw duckdb::IOException("read beyond the end of " + handle.path);
    }
    try {
      file.read(static_cast<char*>(buffer), static_cast<std::uint64_t>(bytes), at);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw duckdb::InterruptException();
      throw duckdb::IOException(std::string(error.what()));
    }
  }

  std::int64_t Read(duckdb::FileHandle& handle, void* buffer, std::int64_t bytes) override {
    Handle& own = ours(handle);
    const Location left = own.file().size() - std::min(own.position, own.file().size());
    const auto count = std::min(bytes, static_cast<std::int64_t>(left));
    Read(handle, buffer, count, own.position);
    own.position += static_cast<Location>(count);
    return count;
  }

  void Seek(duckdb::FileHandle& handle, Location at) override { ours(handle).position = at; }
  Location SeekPosition(duckdb::FileHandle& handle) override { return ours(handle).position; }

  std::int64_t GetFileSize(duckdb::FileHandle& handle) override {
    return static_cast<std::int64_t>(ours(handle).file().size());
  }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle& handle) override {
    return duckdb::timestamp_t(ours(handle).file().modified_us());
  }
  std::string GetVersionTag(duckdb::FileHandle& handle) override {
    return ours(handle).file().version();
  }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }

 private:
  OpenRangeFile open_;
};

}  // namespace

void add_object_file_system(duckdb_database database, OpenRangeFile open) {
  auto* wrapper = reinterpret_cast<duckdb::DatabaseWrapper*>(database);
  wrapper->database->GetFileSystem().RegisterSubSystem(
      duckdb::make_uniq<ObjectFileSystem>(std::move(open)));
}

}  // namespace headrace
