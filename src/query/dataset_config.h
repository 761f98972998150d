#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/clock.h"
#include "query/data_format.h"
#include "stack/spec.h"

namespace headrace {

/// When a running stack looks at a dataset's objects by itself.
struct CrawlConfig {
  std::optional<Duration> every;  ///< Absent: it does not.
};

/// A named prefix of files that SQL reads as they are.
struct DatasetConfig {
  std::string store;
  std::string bucket;
  std::string prefix;
  DataFormat format = DataFormat::kAuto;
  std::map<std::string, std::string> columns;  ///< Name -> SQL type.
  CrawlConfig crawl;
};

inline const stack::Spec<CrawlConfig>& crawl_spec() {
  static const auto spec =
      stack::Spec<CrawlConfig>("crawl", "When a running stack finds a dataset's columns anew")
          .field("every", &CrawlConfig::every,
                 "So often; absent means only by `headrace dataset crawl`",
                 stack::at_least(std::chrono::seconds(1)), stack::example("1h"));
  return spec;
}

inline const stack::Spec<DatasetConfig>& dataset_spec() {
  static const auto spec =
      stack::Spec<DatasetConfig>("dataset", "Objects under a prefix, read by SQL as they are")
          .field("store", &DatasetConfig::store, "Name of the store", stack::required())
          .field("bucket", &DatasetConfig::bucket, "Bucket", stack::required())
          .field("prefix", &DatasetConfig::prefix, "Only objects whose key starts with this")
          .field("format", &DatasetConfig::format, "auto goes by the objects' names",
                 stack::one_of<DataFormat>({{"auto", DataFormat::kAuto},
                                            {"delta", DataFormat::kDelta},
                                            {"ndjson", DataFormat::kJsonLines},
                                            {"json", DataFormat::kJson},
                                            {"csv", DataFormat::kCsv},
                                            {"parquet", DataFormat::kParquet}}))
          .field("columns", &DatasetConfig::columns,
                 "SQL types of columns whose values do not tell them well; the others are found",
                 stack::example("{ id: VARCHAR, seen: TIMESTAMPTZ }"))
          .field("crawl", &DatasetConfig::crawl, "When to keep what is found of the columns",
                 crawl_spec());
  return spec;
}

}  // namespace headrace
