#include "event/event_names.h"

#include <array>

namespace headrace {
namespace {

constexpr std::string_view kCreated = "Object Created";
constexpr std::string_view kDeleted = "Object Deleted";
constexpr std::string_view kTagsAdded = "Object Tags Added";
constexpr std::string_view kTagsDeleted = "Object Tags Deleted";

struct Name {
  std::string_view start;  ///< Of the event's name; the first that fits decides.
  std::string_view detail_type;
};

/// The first rows are those that their group would get wrong. MinIO tells of tags as of creations;
/// NoOP is a deletion of what was not there. Lifecycle deletions have names of their own on AWS
/// (LifecycleExpiration) and on Ceph (ObjectLifecycle:Expiration, where only Current takes away
/// what a reader sees). ObjectSynced is Ceph's word for a change that came from another zone.
constexpr std::array kNames{
    Name{"ObjectCreated:PutTagging", kTagsAdded},
    Name{"ObjectCreated:DeleteTagging", kTagsDeleted},
    Name{"ObjectCreated:PutRetention", ""},
    Name{"ObjectCreated:PutLegalHold", ""},
    Name{"ObjectCreated:", kCreated},
    Name{"ObjectRemoved:NoOP", ""},
    Name{"ObjectRemoved:", kDeleted},
    Name{"ObjectTagging:Put", kTagsAdded},
    Name{"ObjectTagging:Delete", kTagsDeleted},
    Name{"ObjectAcl:Put", "Object ACL Updated"},
    Name{"ObjectRestore:Post", "Object Restore Initiated"},
    Name{"ObjectRestore:Completed", "Object Restore Completed"},
    Name{"ObjectRestore:Delete", "Object Restore Expired"},
    Name{"LifecycleExpiration:", kDeleted},
    Name{"LifecycleTransition", "Object Storage Class Changed"},
    Name{"IntelligentTiering", "Object Access Tier Changed"},
    Name{"ObjectLifecycle:Expiration:Current", kDeleted},
    Name{"ObjectLifecycle:Transition", "Object Storage Class Changed"},
    Name{"ObjectSynced:Create", kCreated},
    Name{"ObjectSynced:Delet", kDeleted},  // Delete, DeletionMarkerCreated
};

}  // namespace

EventKind kind_of(std::string_view detail_type) {
  if (detail_type == kCreated) return EventKind::kCreated;
  if (detail_type == kDeleted) return EventKind::kDeleted;
  if (detail_type == kTagsAdded || detail_type == kTagsDeleted) return EventKind::kTagsChanged;
  return EventKind::kOther;
}

void set_kind(Event& event, std::string_view event_name) {
  if (event_name.starts_with("s3:")) event_name.remove_prefix(3);
  event.detail_type = event_name;
  for (const Name& name : kNames) {
    if (!event_name.starts_with(name.start)) continue;
    if (!name.detail_type.empty()) event.detail_type = name.detail_type;
    break;
  }
  event.kind = kind_of(event.detail_type);
}

}  // namespace headrace
