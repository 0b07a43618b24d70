#pragma once
// The virtio devices that -device knows.

#include "core/plug.hpp"

namespace peripherals::virtio {
std::span<const core::PlugKind> plug_kinds();
}  // namespace peripherals::virtio
