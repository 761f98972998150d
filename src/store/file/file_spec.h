#pragma once

#include <filesystem>

#include "stack/spec.h"

namespace headrace {

/// `kind: file` in the stack file.
struct FileStoreStanza {
  std::filesystem::path path;
};

inline const stack::Spec<FileStoreStanza>& file_store_spec() {
  static const auto spec =
      stack::Spec<FileStoreStanza>("file store",
                                   "A folder on this machine; its first-level folders are buckets")
          .field("path", &FileStoreStanza::path, "The folder; made by the first write",
                 stack::required(), stack::example("./buckets"));
  return spec;
}

}  // namespace headrace
