#pragma once

#include <map>
#include <set>
#include <string>

#include "core/signal.h"
#include "core/task.h"
#include "store/s3/service.h"
#include "store/store.h"

namespace headrace {

/// Which conditional writes an endpoint really obeys in one bucket: found out by writing, since
/// stores ignore what they do not know in silence.
struct ConditionSupport {
  /// How an etag has to stand in If-Match of a write.
  enum class EtagForm : unsigned char { kQuoted, kBare };

  bool put_if_absent = false;
  bool put_if_match = false;
  bool parts_if_absent = false;  ///< On the completion of an upload by parts.
  bool parts_if_match = false;
  bool copy_if_absent = false;
  bool copy_if_match = false;
  bool remove_if_match = false;
  EtagForm etag_form = EtagForm::kQuoted;

  bool operator==(const ConditionSupport&) const = default;
  /// What a table's log and in-place edits stand on.
  bool is_enough_for_tables() const { return put_if_absent && put_if_match; }
};

namespace s3 {

/// Where probes are written; removed afterwards. Sources and listings of users have no business
/// there.
inline constexpr std::string_view kProbePrefix = ".headrace/probe-";

/// Probes each bucket once, when its first conditional write comes. On the service's executor.
class Conditions {
 public:
  explicit Conditions(Service& service) : service_(service) {}

  /// Throws what a write to the bucket would throw.
  Task<ConditionSupport> of(std::string bucket);
  Task<ConditionSupport> probe(std::string bucket);

 private:
  Task<> clean_up(Call call);
  Task<> send_once(Call call);
  Task<int> put(const ObjectKey& key, Headers condition, Etag* etag = nullptr);
  Task<int> complete(const ObjectKey& key, Headers condition);
  Task<int> copy(const ObjectKey& from, const ObjectKey& to, Headers condition);
  Task<> probe_writes(const ObjectKey& key, ConditionSupport& support);
  Task<> probe_parts(const ObjectKey& key, const Etag& etag, ConditionSupport& support);
  Task<> probe_copies(const ObjectKey& key, const Etag& etag, ConditionSupport& support);
  Task<> probe_removal(const ObjectKey& key, ConditionSupport& support);

  Service& service_;
  std::map<std::string, ConditionSupport, std::less<>> known_;
  std::set<std::string, std::less<>> probing_;
  Signal changed_;
};

/// Adds what makes a write conditional.
void add_condition(Headers& headers, const WriteCondition& condition,
                   ConditionSupport::EtagForm form);

}  // namespace s3
}  // namespace headrace
