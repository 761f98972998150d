#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace headrace {

/// A form-encoded key as it was: "+" is a space, "%2F" a slash. A text that no encoder of this kind
/// writes (a bare "%", a space) was never encoded and stays as it is.
std::string decode_form_key(std::string_view encoded);

// Sequencers in the form that decode.h promises: greater as text is newer. What does not look like
// the producer's form becomes empty, since nothing could be said of its order.

/// AWS compares with zeros appended to the shorter: so they are appended, up to 16 digits. Records
/// put "00" before what EventBridge says in 16 digits; it goes.
std::string aws_sequencer(std::string_view hex);
/// MinIO, RustFS: a hexadecimal number of varying length.
std::string number_sequencer(std::string_view hex);
/// radosgw: seconds and nanoseconds, 32 bits each, the low byte first.
std::string ceph_sequencer(std::string_view hex);
/// versitygw: a count from the start of the process, so the second is put before it.
std::string versitygw_sequencer(std::string_view hex, std::optional<Time> time);
/// Google: the generation, a decimal number.
std::string gcs_sequencer(std::string_view decimal);

/// The moment inside of a sequencer that ceph_sequencer() gave.
std::optional<Time> time_of_ceph_sequencer(std::string_view canonical);

/// An etag without the quotes that some producers leave on.
std::string_view without_quotes(std::string_view etag);

/// Bytes given in base64 as hexadecimal digits: Google's MD5 as its S3 interface writes the etag.
std::optional<std::string> base64_to_hex(std::string_view base64);

}  // namespace headrace
