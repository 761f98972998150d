#pragma once

#include <optional>
#include <string>
#include <string_view>

// Resource policies of queues and topics: JSON whose statements belong to many.
namespace headrace::setup {

/// That a bucket or a topic may send to a queue, or a bucket to a topic.
struct Permission {
  std::string id;        ///< The statement's Sid, by which we know ours.
  std::string resource;  ///< ARN of the queue or topic.
  std::string sender;    ///< ARN of the bucket or topic.
};

/// The ARN of who may send by the statement `id`; nullopt if there is none.
std::optional<std::string> sender_of(std::string_view policy, std::string_view id);
/// The policy with this statement added or replaced; all others stay, byte for byte but for spaces.
/// Empty text is an empty policy. Throws kInvalid if it is no JSON.
std::string with_permission(std::string_view policy, const Permission& permission);
/// The policy without that statement; empty if none is left.
std::string without_permission(std::string_view policy, std::string_view id);

}  // namespace headrace::setup
