#pragma once
// Network cards by -device.

#include "core/plug.hpp"

namespace peripherals {
std::span<const core::PlugKind> network_kinds();
}  // namespace peripherals
