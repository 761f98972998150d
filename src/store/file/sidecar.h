#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/object.h"

// What a file can't hold beside its bytes. The layout is in docs/formats/file-store.md.
namespace headrace::file {

struct Sidecar {
  Metadata metadata;
  Tags tags;
  bool empty() const { return metadata.empty() && tags.empty(); }
};

/// The text of a sidecar, and back; decode throws kCorrupt that says what is wrong. `key` guards
/// against a sidecar that came under another object's name.
std::string encode_sidecar(const ObjectKey& key, const Sidecar& sidecar);
Sidecar decode_sidecar(const ObjectKey& key, std::string_view text);
/// The object a sidecar's text belongs to; nullopt if it is no sidecar.
std::optional<ObjectKey> owner_of_sidecar(std::string_view text);

/// Below the store's root: ".headrace/meta/<two digits>" and the name in it. The etag is part of
/// the name, so one content's sidecar is never taken for another's.
struct SidecarPlace {
  std::string folder;
  std::string name;
  std::string path() const { return folder + "/" + name; }
};
SidecarPlace sidecar_place(const ObjectKey& key, const Etag& etag);

// Blocking; `root` is the store's folder.
Sidecar read_sidecar(int root, const ObjectKey& key, const Etag& etag);
/// Durable and whole when it returns. An empty one removes what is there.
void write_sidecar(int root, const ObjectKey& key, const Etag& etag, const Sidecar& sidecar);
void remove_sidecar(int root, const ObjectKey& key, const Etag& etag);
/// Looks at up to `most` sidecars of fan-out folder `index` (0 to 255) and removes those older than
/// an hour whose object is gone or was replaced by another program. Returns how many it removed.
std::size_t sweep_sidecars(int root, unsigned index, std::size_t most);

}  // namespace headrace::file
