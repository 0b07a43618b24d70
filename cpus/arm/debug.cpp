#include "cpus/arm/debug.hpp"

#include "cpus/arm/mmu.hpp"
#include "cpus/arm/models.hpp"
#include "cpus/arm/vfp.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace arm {
namespace {
constexpr const char* core_feature = "org.gnu.gdb.arm.core";
constexpr const char* vfp_feature = "org.gnu.gdb.arm.vfp";
constexpr const char* vfp_system_feature = "org.qemu.gdb.arm.vfp-sysregs";

constexpr RegisterDesc table[] = {
    {"r0", 32, "int", core_feature, 0},
    {"r1", 32, "int", core_feature, 1},
    {"r2", 32, "int", core_feature, 2},
    {"r3", 32, "int", core_feature, 3},
    {"r4", 32, "int", core_feature, 4},
    {"r5", 32, "int", core_feature, 5},
    {"r6", 32, "int", core_feature, 6},
    {"r7", 32, "int", core_feature, 7},
    {"r8", 32, "int", core_feature, 8},
    {"r9", 32, "int", core_feature, 9},
    {"r10", 32, "int", core_feature, 10},
    {"r11", 32, "int", core_feature, 11},
    {"r12", 32, "int", core_feature, 12},
    {"sp", 32, "data_ptr", core_feature, 13},
    {"lr", 32, "int", core_feature, 14},
    {"pc", 32, "code_ptr", core_feature, 15},
    {"cpsr", 32, "int", core_feature, 25},
    {"d0", 64, "ieee_double", vfp_feature, 26},
    {"d1", 64, "ieee_double", vfp_feature, 27},
    {"d2", 64, "ieee_double", vfp_feature, 28},
    {"d3", 64, "ieee_double", vfp_feature, 29},
    {"d4", 64, "ieee_double", vfp_feature, 30},
    {"d5", 64, "ieee_double", vfp_feature, 31},
    {"d6", 64, "ieee_double", vfp_feature, 32},
    {"d7", 64, "ieee_double", vfp_feature, 33},
    {"d8", 64, "ieee_double", vfp_feature, 34},
    {"d9", 64, "ieee_double", vfp_feature, 35},
    {"d10", 64, "ieee_double", vfp_feature, 36},
    {"d11", 64, "ieee_double", vfp_feature, 37},
    {"d12", 64, "ieee_double", vfp_feature, 38},
    {"d13", 64, "ieee_double", vfp_feature, 39},
    {"d14", 64, "ieee_double", vfp_feature, 40},
    {"d15", 64, "ieee_double", vfp_feature, 41},
    {"fpscr", 32, "int", vfp_feature, 42},
    {"fpsid", 32, "int", vfp_system_feature, 43},
    {"fpexc", 32, "int", vfp_system_feature, 44},
};
enum Index : unsigned { pc_index = 15, cpsr_index, d0_index, fpscr_index = d0_index + 16, fpsid_index, fpexc_index };
static_assert(std::size(table) == fpexc_index + 1);

const char* mode_name(u32 mode) {
  switch (mode & cpsr_mode) {
    case usr: return "usr";
    case fiq: return "fiq";
    case irq: return "irq";
    case svc: return "svc";
    case abt: return "abt";
    case und: return "und";
    case sys: return "sys";
    default: return "???";
  }
}
}  // namespace

bool ArmDebug::has_vfp() const { return !s_.model || s_.model->vfp; }

std::span<const RegisterDesc> ArmDebug::registers() const {
  return std::span(table).first(has_vfp() ? std::size(table) : unsigned(d0_index));
}

void ArmDebug::read_register(unsigned index, std::span<u8> out) const {
  u64 v = 0;
  if (index < pc_index) v = s_.r[index];
  else if (index == pc_index) v = s_.pc;
  else if (index == cpsr_index) v = read_cpsr(s_);
  else if (index < fpscr_index) v = load_le<u64>(&s_.vfp.s[2 * (index - d0_index)]);
  else if (index == fpscr_index) v = read_fpscr(s_);
  else if (index == fpsid_index) v = s_.vfp.fpsid;
  else if (index == fpexc_index) v = s_.vfp.fpexc;
  std::memcpy(out.data(), &v, std::min(out.size(), sizeof v));
}

void ArmDebug::write_register(unsigned index, std::span<const u8> in) {
  u64 v = 0;
  std::memcpy(&v, in.data(), std::min(in.size(), sizeof v));
  if (index < pc_index) s_.r[index] = u32(v);
  else if (index == pc_index) s_.pc = u32(v) & (s_.thumb ? ~1u : ~3u);
  else if (index == cpsr_index) write_cpsr(s_, u32(v));
  else if (index < fpscr_index) store_le(&s_.vfp.s[2 * (index - d0_index)], v);
  else if (index == fpscr_index) write_fpscr(s_, u32(v));
  else if (index == fpexc_index) s_.vfp.fpexc = u32(v) & fpexc_en;
}

bool ArmDebug::translate(u32 va, u64& phys) const {
  u32 at = 0;
  const bool ok = probe(s_, va, arm::Access::read, false, at);
  phys = at;
  return ok;
}

// The layout QEMU's `info registers` has for Arm, which scripts read.
std::string ArmDebug::dump() const {
  std::string text;
  char line[96];
  for (unsigned i = 0; i < 16; ++i) {
    std::snprintf(line, sizeof line, "R%02u=%08x%c", i, i == pc_index ? s_.pc : s_.r[i], i % 4 == 3 ? '\n' : ' ');
    text += line;
  }
  std::snprintf(line, sizeof line, "PSR=%08x %c%c%c%c %c %s32\n", read_cpsr(s_), s_.n ? 'N' : '-', s_.z ? 'Z' : '-',
                s_.c ? 'C' : '-', s_.v ? 'V' : '-', s_.thumb ? 'T' : 'A', mode_name(s_.cpsr_low));
  text += line;
  if (!has_vfp()) return text;
  for (unsigned i = 0; i < 16; ++i) {
    std::snprintf(line, sizeof line, "s%02u=%08x s%02u=%08x d%02u=%016llx\n", 2 * i, s_.vfp.s[2 * i], 2 * i + 1,
                  s_.vfp.s[2 * i + 1], i, static_cast<unsigned long long>(load_le<u64>(&s_.vfp.s[2 * i])));
    text += line;
  }
  std::snprintf(line, sizeof line, "FPSCR: %08x\n", read_fpscr(s_));
  return text + line;
}

std::string ArmDebug::disassemble(u64 address, unsigned& length) {
  length = s_.thumb ? 2 : 4;
  u8 bytes[4] = {};
  const bool whole = read_memory(address, bytes);
  if (!whole && !read_memory(address, std::span(bytes).first(length))) return "(not mapped)";
  const u32 word = load_le<u32>(bytes);
  if (disassembler) return disassembler(u32(address), word, s_.thumb, length);
  char text[32];
  std::snprintf(text, sizeof text, s_.thumb ? ".short 0x%04x" : ".word 0x%08x", s_.thumb ? word & 0xffff : word);
  return text;
}
}  // namespace arm
