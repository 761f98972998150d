#include "event/dialects.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/utf8.h"

namespace headrace {
namespace {

void check_name(std::string_view what, std::string_view name) {
  const char* wrong = nullptr;
  if (name.empty()) wrong = "is empty";
  if (name.contains('\0')) wrong = "holds a NUL";
  if (!is_utf8(name)) wrong = "is not UTF-8 once it is decoded";
  if (wrong != nullptr) throw Error(ErrorKind::kCorrupt, fmt::format("the {} {}", what, wrong));
}

void append_part(std::string& out, std::string_view part) {
  fmt::format_to(std::back_inserter(out), "{}:", part.size());
  out += part;
}

}  // namespace

std::string_view to_string(Dialect dialect) {
  switch (dialect) {
    case Dialect::kAws:
      return "aws";
    case Dialect::kMinio:
      return "minio";
    case Dialect::kRustfs:
      return "rustfs";
    case Dialect::kCeph:
      return "ceph";
    case Dialect::kVersitygw:
      return "versitygw";
    case Dialect::kMoto:
      return "moto";
    case Dialect::kS3:
      return "s3";
    case Dialect::kEventBridge:
      return "eventbridge";
    case Dialect::kR2:
      return "r2";
    case Dialect::kGcs:
      return "gcs";
    case Dialect::kHeadrace:
      return "headrace";
  }
  std::unreachable();
}

std::string id_of(const Event& event) {
  std::string parts;
  parts.reserve(256);
  append_part(parts, event.object.bucket);
  append_part(parts, event.object.path);
  append_part(parts, event.detail_type);
  append_part(parts, event.version_id);
  append_part(parts, event.sequencer);
  append_part(parts, event.etag ? event.etag->value : std::string());
  fmt::format_to(std::back_inserter(parts), "{}", event.time.time_since_epoch().count());
  const std::uint64_t high = hash64(parts);
  const std::uint64_t low = hash64(parts, 1);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, 0x8000 | (low >> 48 & 0x3fff), low & 0xffff'ffff'ffff);
}

DecodedEvent finished(DecodedEvent decoded) {
  Event& event = decoded.event;
  check_name("bucket", event.object.bucket);
  check_name("key", event.object.path);
  if (event.detail_type.empty()) throw Error(ErrorKind::kCorrupt, "the event's kind is empty");
  if (event.version_id == "null") event.version_id.clear();
  if (event.kind == EventKind::kDeleted) {
    event.size.reset();
    event.etag.reset();
  }
  if (decoded.dialect != Dialect::kHeadrace) {
    event.producer = to_string(decoded.dialect);
    event.id = id_of(event);
  }
  return decoded;
}

}  // namespace headrace
