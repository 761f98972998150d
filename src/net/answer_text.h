#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "net/http_server.h"

namespace headrace {

/// The head of an answer on the wire, with Content-Length, Date and, for the last one on a
/// connection, "Connection: close". Throws kBug if a field could be taken for another line.
std::string answer_head(const ServedAnswer& answer, bool keep_alive, std::string_view date);

/// {"error":{"kind":..,"message":..}} with the status that fits the kind.
ServedAnswer answer_of(const Error& error);
/// The same for what the server itself refuses.
ServedAnswer refusal(int status, std::string_view kind, const std::string& message);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string http_date(Time time);

}  // namespace headrace
