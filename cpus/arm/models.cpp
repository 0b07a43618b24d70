#include "cpus/arm/models.hpp"

namespace arm {
namespace {
// ARM926EJ-S: DDI 0198E §2.3.2 (IDs), table 2-10 (control register).  The development chip of the Versatile boards
// has two caches of 32 KiB, 4 ways, 32 byte lines.
constexpr u32 arm926_id = 0x4106'9265, caches_32k = 0x1d19'2192, control_at_reset = 0x0005'0078;

constexpr CpuModel models[] = {
    {"arm926", "ARM926EJ-S r0p5 with VFP9-S", arm926_id, caches_32k, control_at_reset, true},
    {"arm926-novfp", "ARM926EJ-S r0p5", arm926_id, caches_32k, control_at_reset, false},
};
}  // namespace

std::span<const CpuModel> cpu_models() { return models; }

const CpuModel* find_model(std::string_view name) {
  for (const CpuModel& m : models)
    if (name == m.name) return &m;
  return nullptr;
}
}  // namespace arm
