#pragma once

#include <memory>
#include <string>

#include "step/step.h"
#include "step/table.h"
#include "step/table_batch.h"
#include "step/table_objects.h"
#include "table/catalog.h"

namespace headrace {

/// A batch for tables; what is to be done to them is filled in by prepare().
class TablesPrepared final : public Sink::Prepared {
 public:
  TableBatch batch;

  /// To be called last: what has nothing to bring is left out, and the rest becomes the plan.
  void close();
};

/// What sinks into tables have in common: their commit, and how a batch comes to its end that was
/// cut short there. How rows come to tables is for those who derive from it.
///
/// resolve() does what is not done yet, under the same seqs, so that a commit which is still on its
/// way to the store, and one that landed unseen, are the same as ours. A table that refuses its
/// part for good gets a commit without any change: whatever was on its way to that version cannot
/// land then, and the batch may be done anew (docs/decisions/0006).
class TablesSink : public Sink {
 public:
  Limits limits() const override;
  Task<std::string> commit(Prepared& prepared) override;
  Task<bool> resolve(Bytes plan) override;

 protected:
  TablesSink(Catalog& catalog, StepServices services, TableSinkLimits limits);

  Catalog& catalog() { return catalog_; }
  const StepServices& services() const { return services_; }
  const TableSinkLimits& given() const { return limits_; }

 private:
  using One = TableBatch::One;
  Task<std::int64_t> commit_one(const One& one);
  Task<ChangeResult> change(const One& one);
  Task<> finish_one(const One& one);
  Task<> check_files(Table& table, const One& one);
  Task<bool> landed_after_all(const One& one);
  TableObjects& objects();

  Catalog& catalog_;
  StepServices services_;
  TableSinkLimits limits_;
  std::unique_ptr<TableObjects> objects_;  // Made when there is something to look for.
};

}  // namespace headrace
