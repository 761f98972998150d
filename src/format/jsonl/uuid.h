#pragma once

#include "core/bytes.h"

namespace headrace::jsonl {

/// Is it a UUID in its usual spelling, with small letters: one that its 16 bytes can give back?
bool is_uuid(BytesView text);

/// The 16 bytes of a text that is_uuid() accepts.
void uuid_bytes(const char* text, char* bytes);

}  // namespace headrace::jsonl
