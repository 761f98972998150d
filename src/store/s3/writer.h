#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/object.h"
#include "store/s3/conditions.h"
#include "store/s3/messages.h"
#include "store/s3/service.h"
#include "store/store.h"

namespace headrace::s3 {

/// Everything that changes objects. On the service's executor; promises as of Store.
class Writer {
 public:
  explicit Writer(Service& service) : service_(service), conditions_(service) {}

  Task<std::optional<Etag>> put(ObjectKey key, ByteSource& body, PutOptions options);
  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options);
  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match);
  Task<> remove_many(std::string bucket, std::vector<Deletion> deletions);
  /// False if it is there already and ours.
  Task<bool> create_bucket(std::string bucket);
  Conditions& conditions() { return conditions_; }

 private:
  /// One write, told where its condition goes and whether the store obeys it.
  struct Plan {
    ObjectKey key;
    Headers headers;    // What describes the object.
    Headers condition;  // Empty if unconditional.
    Tags tags;
    bool in_parts_too = true;
  };

  bool summed() const;
  Task<ConditionSupport> support(const std::string& bucket);
  Task<Plan> plan(ObjectKey key, const PutOptions& options);
  Task<std::optional<Etag>> put_whole(const Plan& plan, Payload body);
  Task<std::optional<Etag>> put_parts(const Plan& plan, Payload first, Payload second,
                                      PartReader& rest);
  Task<> ensure_tags(const ObjectKey& key, const Tags& tags);
  Task<Reply> send_making_bucket(Call call);
  bool may_make_bucket(const Reply& reply) const;

  struct Source;
  Task<std::optional<Source>> find_source(ObjectKey from, const PutOptions& options);
  Task<std::optional<Etag>> copy_whole(const Source& source, const ObjectKey& to,
                                       const PutOptions& options, Headers condition);
  Task<std::optional<Etag>> copy_parts(const Source& source, const ObjectKey& to,
                                       const PutOptions& options, Headers condition);
  Task<std::optional<Etag>> copy_through(const Source& source, ObjectKey to, PutOptions options);
  Task<> remove_page(const std::string& bucket, std::vector<Deletion> page);

  Service& service_;
  Conditions conditions_;
};

}  // namespace headrace::s3
