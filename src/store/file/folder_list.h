#pragma once

#include <string>

#include "store/store.h"

namespace headrace::file {

/// One page of bucket `bucket` below `root` (an open folder, -1 if there is none). Blocking.
///
/// Keys come in bytewise order of the whole key: within a folder, subfolders sort as if their names
/// ended in "/", so "a-b" comes before "a/b". Of each folder on the way only as many names are held
/// as the page can still take, which means that each page reads those folders anew: list a flat
/// folder of millions with large pages.
ListPage list_folder(int root, const std::string& bucket, const ListOptions& options);

/// First-level folders, in order.
std::vector<std::string> list_first_level(int root);

}  // namespace headrace::file
