#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "step/step.h"

namespace headrace {

/// Objects that lie ready in one file on this machine, to be put into a store together. The plan
/// of a batch names them, so that any later process can go on where one died: under the same keys,
/// with the same bytes.
///
/// Threads  The services' executor.
class StagedObjects {
 public:
  struct Object {
    std::string key;
    std::uint64_t offset = 0;  ///< Of its bytes in the file.
    std::uint64_t size = 0;
  };
  struct Plan {
    std::string file;  ///< Its name in the folder.
    std::string store;
    std::string bucket;
    std::vector<Object> objects;
  };
  /// docs/formats/notes.md has the JSON.
  static Bytes encode(const Plan& plan);
  /// nullopt if it is the plan of something else.
  static std::optional<Plan> decode(const Bytes& plan);

  StagedObjects(std::filesystem::path folder, std::string route, StepServices services);

  /// Puts them all, several at a time, marked as the route's own.
  Task<> put_all(Plan plan);
  /// Sink::resolve(): puts what is not there yet. If the file is gone while only a part is there,
  /// takes that part away, since all of it has to be done again.
  Task<bool> resolve(Plan plan);
  /// Removes the file.
  void forget(const Plan& plan) const;
  /// Removes what earlier processes left in the folder. Does so once, when asked first; all plans
  /// must have been resolved by then.
  void sweep_once();

 private:
  Task<> put(const Plan& plan, const Object& object);
  Task<std::vector<bool>> look(const Plan& plan);

  std::filesystem::path folder_;
  std::string route_;
  StepServices services_;
  bool swept_ = false;
};

}  // namespace headrace
