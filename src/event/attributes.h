#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace headrace {

using AttributeView = std::pair<std::string_view, std::string_view>;
using AttributeViews = std::span<const AttributeView>;

/// The first attribute of this name, whatever the case of its letters.
std::optional<std::string_view> find_attribute(AttributeViews attributes, std::string_view name);

/// An attribute of a CloudEvent in binary mode: "ce-type" over HTTP and Pub/Sub, "ce_type" over
/// Kafka, "cloudEvents:type" or "cloudEvents_type" over AMQP.
std::optional<std::string_view> find_cloud_attribute(AttributeViews attributes,
                                                     std::string_view name);

}  // namespace headrace
