#include "cpus/mips/models.hpp"

namespace mips {
namespace {
// The identification registers of QEMU's models of the same names, with their caches of 2 KiB (MD00343 chapter 6 has the
// real ones): loops over all lines of a cache are then short, and have nothing to do.
constexpr u32 config0_r1 = 0x8000'0082, config0_r2 = 0x8000'0482, config2 = 0x8000'0000;
constexpr u32 config3_vint = 1u << 5, config3_dsp = 1u << 10, config3_dsp2 = 1u << 11;

constexpr CpuModel models[] = {
    {"24Kf", "MIPS32 24Kf: Release 2, MIPS16e, FPU", 0x0001'9300, {config0_r2, 0x9e19'0c8f, config2, 0}, 0x0073'9300,
     0x3678'ff1f, 16, true, true, 0},
    {"24Kc", "MIPS32 24Kc: Release 2, MIPS16e", 0x0001'9300, {config0_r2, 0x9e19'0c8e, config2, 0}, 0, 0x1278'ff1f, 16, true,
     true, 0},
    {"24KEc", "MIPS32 24KEc: Release 2, MIPS16e, DSP", 0x0001'9600, {config0_r2, 0x9e19'0c8e, config2, config3_dsp}, 0,
     0x1378'ff1f, 16, true, true, 1},
    {"4Kc", "MIPS32 4Kc: Release 1", 0x0001'8000, {config0_r1, 0x9e19'0c8a, config2, 0}, 0, 0x1278'ff17, 16, false, false,
     0},
    {"4KEc", "MIPS32 4KEc: Release 2", 0x0001'9000, {config0_r2, 0x9e19'0c8a, config2, 0}, 0, 0x1278'ff17, 16, true, false, 0},
    {"34Kf", "MIPS32 34Kf: Release 2, MIPS16e, DSP, FPU; one thread context", 0x0001'9500,
     {config0_r2, 0xfe19'0c8f, config2, config3_dsp | config3_vint}, 0x0073'9500, 0x3778'ff1f, 64, true, true, 1},
    {"74Kf", "MIPS32 74Kf: Release 2, MIPS16e, DSP revision 2, FPU", 0x0001'9700,
     {config0_r2, 0x9e19'0c8f, config2, config3_dsp2 | config3_dsp | config3_vint}, 0x0073'9300, 0x3778'ff1f, 16, true, true, 2},
};
}  // namespace

std::span<const CpuModel> cpu_models() { return models; }

const CpuModel* find_model(std::string_view name) {
  for (const CpuModel& m : models)
    if (name == m.name) return &m;
  return nullptr;
}
}  // namespace mips
