#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace headrace {

/// The engine's message with the advice that fits here in place of its own, which names settings
/// and functions that a user of this program does not see: for memory that ran out, and for data
/// that is not of the type its column has.
std::string with_our_advice(std::string_view message);

/// `message` with each quoted text that `name_of` knows replaced by what it gives: copies of remote
/// objects are called what their objects are.
std::string with_object_names(
    std::string_view message,
    const std::function<std::optional<std::string>(std::string_view)>& name_of);

}  // namespace headrace
