#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/credentials_spec.h"
#include "setup/resource.h"
#include "setup/setup_spec.h"
#include "source/source_spec.h"

namespace headrace::setup {

/// A source as far as it has to be told of objects.
struct SourceNeeds {
  enum class From : unsigned char { kQueue, kWebhook, kKafka };
  std::string name{};
  SourceFields fields{};
  bool on_s3 = false;     ///< Its store is of kind s3.
  bool removals = false;  ///< A route wants to hear of removed objects.
  From from = From::kQueue;
  std::optional<SqsStanza> sqs{};
  std::string token{};  ///< That a webhook asks for.
  SetupSourceStanza setup{};
};

/// A stack as far as it needs something outside.
struct Needs {
  using Source = SourceNeeds;
  std::string stack{};
  std::vector<Source> sources{};
  /// Store and bucket of whatever the stack reads and writes, in its order, stores of kind s3 only.
  std::vector<std::pair<std::string, std::string>> buckets{};
  SetupStanza setup{};
};

/// The SQS that a source speaks to, and its queue there.
struct QueuePlace {
  std::string endpoint;
  std::string region;
  std::string queue;  ///< Its name.

  std::string home() const { return endpoint + " " + region; }
};
/// Throws kInvalid if nobody says in which region the queue is.
QueuePlace place_of(const SqsStanza& stanza);

struct Wanted {
  std::vector<Resource> resources;  ///< In the order of making.
  std::vector<std::string> notes;   ///< What a person has to do, since it can't be worked out.
  std::optional<SetupStateStanza> state;
};

/// Works out what a stack needs. Pure. Throws kInvalid for what makes no sense.
Wanted work_out(const Needs& needs);

/// What the store is asked to tell of: the literal ends of what a source takes.
struct KeyEnds {
  std::string prefix;
  std::string suffix;
};
KeyEnds key_ends(const SourceFields& fields);

}  // namespace headrace::setup
