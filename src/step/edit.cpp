#include "step/edit.h"

#include <fmt/format.h>

#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include "core/hash.h"
#include "stack/spec.h"
#include "step/edit_stream.h"
#include "step/own_marks.h"
#include "step/whole_body.h"

namespace headrace {
namespace {

/// How much of the edited object is kept while it is not known yet whether anything changes.
constexpr std::uint64_t kHeldBytes = 8u << 20;

JsonEditConfig edits_of(const EditConfig& config) {
  JsonEditConfig edits;
  for (const auto& [path, value] : config.set) edits.set.emplace_back(path, value.text);
  edits.remove = config.remove;
  edits.rename.assign(config.rename.begin(), config.rename.end());
  edits.if_absent = config.if_absent;
  edits.on_bad_line = config.on_bad_line;
  edits.line_bytes = config.line_bytes;
  edits.document_bytes = config.document_bytes;
  return edits;
}

/// Tells two edit steps of a route apart, and one from what it was before the stack changed.
std::uint64_t effect_of(const JsonEditConfig& edits) {
  std::string text = edits.if_absent == IfAbsent::kAdd ? "edit+" : "edit-";
  const auto add = [&](char kind, std::string_view path, std::string_view value) {
    text += fmt::format("{}{}:{}{}:{}", kind, path.size(), path, value.size(), value);
  };
  for (const auto& [path, value] : edits.set) add('s', path, value);
  for (const std::string& path : edits.remove) add('r', path, "");
  for (const auto& [path, name] : edits.rename) add('n', path, name);
  return hash64(text);
}

/// First what was held, then the rest of the stream.
class HeldSource final : public ByteSource {
 public:
  HeldSource(std::deque<Bytes> held, EditStream& rest) : held_(std::move(held)), rest_(rest) {}

  Task<Bytes> read() override {
    if (held_.empty()) co_return co_await rest_.read();
    Bytes piece = std::move(held_.front());
    held_.pop_front();
    co_return piece;
  }

 private:
  std::deque<Bytes> held_;
  EditStream& rest_;
};

/// A run of the step on one object.
struct Edit {
  Store& store;
  TaskContext& context;
  ObjectInfo found;
  OwnMarks marks;
  std::unique_ptr<EditStream> stream;
  std::deque<Bytes> held;
};

class EditStep final : public Step {
 public:
  EditStep(JsonEditConfig edits, const StepServices& services)
      : services_(services), effect_(effect_of(edits)), edits_(std::move(edits)) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("edit " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    Store& store = services_.stores.at(store_name(context));
    auto object = co_await store.get(context.object);
    if (!object) co_return StepResult{Outcome::kGone, "the object is gone"};
    if (auto stop = hands_off(object->info, context)) co_return *stop;
    const std::uint64_t size = object->info.size;
    if (size == 0) co_return StepResult{Outcome::kSkipped, "the object is empty"};
    Edit edit{.store = store,
              .context = context,
              .found = std::move(object->info),
              .marks = {},
              .stream = open(std::move(object->body), size),
              .held = {}};
    edit.marks = own_marks(edit.found, context);
    context.etag = edit.found.etag;
    // An earlier run of this task came further than this step: editing again could undo that.
    if (edit.marks.has(effect_) && edit.marks.effects.back() != effect_) co_return StepResult{};

    if (!co_await changes(edit)) {
      report(edit);
      co_return StepResult{Outcome::kDone, "nothing to change"};
    }
    if (!edit.stream) co_return co_await lost(edit);
    co_return co_await write(edit);
  }

  std::unique_ptr<EditStream> open(std::unique_ptr<ByteSource> body, std::uint64_t size) const {
    return std::make_unique<EditStream>(whole_body(std::move(body), size), edits_, services_.cpu);
  }

  /// Reads on until something changes. Gives up holding what it read once that is too much; then,
  /// if something changes later on, the object is opened anew, or `stream` is null if it changed.
  Task<bool> changes(Edit& edit) {
    std::uint64_t held = 0;
    while (!edit.stream->changed()) {
      Bytes piece = co_await edit.stream->read();
      if (piece.empty()) co_return edit.stream->changed();
      held += piece.size();
      edit.held.push_back(std::move(piece));
      if (held <= kHeldBytes || edit.stream->changed()) continue;
      edit.held.clear();
      if (!co_await edit.stream->changes_later()) co_return false;
      auto again =
          co_await edit.store.get(edit.found.key, {.range = {}, .if_match = edit.found.etag});
      edit.stream = again ? open(std::move(again->body), again->info.size) : nullptr;
      co_return true;
    }
    co_return true;
  }

  Task<StepResult> write(Edit& edit) {
    const auto tags = co_await edit.store.tags(edit.found.key);
    if (!tags) co_return StepResult{Outcome::kGone, "the object vanished while it was edited"};
    const std::string id =
        co_await services_.self_writes.begin(store_name(edit.context), edit.found.key);
    std::optional<Etag> etag;
    std::exception_ptr failure;
    try {
      etag = co_await put(edit, id, *tags);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      // A body that failed was not written; of any other failure we do not know.
      if (edit.stream->failed()) co_await services_.self_writes.end(id, std::nullopt);
      std::rethrow_exception(failure);
    }
    co_await services_.self_writes.end(id, etag);
    if (!etag) co_return co_await lost(edit);
    edit.context.etag = *etag;
    report(edit);
    co_return StepResult{};
  }

  /// Writes; nullopt if the object is no longer the one that was read.
  Task<std::optional<Etag>> put(Edit& edit, std::string id, Tags tags) {
    PutOptions options;
    options.metadata = edit.found.metadata;
    auto effects = edit.marks.effects;
    if (!edit.marks.has(effect_)) effects.push_back(effect_);
    mark_own(options.metadata, edit.found.key, edit.context, effects);
    options.metadata.insert_or_assign(std::string(kWriteId), id);
    options.tags = std::move(tags);
    options.condition.if_match = edit.found.etag;
    HeldSource body(std::move(edit.held), *edit.stream);
    auto etag = co_await edit.store.put_stream(edit.found.key, body, std::move(options));
    if (etag) co_return etag;
    // A write whose answer got lost and that was tried again has lost against itself.
    const auto now = co_await edit.store.head(edit.found.key);
    if (!now) co_return std::nullopt;
    const auto written = now->metadata.find(kWriteId);
    if (written == now->metadata.end() || written->second != id) co_return std::nullopt;
    co_return now->etag;
  }

  Task<StepResult> lost(Edit& edit) {
    if (co_await edit.store.head(edit.found.key)) {
      co_return StepResult{Outcome::kSuperseded, "the object changed while it was edited"};
    }
    co_return StepResult{Outcome::kGone, "the object vanished while it was edited"};
  }

  /// Bad lines become dead lines, once it is known that they stay.
  void report(Edit& edit) const {
    const JsonEditReport& report = edit.stream->report();
    for (const LineFault& fault : report.faults) {
      edit.context.dead_lines.push_back({fault.line, fault.reason, fault.text});
    }
    if (report.faults.empty() || report.fault_count == report.faults.size()) return;
    edit.context.dead_lines.back().reason += fmt::format(" (and {} more bad lines in this object)",
                                                         report.fault_count - report.faults.size());
  }

  StepServices services_;
  std::uint64_t effect_;
  JsonEdits edits_;
};

}  // namespace

const stack::Spec<EditConfig>& edit_spec() {
  static const auto spec =
      stack::Spec<EditConfig>("edit step",
                              "Rewrites JSON lines, or a JSON document, under the same key")
          .field("set", &EditConfig::set, "Fields and their values; a path such as a.b reaches in",
                 stack::example("{ file_contents: \"\" }"))
          .field("remove", &EditConfig::remove, "Fields that go", stack::example("[user.email]"))
          .field("rename", &EditConfig::rename, "Fields and their new names",
                 stack::example("{ usr: user }"))
          .field("if_absent", &EditConfig::if_absent, "What set does where the field is not there",
                 stack::one_of<IfAbsent>({{"add", IfAbsent::kAdd}, {"skip", IfAbsent::kSkip}}))
          .field("on_bad_line", &EditConfig::on_bad_line,
                 "A line that cannot be edited stays as it is: and becomes a dead letter, or is "
                 "passed over, or the task fails",
                 stack::one_of<OnBadLine>({{"dead", OnBadLine::kDead},
                                           {"skip", OnBadLine::kSkip},
                                           {"fail", OnBadLine::kFail}}))
          .field("line_bytes", &EditConfig::line_bytes, "A longer line is bad", stack::bytes(),
                 stack::at_least(1024))
          .field("document_bytes", &EditConfig::document_bytes,
                 "A JSON document longer than this is left alone", stack::bytes(),
                 stack::at_least(1024))
          .check([](const EditConfig& config) {
            try {
              const JsonEdits edits(edits_of(config));
            } catch (const Error& error) {
              return std::string(error.what());
            }
            return std::string();
          });
  return spec;
}

std::unique_ptr<Step> make_edit_step(const EditConfig& config, const StepServices& services) {
  return std::make_unique<EditStep>(edits_of(config), services);
}

}  // namespace headrace
