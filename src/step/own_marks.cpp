#include "step/own_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/hash.h"

namespace headrace {
namespace {

std::uint64_t hash_of(const ObjectKey& key) { return hash64(key.path, hash64(key.bucket)); }

/// Stands for the event where there are many.
std::uint64_t sink_mark() { return hash64("many objects"); }

/// Numbers of 16 hexadecimal digits with a space between; stops at anything else.
std::vector<std::uint64_t> numbers_of(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  std::vector<std::uint64_t> numbers;
  while (text.size() >= kDigits) {
    std::uint64_t number = 0;
    const char* const end = text.data() + kDigits;
    const auto read = std::from_chars(text.data(), end, number, 16);
    if (read.ec != std::errc{} || read.ptr != end) break;
    numbers.push_back(number);
    text.remove_prefix(std::min(kDigits + 1, text.size()));
  }
  return numbers;
}

std::string_view value_of(const Metadata& metadata, std::string_view name) {
  const auto found = metadata.find(name);
  return found == metadata.end() ? std::string_view() : std::string_view(found->second);
}

/// Is this the first step that touches what the event told of?
bool is_as_announced(const TaskContext& context) {
  return context.object == context.event.object && store_name(context) == context.event.store &&
         context.etag == context.event.etag;
}

}  // namespace

bool OwnMarks::has(std::uint64_t effect) const {
  return std::ranges::find(effects, effect) != effects.end();
}

OwnMarks own_marks(const ObjectInfo& object, const TaskContext& context) {
  OwnMarks marks;
  if (value_of(object.metadata, kWrittenBy) != context.route || context.route.empty()) return marks;
  const auto numbers = numbers_of(value_of(object.metadata, kWrittenFor));
  marks.by_route = numbers.empty() || numbers[0] == hash_of(object.key);
  marks.by_task = marks.by_route && numbers.size() >= 2 && numbers[1] == hash64(context.event.id);
  if (marks.by_task) marks.effects.assign(numbers.begin() + 2, numbers.end());
  return marks;
}

void mark_own(Metadata& metadata, const ObjectKey& key, const TaskContext& context,
              const std::vector<std::uint64_t>& effects) {
  std::string text = fmt::format("{:016x} {:016x}", hash_of(key), hash64(context.event.id));
  for (const std::uint64_t effect : effects) text += fmt::format(" {:016x}", effect);
  metadata.insert_or_assign(std::string(kWrittenBy), context.route);
  metadata.insert_or_assign(std::string(kWrittenFor), std::move(text));
  metadata.erase(std::string(kWriteId));
}

void mark_sink_output(Metadata& metadata, const ObjectKey& key, const std::string& route) {
  metadata.insert_or_assign(std::string(kWrittenBy), route);
  metadata.insert_or_assign(std::string(kWrittenFor),
                            fmt::format("{:016x} {:016x}", hash_of(key), sink_mark()));
}

bool is_sink_output(const ObjectInfo& object, const std::string& route) {
  if (value_of(object.metadata, kWrittenBy) != route) return false;
  const auto numbers = numbers_of(value_of(object.metadata, kWrittenFor));
  return numbers.size() == 2 && numbers[0] == hash_of(object.key) && numbers[1] == sink_mark();
}

const std::string& store_name(const TaskContext& context) {
  return context.store.empty() ? context.event.store : context.store;
}

std::optional<StepResult> hands_off(const ObjectInfo& object, const TaskContext& context) {
  const OwnMarks marks = own_marks(object, context);
  if (marks.by_task) return std::nullopt;
  if (context.etag && *context.etag != object.etag) {
    return StepResult{Outcome::kSuperseded, "the object changed since its event"};
  }
  // A dead line that is tried again is no echo: its object was written by this route, of course.
  if (marks.by_route && is_as_announced(context) && !context.event.line) {
    return StepResult{Outcome::kSkipped, "this route's own write"};
  }
  return std::nullopt;
}

Task<Removal> remove_unchanged(Store& store, ObjectKey key, Etag etag) {
  if (co_await store.remove(key, etag)) co_return Removal::kRemoved;
  co_return co_await store.head(std::move(key)) ? Removal::kChanged : Removal::kGone;
}

}  // namespace headrace
