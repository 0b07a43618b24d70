#pragma once
// The CPUs `-cpu` can name on boards with a MIPS32 core.

#include "core/base.hpp"

#include <string_view>

namespace mips {
using namespace core;

struct CpuModel {
  const char* name;
  const char* help;     // for `-cpu help`
  u32 prid;             // CP0 15
  u32 config[4];        // CP0 16,0 to 3 without Config0.BE
  u32 fir;              // CP1 0; 0: no floating-point unit
  u32 status_writable;  // bits of Status that can be written
  unsigned tlb;         // entries
  bool release2, mips16;
  unsigned dsp;         // revision of the DSP ASE, 0: none

  bool has_fpu() const { return config[1] & 1; }
};

std::span<const CpuModel> cpu_models();
// Null when there is no model of that name.
const CpuModel* find_model(std::string_view name);
}  // namespace mips
