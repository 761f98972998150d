// A table whose log was damaged in one of its objects: a snapshot, or an Error that is no bug. What
// can be read can be written as a checkpoint, and read from that alone it is the same table.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "store/memory/memory_store.h"
#include "table/delta/delta_table.h"
#include "table/delta/log_listing.h"
#include "testing/changed_bytes.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace::delta {
namespace {

constexpr const char* kBucket = "lake";
constexpr const char* kPrefix = "t";

/// Objects of a log by their names.
using Log = std::map<std::string, std::string>;

constexpr std::string_view kFirst =
    R"({"commitInfo":{"timestamp":1800000000000,"operation":"WRITE","txnId":"x"}})"
    "\n"
    R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,)"
    R"("readerFeatures":["deletionVectors","columnMapping","v2Checkpoint","timestampNtz"],)"
    R"("writerFeatures":["deletionVectors","columnMapping","v2Checkpoint","timestampNtz",)"
    R"("domainMetadata"]}})"
    "\n"
    R"({"metaData":{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","name":"n","format":{)"
    R"("provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",)"
    R"(\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{)"
    R"(\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},{)"
    R"(\"name\":\"d\",\"type\":\"date\",\"nullable\":false,\"metadata\":{}},{)"
    R"(\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",)"
    R"(\"type\":\"decimal(10,2)\",\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,)"
    R"(\"metadata\":{}},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",)"
    R"(\"valueType\":{\"type\":\"array\",\"elementType\":\"timestamp_ntz\",)"
    R"(\"containsNull\":true},\"valueContainsNull\":true},\"nullable\":true,\"metadata\":{)"
    R"(}}]}","partitionColumns":["p","d"],"configuration":{)"
    R"("delta.logRetentionDuration":"interval 30 days","delta.columnMapping.mode":"none"},)"
    R"("createdTime":1800000000000}})"
    "\n"
    R"({"add":{"path":"p=x%2520y/f1","partitionValues":{"p":"x y","d":"2026-01-31"},)"
    R"("size":10,"modificationTime":1800000000000,"dataChange":true,"stats":"{)"
    R"(\"numRecords\":2,\"minValues\":{\"a\":1},\"maxValues\":{\"a\":2},\"nullCount\":{)"
    R"(\"a\":0}}","tags":{"k":"v"}}})"
    "\n"
    R"({"add":{"path":"f2","partitionValues":{"p":null,"d":"2026-02-01"},"size":20,)"
    R"("modificationTime":1800000000001,"dataChange":true}})"
    "\n";
constexpr std::string_view kSecond =
    R"({"txn":{"appId":"app","version":7,"lastUpdated":1800000000000}})"
    "\n"
    R"({"domainMetadata":{"domain":"d","configuration":"{}","removed":false}})"
    "\n"
    R"({"remove":{"path":"f2","deletionTimestamp":1800000000000,"dataChange":true,)"
    R"("extendedFileMetadata":true,"partitionValues":{"p":null,"d":"2026-02-01"},)"
    R"("size":20}})"
    "\n"
    R"({"add":{"path":"f3","partitionValues":{"p":"z","d":"2026-01-31"},"size":30,)"
    R"("modificationTime":1800000000002,"dataChange":true,"stats":"{\"numRecords\":5}",)"
    R"("deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^",)"
    R"("offset":4,"sizeInBytes":40,"cardinality":2},"baseRowId":0,)"
    R"("defaultRowCommitVersion":1}})"
    "\n";
constexpr std::string_view kV2 =
    R"({"checkpointMetadata":{"version":1}})"
    "\n"
    R"({"sidecar":{"path":"s.parquet","sizeInBytes":1000,"modificationTime":1800000000000}})"
    "\n";

class FuzzTable {
 public:
  explicit FuzzTable(const Log& log) : store_(make_memory_store(clock_)), random_(1) {
    for (const auto& [name, bytes] : log) put(name, bytes);
  }
  void put(const std::string& name, std::string bytes) {
    run_task(store_->put({kBucket, name_of(name)}, std::move(bytes)));
  }
  std::string get(const std::string& name) {
    return run_task(read_object(*store_, {kBucket, name_of(name)}, 1u << 30)).value();
  }
  void remove(const std::string& name) { run_task(store_->remove({kBucket, name_of(name)}, {})); }
  std::unique_ptr<Table> open() {
    return open_delta_table(*store_, kBucket, kPrefix, {}, clock_, random_);
  }

 private:
  static std::string name_of(const std::string& name) {
    return std::string(kPrefix) + "/_delta_log/" + name;
  }
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  SeededRandom random_;
};

/// The same table as commits, as a checkpoint with a commit behind it, and as a checkpoint with its
/// files in a sidecar.
const std::vector<Log>& logs() {
  static const std::vector<Log> all = [] {
    const Log commits = {{commit_name(0), std::string(kFirst)},
                         {commit_name(1), std::string(kSecond)}};
    FuzzTable table(commits);
    run_task(table.open()->checkpoint());
    const std::string checkpoint = table.get(checkpoint_name(1));
    const std::string hint = table.get("_last_checkpoint");
    const std::string third = R"({"add":{"path":"f4","partitionValues":{"p":"","d":"2026-01-01"},)"
                              R"("size":1,"modificationTime":1,"dataChange":true}})";
    Log by_checkpoint = {{checkpoint_name(1), checkpoint}, {commit_name(2), third}};
    by_checkpoint.emplace("_last_checkpoint", hint);
    const std::string v2 =
        "00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
    std::string actions(kV2);
    for (const std::string_view commit : {kFirst, kSecond}) {
      for (const char* action : {"{\"protocol\"", "{\"metaData\"", "{\"txn\""}) {
        const std::size_t at = commit.find(action);
        if (at == std::string_view::npos) continue;
        actions += commit.substr(at, commit.find('\n', at) + 1 - at);
      }
    }
    return std::vector<Log>{
        commits,
        by_checkpoint,
        {{v2, actions}, {"_sidecars/s.parquet", checkpoint}, {commit_name(2), third}}};
  }();
  return all;
}

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const TableFile& a, const TableFile& b) {
  const auto vector_of = [](const TableFile& file) {
    return file.deletion_vector ? file.deletion_vector->unique_id() : "";
  };
  return a.path == b.path && a.partition == b.partition && a.size == b.size &&
         a.modified == b.modified && a.rows == b.rows && a.stats == b.stats &&
         vector_of(a) == vector_of(b);
}

template <class Work>
auto tried(Work work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const Error& error) {
    require(error.kind() != ErrorKind::kBug);
    return std::nullopt;
  }
}

void check(std::uint8_t choice, std::uint8_t target, std::string_view changes) {
  Log log = logs()[choice % logs().size()];
  auto damaged = std::next(log.begin(), target % static_cast<std::ptrdiff_t>(log.size()));
  damaged->second = changed_bytes(damaged->second, changes);
  FuzzTable fuzzed(log);
  const auto table = fuzzed.open();
  const auto before = tried([&] { return run_task(table->snapshot()); });
  if (!before || !*before) return require(!changes.empty());
  if ((choice & 64) == 0) return;  // Writing checkpoints is slow.
  const auto version = tried([&] { return run_task(table->checkpoint()); });
  if (!version || !*version) return;
  for (const auto& [name, bytes] : log) {
    if (name.ends_with(".json")) fuzzed.remove(name);
  }
  const auto after = tried([&] { return run_task(fuzzed.open()->snapshot()); });
  require(after && *after);
  const Snapshot& was = **before;
  const Snapshot& is = **after;
  require(was.version == is.version && was.id == is.id && was.schema == is.schema);
  require(was.partition_by == is.partition_by && was.properties == is.properties);
  require(was.transactions == is.transactions && was.files.size() == is.files.size());
  for (std::size_t i = 0; i < was.files.size(); ++i) require(same(was.files[i], is.files[i]));
}

}  // namespace
}  // namespace headrace::delta

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  headrace::delta::check(data[0], data[1], {reinterpret_cast<const char*>(data) + 2, size - 2});
  return 0;
}
