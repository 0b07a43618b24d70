#pragma once
#include "accel/engine.hpp"
#include "core/result.hpp"

#include <string_view>
#include <vector>

namespace host {
// `0x8000..0x8fff,0xc0008000+0x100,0xffff1000-0x200`: from..to, from+length, length bytes up to and with from.
// Errors: usage.
core::Result<std::vector<accel::EngineOptions::Range>> parse_ranges(std::string_view text);
}  // namespace host
