#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "event/decode.h"
#include "source/object_event.h"
#include "source/source.h"
#include "store/store.h"

namespace headrace {

/// Which events of the messages that come in are a source's own.
struct MessageOptions {
  std::string name;    ///< The source's, in the stack.
  std::string store;   ///< The store's, in the stack.
  std::string bucket;  ///< Empty: any.
  std::string prefix;
  std::optional<Duration> max_age;  ///< Older events are not taken; absent: however old.
  DecodeLimits limits;
};

/// What a message came to.
struct ReadMessage {
  std::vector<Event> events;
  std::vector<Undecodable> garbage;
  std::optional<SnsHandshake> handshake;  ///< For a webhook to answer; nothing for others to do.
};

/// Makes a source's Events of its messages: decodes them (event/decode.h), leaves out what is not
/// the source's (another bucket, prefix or shape of key, too old), fills in store, origin and key
/// fields, and asks the store about events that their producer may not have meant. What is left out
/// is counted and, the first time of each reason, logged; it is never an error.
///
/// Errors   kTransient if the store could not be asked. What cannot be decoded is garbage, not an
///          error.
/// Threads  One executor.
class MessageReader {
 public:
  /// References outlive the reader.
  MessageReader(MessageOptions options, Store& store, KeyMatcher matcher, Clock& clock,
                const Log& log);

  Task<ReadMessage> read(std::string body, Attributes attributes);

  /// Adds "messages" and, by reason, "not_taken".
  void describe(JsonWriter& json) const;

 private:
  enum class Reason : unsigned char { kBucket, kKey, kAge, kUnproven };
  static constexpr std::size_t kReasons = 4;

  Task<bool> take(DecodedEvent& decoded);
  Task<bool> prove(Event& event);
  bool refuse(Reason reason, const Event& event);

  const MessageOptions options_;
  Store& store_;
  const KeyMatcher matcher_;
  Clock& clock_;
  const Log& log_;
  std::uint64_t messages_ = 0;
  std::uint64_t test_events_ = 0;
  std::uint64_t not_taken_[kReasons] = {};
};

}  // namespace headrace
