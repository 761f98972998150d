#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// A pattern made of somebody else's filter, and what the pattern cannot say.
struct ConvertedPattern {
  std::string name;     ///< The configuration's id and target; may be empty.
  std::string pattern;  ///< JSON, for Pattern::parse.
  /// Where the pattern takes more than the filter did, or the filter was decoded.
  std::vector<std::string> notes;
};

enum class SnsScope : unsigned char {
  kAttributes,  ///< The policy names attributes of a message: flat.
  kBody,        ///< The policy names fields of the message's JSON body.
};

/// An SNS filter policy, or what `aws sns get-subscription-attributes` prints of a subscription
/// that has one: it tells the scope itself. `under` is the path at which the attributes or the body
/// stand in what the pattern will be asked of; empty if they are all of it. Throws kInvalid for
/// what is no policy.
ConvertedPattern convert_sns_policy(std::string_view json, SnsScope scope,
                                    std::string_view under = {});

/// S3 bucket notifications: a whole NotificationConfiguration as `aws s3api
/// get-bucket-notification-configuration` prints it, one of its configurations, or a Filter alone.
/// One pattern for each configuration. "+" in a prefix or suffix is a space and "%XX" a byte, as S3
/// has it. Throws kInvalid for what is none of these.
std::vector<ConvertedPattern> convert_s3_notifications(std::string_view json);

}  // namespace headrace
