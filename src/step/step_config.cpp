#include "step/step_config.h"

#include <memory>
#include <type_traits>

#include "route/row_filter.h"
#include "stack/spec.h"

namespace headrace {

std::optional<TargetConfig> target_of(const StepStanza& step) {
  return std::visit(
      [](const auto& config) -> std::optional<TargetConfig> {
        if constexpr (std::is_base_of_v<TargetConfig, std::decay_t<decltype(config)>>) {
          if (!config.to.empty()) return spelled_out(config);
          return std::nullopt;
        } else {
          return std::nullopt;
        }
      },
      step);
}

RowPredicate rows_wanted(const std::optional<stack::Json>& pattern) {
  if (!pattern) return {};
  const auto filter = std::make_shared<const RowFilter>(pattern->text);
  return [filter](BytesView row) { return filter->ask(row) != RowAnswer::kNo; };
}

std::optional<stack::Json> rows_of(const StepStanza& step) {
  if (const auto* table = std::get_if<TableStepConfig>(&step)) return table->rows;
  if (const auto* repartition = std::get_if<RepartitionConfig>(&step)) return repartition->rows;
  return std::nullopt;
}

const stack::Spec<TableStepConfig>& table_step_spec() {
  static const auto spec =
      stack::Spec<TableStepConfig>("table step", "Load the object's rows into a table")
          .field("into", &TableStepConfig::into, "A table of the stack", stack::required(),
                 stack::example("people"))
          .field("rows", &TableStepConfig::rows,
                 "Pattern of the rows that are wanted, in the language of `match`; all if left out",
                 stack::example("{ event_type: [{ prefix: push }] }"))
          .field(
              "on_overwrite", &TableStepConfig::on_overwrite,
              "Rows of an object's older version: append keeps them; replace removes them in the "
              "commit that brings the new ones",
              stack::one_of<OnOverwrite>(
                  {{"append", OnOverwrite::kAppend}, {"replace", OnOverwrite::kReplace}}))
          .field(
              "on_delete", &TableStepConfig::on_delete, "Rows of a deleted object: keep or remove",
              stack::one_of<OnDelete>({{"keep", OnDelete::kKeep}, {"remove", OnDelete::kRemove}}))
          .field("provenance", &TableStepConfig::provenance,
                 "object: rows say where they come from in `_object`, as they do if the table "
                 "follows its objects; line: and in `_line`",
                 stack::one_of<Provenance>({{"none", Provenance::kNone},
                                            {"object", Provenance::kObject},
                                            {"line", Provenance::kLine}}))
          .shorthand("into");
  return spec;
}

std::string table_of(const StepStanza& step) {
  if (const auto* table = std::get_if<TableStepConfig>(&step)) return table->into;
  if (const auto* sql = std::get_if<SqlConfig>(&step)) return sql->into;
  return {};
}

bool is_sink(const StepStanza& step) {
  return std::holds_alternative<RepartitionConfig>(step) || !table_of(step).empty();
}

}  // namespace headrace
