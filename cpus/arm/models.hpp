#pragma once
// The CPUs `-cpu` can name on boards with an ARM v5 core.

#include "core/base.hpp"

#include <string_view>

namespace arm {
using namespace core;

struct CpuModel {
  const char* name;
  const char* help;   // for `-cpu help`
  u32 midr;           // CP15 c0,0: main ID
  u32 cache_type;     // CP15 c0,1
  u32 reset_control;  // CP15 c1 at reset; ctl_v here is the VINITHI pin
  bool vfp;           // VFP9-S is attached
};

std::span<const CpuModel> cpu_models();
// Null when there is no model of that name.
const CpuModel* find_model(std::string_view name);
}  // namespace arm
