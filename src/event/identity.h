#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "event/event.h"

namespace headrace {

/// The names under which the ledger remembers a change, so that two announcements of it are one
/// for those who take both: `audience` tells who that is. Of two audiences each has names of its
/// own, so what one has taken is news to the other.
///
/// An event is a duplicate if `change` or any of `same_as` was remembered; if it is none, `change`
/// and all of `also` are remembered.
///
/// To take one change twice is allowed, to drop a change that nobody announced is not. So a name
/// says as much as the producer does, and the etag is never enough: stores whose etag is a hash of
/// the content give the same one when an object is put, deleted and put again with the same bytes.
///
/// `change` is made of audience, store, bucket, key, detail-type and the first of these that is
/// there:
///   - the version id: one for each write;
///   - the sequencer: one for each change of a key (in decode.h's form, so that AWS's records and
///     EventBridge are one); not Ceph's, which is another in each notification of one change;
///   - the etag and the time: a message that is delivered twice, a `watch` and a `listing` of one
///     folder;
///   - the time.
/// What is neither a creation nor a deletion may happen to one version many times, so there the
/// time counts as well. So do the number and text of a dead letter's line.
///
/// A listing knows neither version nor sequencer: it says that an object is there, with an etag and
/// the time of its last change. So creations have a second name, etag and that time. An
/// announcement remembers it for listings and a listing for announcements, but two announcements
/// are never compared by it. Listings tell whole seconds (AWS) or milliseconds (MinIO, Ceph), so
/// an announcement has it in both precisions; MinIO announces another time, but has the object's
/// in the sequencer. What remains: if the same bytes are put twice within the same second (on
/// stores that list milliseconds: millisecond), a listing saw the first, and the object was taken
/// away before the second, then the second is dropped.
///
/// Our own writes are known by etag and about when they were; see own_write_names().
struct Identity {
  std::uint64_t change = 0;
  std::vector<std::uint64_t> same_as;
  std::vector<std::uint64_t> also;
};

/// Stable for ever, since the ledger keeps it. Our own writes are everybody's.
Identity identity_of(const Event& event, std::uint64_t audience = 0);

/// What the ledger must remember so that the event of our own write, done at `time` and answered
/// with `etag`, is a duplicate. Good for clocks of ours and the store's that differ by up to 15
/// minutes; the same bytes written by someone else within at most 45 minutes count as ours.
std::vector<std::uint64_t> own_write_names(std::string_view store, const ObjectKey& object,
                                           const Etag& etag, Time time);

}  // namespace headrace
