#pragma once

#include <map>
#include <string>

#include "query/data_format.h"
#include "stack/spec.h"

namespace headrace {

/// A named prefix of files that SQL reads as they are.
struct DatasetConfig {
  std::string store;
  std::string bucket;
  std::string prefix;
  DataFormat format = DataFormat::kAuto;
  std::map<std::string, std::string> columns;  ///< Name -> SQL type.
};

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
                 stack::example("{ id: VARCHAR, seen: TIMESTAMPTZ }"));
  return spec;
}

}  // namespace headrace
