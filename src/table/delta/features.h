#pragma once

#include <string_view>

#include "format/schema.h"
#include "table/delta/actions.h"

namespace headrace::delta {

// What of Delta is supported. Whatever is not known is refused by name: a feature that is passed
// over gives wrong rows.

/// Throws kInvalid naming the feature if rows of the table would be read wrongly. `where` names the
/// table. Deletion vectors are not looked at here: they only matter where a file has one.
void check_readable(std::string_view where, const Protocol& protocol, const Metadata& metadata,
                    const Schema& schema);

/// Names a property that is unknown, has no such value, or needs a feature that is not supported;
/// empty if there is none. Names outside of `delta.` are anybody's.
std::string wrong_properties(const Texts& properties);

/// May a property be taken away here? Empty, or why not: it is not known, and what stands on it
/// neither.
std::string wrong_to_unset(std::string_view name);

/// How the table's columns are found in its data files.
ColumnMapping column_mapping_of(const Metadata& metadata);
/// The schema with each field's id of column mapping as its field id, in all depths.
Schema with_column_ids(const Schema& schema);

/// Throws kInvalid naming the feature if a change could break the table's rules. Says nothing of
/// reading.
void check_appendable(std::string_view where, const Protocol& protocol, const Metadata& metadata,
                      const Schema& schema);

/// The protocol for a table with this schema: 1/2, or what it was; with timestampNtz added, and so
/// 3/7, if a column needs it. What older versions implied is then listed by name.
Protocol protocol_for(const Schema& schema, const Protocol& current = {});

/// The same protocol with what these properties need to bind every writer.
Protocol protocol_for(const Texts& properties, Protocol current);

/// Does the writer's list hold the feature, and does the property turn it on?
bool in_commit_timestamps_on(const Protocol& protocol, const Metadata& metadata);

/// "interval 1 week", "7 days 12 hours" in milliseconds; nullopt if it is no such text.
std::optional<std::int64_t> parse_interval_ms(std::string_view text);

}  // namespace headrace::delta
