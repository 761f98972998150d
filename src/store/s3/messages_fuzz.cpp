// Whatever a store sends is read or refused as kTransient, and nothing else happens.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "store/s3/fields.h"
#include "store/s3/messages.h"

namespace headrace::s3 {
namespace {

template <class Parse>
void refuses_or_reads(Parse parse) {
  try {
    parse();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw;
  }
}

}  // namespace
}  // namespace headrace::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace::s3;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refuses_or_reads([&] { parse_error(text); });
  refuses_or_reads([&] { parse_list(text, "b"); });
  refuses_or_reads([&] { parse_versions(text, "b"); });
  refuses_or_reads([&] { parse_tagging(text); });
  refuses_or_reads([&] { parse_delete_result(text); });
  refuses_or_reads([&] { parse_buckets(text); });
  refuses_or_reads([&] { parse_uploads(text); });
  refuses_or_reads([&] { find_element(text, "UploadId"); });
  metadata_from_header(text);
  parse_http_date(text);
  return 0;
}
