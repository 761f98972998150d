#include "route/event_binding.h"

#include <simdjson.h>

#include <charconv>

#include "core/clock.h"

namespace headrace {
namespace {

constexpr std::uint64_t kSurelyComparable = 1'000'000'000'000'000;

bool is_ascii_or_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace

EventBinding::EventBinding(const FieldTree& tree) {
  static constexpr std::array<std::string_view, kMembers> kPaths{"version",
                                                                 "id",
                                                                 "detail-type",
                                                                 "source",
                                                                 "time",
                                                                 "detail.version",
                                                                 "detail.bucket.name",
                                                                 "detail.object.key",
                                                                 "detail.object.size",
                                                                 "detail.object.etag",
                                                                 "detail.object.version-id",
                                                                 "detail.object.sequencer",
                                                                 "detail.store",
                                                                 "detail.origin",
                                                                 "detail.producer"};
  for (std::size_t i = 0; i < kMembers; ++i) fields_[i] = tree.find(kPaths[i]);
  key_fields_ = tree.step(FieldTree::kRoot, "detail.key_fields");
  if (key_fields_ != FieldTree::kNone && !tree.leads_on(key_fields_)) {
    key_fields_ = FieldTree::kNone;
  }
}

/// False if the text is no UTF-8.
bool EventBinding::text(Member member, std::string_view value, EventFields& out) const {
  if (fields_[member] == FieldTree::kNone) return true;
  if (!is_ascii_or_utf8(value)) return false;
  out.add(fields_[member], {FieldValue::Kind::kString, value});
  return true;
}

bool EventBinding::read(const Event& event, const FieldTree& tree, Buffers& buffers,
                        EventFields& out) const {
  if (event.line) return false;
  out.begin(tree);
  const auto optional = [&](Member member, const std::string& value) {
    return value.empty() || text(member, value, out);
  };
  const std::string_view type =
      event.detail_type.empty() ? detail_type_of(event.kind) : std::string_view(event.detail_type);
  bool good = text(kVersion, "0", out) && text(kId, event.id, out) &&
              text(kDetailType, type, out) && text(kSource, "aws.s3", out) &&
              text(kDetailVersion, "0", out) && text(kBucket, event.object.bucket, out) &&
              text(kKey, event.object.path, out) && optional(kVersionId, event.version_id) &&
              optional(kSequencer, event.sequencer) && optional(kStore, event.store) &&
              optional(kOrigin, event.origin) && optional(kProducer, event.producer);
  if (event.etag) good = good && text(kEtag, event.etag->value, out);
  if (fields_[kTime] != FieldTree::kNone) {
    buffers.time = format_time(event.time);
    out.add(fields_[kTime], {FieldValue::Kind::kString, buffers.time});
  }
  if (event.size && fields_[kSize] != FieldTree::kNone) {
    char* begin = buffers.size.data();
    const char* end = std::to_chars(begin, begin + buffers.size.size(), *event.size).ptr;
    const std::string_view digits(begin, static_cast<std::size_t>(end - begin));
    out.add(fields_[kSize],
            *event.size < kSurelyComparable
                ? FieldValue::small_integer(digits, static_cast<double>(*event.size))
                : FieldValue(FieldValue::Kind::kNumber, digits));
  }
  if (key_fields_ == FieldTree::kNone) return good;
  for (const auto& [name, value] : event.key_fields) {
    const std::uint32_t node = tree.step(key_fields_, name);
    const std::uint32_t field = node == FieldTree::kNone ? node : tree.field_at(node);
    if (field == FieldTree::kNone) continue;
    good = good && is_ascii_or_utf8(value) && is_ascii_or_utf8(name);
    if (good) out.add(field, {FieldValue::Kind::kString, value});
  }
  return good;
}

}  // namespace headrace
