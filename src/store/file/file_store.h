#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "core/task.h"
#include "store/store.h"

namespace headrace {

struct FileStoreConfig {
  std::string path;  ///< The folder; its first-level folders are the buckets. Made by a write.
  /// Someone's files rather than a store's folder: nothing is put beside them. For file:// URLs.
  bool plain = false;
};

/// A store in a folder, shared with any other program: files dropped by others are objects. The
/// rules for names are in store/file_layout.h, the layout in docs/formats/file-store.md.
///
/// Promises   Those of Store, among all processes that use this store; a returned write survives a
///            power cut. Another program's write is never torn by ours, but it takes part in no
///            condition: between our check of an etag and our rename it is overwritten.
/// Reading    An object that another program changes in place while it is read ends the read with
///            kConflict. Links, pipes and files with names that can't be keys are no objects.
/// Writing    Nothing is made on disk before the first write. A folder without files in it gives
///            way to an object of its name.
/// Plain      Metadata and tags of a write are dropped, as with any program that writes a file;
///            set_tags() of anything is kInvalid. The temporary file lies beside the target.
/// Threads    Blocking calls run on `io`, one visit per small call, one per MiB of a large body.
///            `io` and `clock` outlive the store and its bodies.
std::unique_ptr<Store> make_file_store(FileStoreConfig config, CpuPool& io, Clock& clock);

}  // namespace headrace
