#pragma once
// Options written as JSON objects, as programs do.

#include "host/keyvalue.hpp"

namespace host {
inline bool looks_like_json(std::string_view text) { return text.starts_with('{'); }
// `{"a": 1, "file": {"driver": "x"}, "list": [true]}` becomes a=1, file.driver=x, list.0=on.
// Errors: usage, one sentence with the position.
core::Result<KeyValues> parse_json_keys(std::string_view text);
}  // namespace host
