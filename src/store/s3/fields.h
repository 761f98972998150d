#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/object.h"
#include "net/http.h"
#include "store/store.h"

// What S3 says of an object in header fields.
namespace headrace::s3 {

/// The name of a metadata field in front of its own name.
inline constexpr std::string_view kMetadataPrefix = "x-amz-meta-";

/// A metadata value as it can stand in a header, and back. Text that a header would change (other
/// bytes than ASCII, spaces at its ends, nothing at all) becomes an encoded word of RFC 2047, as
/// Amazon S3 itself gives such values out.
std::string metadata_to_header(std::string_view value);
std::string metadata_from_header(std::string_view text);

/// Adds x-amz-meta-* fields. Throws kInvalid for a name that can't be part of a header's.
void add_metadata(Headers& headers, const Metadata& metadata);
Metadata read_metadata(const Headers& headers);

/// "a=1&b=%20": the value of x-amz-tagging.
std::string tagging_text(const Tags& tags);

/// Without the quotes that S3 puts around it.
Etag unquoted(std::string_view text);
std::string quoted(const Etag& etag);

/// "Sun, 06 Nov 1994 08:49:37 GMT"; nullopt if it is none (RFC 9110 5.6.7, the one current form).
std::optional<Time> parse_http_date(std::string_view text);
std::string format_http_date(Time time);

/// What the head of an answer to GET or HEAD says of the object. Throws kTransient if the etag is
/// missing: such an answer is not the store's.
ObjectInfo read_info(ObjectKey key, const Headers& headers);

/// A non-negative decimal number that is all of `text`.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace headrace::s3
