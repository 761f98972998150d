#include "step/repartition.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "stack/spec.h"
#include "step/batch_sort.h"
#include "step/staged_objects.h"
#include "step/temp_file.h"
#include "store/stores.h"

namespace headrace {
namespace {

constexpr std::string_view kUuid = "uuid";
constexpr std::size_t kPieceBytes = 1u << 20;

Compression codec_of(const RepartitionConfig& config) {
  if (config.codec) return *config.codec;
  if (config.to.ends_with(".gz")) return Compression::kGzip;
  if (config.to.ends_with(".zst") || config.to.ends_with(".zstd")) return Compression::kZstd;
  return Compression::kNone;
}

class RepartitionPrepared final : public Sink::Prepared {
 public:
  std::uint64_t rows = 0;
};

class RepartitionSink final : public Sink {
 public:
  RepartitionSink(const RepartitionConfig& config, std::string route, RowPredicate keep,
                  std::filesystem::path folder, StepServices services)
      : config_(config),
        target_(spelled_out(config)),
        key_(KeyTemplate::parse(target_.to)),
        route_(std::move(route)),
        keep_(std::move(keep)),
        folder_(std::move(folder)),
        services_(services),
        staged_(folder_, route_, services) {}

  Limits limits() const override { return {config_.bytes, config_.every, config_.tasks}; }

  std::string group_of(const Event& event) override {
    return (target_.store.empty() ? event.store : target_.store) + "://" +
           (target_.bucket.empty() ? event.object.bucket : target_.bucket);
  }

  Task<std::unique_ptr<Prepared>> prepare(std::string group, std::string app_id,
                                          std::vector<Event> events) override;

  Task<std::string> commit(Prepared& prepared) override {
    const StagedObjects::Plan plan = StagedObjects::decode(prepared.plan).value();
    co_await staged_.put_all(plan);
    std::uint64_t bytes = 0;
    for (const auto& object : plan.objects) bytes += object.size;
    co_return fmt::format("{} objects, {} rows, {} bytes", plan.objects.size(),
                          static_cast<RepartitionPrepared&>(prepared).rows, bytes);
  }

  Task<bool> resolve(Bytes plan) override {
    const auto staged = StagedObjects::decode(plan);
    co_return staged ? co_await staged_.resolve(*staged) : false;  // Else it is no plan of ours.
  }

  void forget(const Bytes& plan) override {
    if (const auto staged = StagedObjects::decode(plan)) staged_.forget(*staged);
  }

 private:
  StagedObjects::Plan stage(RowPiles& piles, const std::string& group, const std::string& uuid);

  const RepartitionConfig config_;
  const TargetConfig target_;
  const KeyTemplate key_;
  const std::string route_;
  const RowPredicate keep_;
  const std::filesystem::path folder_;
  StepServices services_;
  StagedObjects staged_;
};

Task<std::unique_ptr<Sink::Prepared>> RepartitionSink::prepare(std::string group, std::string,
                                                               std::vector<Event> events) {
  staged_.sweep_once();
  auto prepared = std::make_unique<RepartitionPrepared>();
  prepared->items.resize(events.size());
  std::vector<bool> left_out(events.size(), false);
  const std::string uuid = services_.random.uuid();
  const BatchSort sort{.rules = {.name = key_,
                                 .given = {{std::string(kUuid), uuid}},
                                 .missing = config_.missing,
                                 .keep = keep_,
                                 .rows = batch_rows_options()},
                       .limits = {.memory_bytes = config_.memory, .piles = config_.objects},
                       .folder = folder_,
                       .own = route_,
                       .transform = {}};
  const SortedBatch sorted =
      co_await sort_batch(sort, events, left_out, prepared->items, services_);
  prepared->left_out = sorted.left_out;
  prepared->empty = sorted.piles->size() == 0;
  if (prepared->empty) co_return prepared;
  for (std::size_t i = 0; i < sorted.piles->size(); ++i) prepared->rows += sorted.piles->records(i);
  auto stage = [&] { return this->stage(*sorted.piles, group, uuid); };
  prepared->plan = StagedObjects::encode(co_await run_on(services_.cpu, stage));
  co_return prepared;
}

/// Writes the piles one after another into a file that outlives the process. On the CPU pool.
StagedObjects::Plan RepartitionSink::stage(RowPiles& piles, const std::string& group,
                                           const std::string& uuid) {
  const StoreUrl where = parse_store_url(group);
  StagedObjects::Plan plan{.file = uuid + ".objects",
                           .store = where.store,
                           .bucket = where.object.bucket,
                           .objects = {}};
  TempFile file(folder_ / plan.file);
  for (std::size_t i = 0; i < piles.size(); ++i) {
    const std::uint64_t begin = file.size();
    Compressor compressor(codec_of(config_));
    for (Bytes rows = piles.next(i); !rows.empty(); rows = piles.next(i)) {
      for (BytesView left = rows; !left.empty();) {
        const BytesView piece = left.substr(0, kPieceBytes);
        file.append(compressor.push(piece));
        left.remove_prefix(piece.size());
      }
    }
    file.append(compressor.finish());
    plan.objects.push_back({piles.name(i), begin, file.size() - begin});
  }
  file.keep();
  return plan;
}

std::string wrong_with_repartition(const RepartitionConfig& config) {
  try {
    const KeyTemplate key = KeyTemplate::parse(spelled_out(config).to);
    if (std::ranges::find(key.fields(), kUuid) == key.fields().end()) {
      return fmt::format(
          "`{}` needs {{uuid}} in its last part: without it the objects of one batch would replace "
          "those of the batch before",
          config.to);
    }
    if (key.fields().size() > 32) return "a key of more than 32 fields is not supported";
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

const stack::Spec<RepartitionConfig>& repartition_spec() {
  using Config = RepartitionConfig;
  static const auto spec =
      stack::Spec<Config>("repartition step",
                          "Sorts the rows of many objects of JSON lines into few objects by their "
                          "values; each row ends in exactly one of them, byte for byte")
          .field("to", &Config::to,
                 "Key template of the objects, or a URL with one; its fields are fields of the row "
                 "(a.b reaches in), else of the object's key; {at:%Y-%m-%d} makes a day of a "
                 "moment; {uuid} is new in each batch",
                 stack::required(),
                 stack::example("\"lake://out/by_type/{event_type}/dt={date}/{uuid}.jsonl.zst\""))
          .field("bucket", &Config::bucket,
                 "Bucket of the objects; the source object's if left out")
          .field("store", &Config::store, "Store of the objects; the source object's if left out")
          .field("codec", &Config::codec,
                 "How objects are packed; as the ending .gz or .zst of `to` says if left out",
                 stack::one_of<Compression>({{"none", Compression::kNone},
                                             {"gzip", Compression::kGzip},
                                             {"zstd", Compression::kZstd}}))
          .field(
              "missing", &Config::missing,
              "Stands for a field that a row lacks or whose value no key can hold; such rows are "
              "dead lines if left out",
              stack::example("_unknown"))
          .field("rows", &Config::rows, "Pattern of the rows that are wanted; all if left out",
                 stack::example("{ event_type: [{ prefix: push }] }"))
          .field("bytes", &Config::bytes, "A batch is made once the objects gathered come to this",
                 stack::bytes(), stack::at_least(1))
          .field("every", &Config::every, "At the latest this long after the first object",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("tasks", &Config::tasks, "Once this many objects are gathered", stack::at_least(1),
                 stack::at_most(1'000'000))
          .field("objects", &Config::objects,
                 "Most objects that one batch becomes; what would go beyond waits for the next",
                 stack::at_least(1), stack::at_most(100'000))
          .field("memory", &Config::memory,
                 "Rows held in memory while they are sorted; beyond, they go to a file",
                 stack::bytes(), stack::at_least(1u << 20))
          .check(wrong_with_repartition);
  return spec;
}

std::unique_ptr<Sink> make_repartition_sink(const RepartitionConfig& config, std::string route,
                                            RowPredicate keep, std::filesystem::path folder,
                                            StepServices services) {
  return std::make_unique<RepartitionSink>(config, std::move(route), std::move(keep),
                                           std::move(folder), services);
}

}  // namespace headrace
