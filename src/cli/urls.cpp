#include "cli/urls.h"

namespace headrace {

StoreUrl read_url(const std::string& text) {
  if (text.find("://") != std::string::npos) return parse_store_url(text);
  return plain_file_url(text);
}

std::string to_text(const StoreUrl& url) {
  return url.store + "://" + (url.store == kPlainFiles ? "/" : "") + url.object.text();
}

}  // namespace headrace
