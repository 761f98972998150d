#include "ledger/ledger_id.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

constexpr const char* kNote = "ledger";

struct Name {
  std::string id;
  std::string place;
};

Bytes encode(const Name& name) { return name.id + " " + name.place; }

Name decode(const Bytes& note) {
  const std::size_t space = note.find(' ');
  if (space == 0 || space == Bytes::npos) {
    throw Error(ErrorKind::kCorrupt, "the ledger's own id in it is damaged");
  }
  return {.id = note.substr(0, space), .place = note.substr(space + 1)};
}

}  // namespace

Task<std::string> ledger_id(Ledger& ledger, Random& random, std::string place) {
  if (const auto note = co_await ledger.note(kNote)) {
    const Name known = decode(*note);
    if (known.place == place) co_return known.id;
  }
  const Name name{.id = random.uuid(), .place = std::move(place)};
  LedgerWrite write;
  write.notes.push_back({kNote, encode(name)});
  co_await ledger.write(std::move(write));
  co_return name.id;
}

std::string place_of(const std::filesystem::path& folder) {
  struct statx told{};
  if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_INO | STATX_BTIME, &told) != 0) {
    throw Error(ErrorKind::kTransient,
                fmt::format("cannot look at the folder {}: {}", folder.string(),
                            std::system_category().message(errno)));
  }
  const bool born = (told.stx_mask & STATX_BTIME) != 0;
  return fmt::format("{}/{}.{:09}", told.stx_ino, born ? told.stx_btime.tv_sec : 0,
                     born ? told.stx_btime.tv_nsec : 0);
}

}  // namespace headrace
