#include "cpus/mips/debug.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/dsp.hpp"
#include "cpus/mips/fpu.hpp"
#include "cpus/mips/front_end.hpp"
#include "cpus/mips/mmu.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/print.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace mips {
namespace {
constexpr const char* cpu_feature = "org.gnu.gdb.mips.cpu";
constexpr const char* cp0_feature = "org.gnu.gdb.mips.cp0";
constexpr const char* fpu_feature = "org.gnu.gdb.mips.fpu";
constexpr const char* dsp_feature = "org.gnu.gdb.mips.dsp";

#define R(n) {"r" #n, 32, "int", cpu_feature, n}
#define F(n) {"f" #n, 32, "ieee_single", fpu_feature, n + 38}
constexpr RegisterDesc table[] = {
    R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10), R(11), R(12), R(13), R(14), R(15),
    R(16), R(17), R(18), R(19), R(20), R(21), R(22), R(23), R(24), R(25), R(26), R(27), R(28), R(29), R(30), R(31),
    {"status", 32, "int", cp0_feature, 32},
    {"lo", 32, "int", cpu_feature, 33},
    {"hi", 32, "int", cpu_feature, 34},
    {"badvaddr", 32, "int", cp0_feature, 35},
    {"cause", 32, "int", cp0_feature, 36},
    {"pc", 32, "code_ptr", cpu_feature, 37},
    F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14), F(15),
    F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28), F(29), F(30), F(31),
    {"fcsr", 32, "int", fpu_feature, 70},
    {"fir", 32, "int", fpu_feature, 71},
    {"hi1", 32, "int", dsp_feature, 72},
    {"lo1", 32, "int", dsp_feature, 73},
    {"hi2", 32, "int", dsp_feature, 74},
    {"lo2", 32, "int", dsp_feature, 75},
    {"hi3", 32, "int", dsp_feature, 76},
    {"lo3", 32, "int", dsp_feature, 77},
    {"dspctl", 32, "int", dsp_feature, 78},
};
#undef R
#undef F
enum Index : unsigned {
  status_index = 32, lo_index, hi_index, badvaddr_index, cause_index, pc_index, f0_index, fcsr_index = f0_index + 32, fir_index,
  hi1_index, dspctl_index = hi1_index + 6
};
static_assert(std::size(table) == dspctl_index + 1);

}  // namespace

// gdb 13 takes no description of a MIPS without floating-point registers: they are 0 where there is no such unit.
std::span<const RegisterDesc> MipsDebug::registers() const {
  return std::span(table).first(s_.model->dsp ? std::size(table) : unsigned(hi1_index));
}

// Where the plain ones are.
u32* MipsDebug::place(unsigned index) {
  if (index < status_index) return index ? &s_.r[index] : nullptr;
  if (index >= f0_index && index < fcsr_index)
    return s_.model->has_fpu() ? &s_.f[single_slot(index - f0_index, s_.cp0.status & status_fr)] : nullptr;
  if (index >= hi1_index && index < dspctl_index) {
    const unsigned n = index - hi1_index, ac = 1 + n / 2;
    return n % 2 ? &s_.lo[ac] : &s_.hi[ac];
  }
  switch (index) {
    case lo_index: return &s_.lo[0];
    case hi_index: return &s_.hi[0];
    case badvaddr_index: return &s_.cp0.bad_vaddr;
    default: return nullptr;
  }
}

void MipsDebug::read_register(unsigned index, std::span<u8> out) const {
  u32 v = 0;
  if (const u32* p = const_cast<MipsDebug*>(this)->place(index)) v = *p;
  else if (index == status_index) v = s_.cp0.status;
  else if (index == cause_index) v = read_cause(s_);
  else if (index == pc_index) v = s_.pc | s_.isa16;
  else if (index == fcsr_index) v = s_.model->has_fpu() ? fp_read_fcsr(s_) : 0;
  else if (index == fir_index) v = s_.model->fir;
  else if (index == dspctl_index) v = s_.dsp_control;
  std::memcpy(out.data(), &v, std::min(out.size(), sizeof v));
}

// A written pc is no delay slot, whatever was there.
void MipsDebug::write_register(unsigned index, std::span<const u8> in) {
  u32 v = 0;
  std::memcpy(&v, in.data(), std::min(in.size(), sizeof v));
  if (u32* p = place(index)) {
    *p = v;
  } else if (index == pc_index) {
    s_.pc = v & (s_.model->mips16 ? ~1u : ~3u);
    s_.isa16 = s_.model->mips16 ? v & 1 : 0;
    s_.slot = 0;
  } else if (index == status_index) {
    cp0_write(s_, 12 << 3, v);
  } else if (index == cause_index) {
    cp0_write(s_, 13 << 3, v);
  } else if (index == fcsr_index && s_.model->has_fpu()) {
    fp_write_fcsr(s_, v);
  } else if (index == dspctl_index) {
    s_.dsp_control = v & dsp_all_fields;
  }
}

bool MipsDebug::translate(u32 va, u64& phys) const { return probe(s_, va, Access::read, false, phys); }

std::string MipsDebug::dump() const { return dump_registers(s_); }

// The layout QEMU's `info registers` has for MIPS, which scripts read; the line of the DSP is ours.
std::string dump_registers(const CpuState& s) {
  std::string text;
  char line[128];
  const auto put = [&](auto... v) {
    std::snprintf(line, sizeof line, v...);
    text += line;
  };
  put("pc=0x%08x HI=0x%08x LO=0x%08x ds %04x %08x %d\n", s.pc, s.hi[0], s.lo[0], s.slot, s.branch_target, int(s.branch_taken));
  for (unsigned n = 0; n < 32; ++n) {
    if (n % 4 == 0) put("GPR%02u:", n);
    put(" %s %08x%s", n ? print::reg(n).c_str() : "r0", s.r[n], n % 4 == 3 ? "\n" : "");
  }
  put("CP0 Status  0x%08x Cause   0x%08x EPC    0x%08x\n", s.cp0.status, read_cause(s), s.cp0.epc);
  put("    Config0 0x%08x Config1 0x%08x LLAddr 0x%016x\n", s.cp0.config0, s.model->config[1], s.cp0.ll_address);
  put("    Config2 0x%08x Config3 0x%08x\n", s.model->config[2], s.model->config[3]);
  if (s.model->dsp) {
    for (unsigned ac = 1; ac < 4; ++ac) put("%sHI%u=0x%08x LO%u=0x%08x", ac == 1 ? "DSP " : " ", ac, s.hi[ac], ac, s.lo[ac]);
    put(" DSPControl=0x%08x\n", s.dsp_control);
  }
  if (!s.fpu_mode) return text;
  const bool fr = s.cp0.status & status_fr;
  put("CP1 FCR0 0x%08x  FCR31 0x%08x  SR.FR %d\n", s.model->fir, fp_read_fcsr(s), fr);
  for (unsigned n = 0; n < 32; n += fr ? 1 : 2) {
    const unsigned at = double_slot(n, fr);
    put("f%-2u: w:%08x d:%08x%08x\n", n, s.f[at], s.f[at + 1], s.f[at]);
  }
  return text;
}

std::string MipsDebug::disassemble(u64 address, unsigned& length) {
  length = s_.isa16 ? 2 : 4;
  u8 bytes[4] = {};
  const bool whole = read_memory(address, bytes);
  if (!whole && !read_memory(address, std::span(bytes).first(length))) return "(not mapped)";
  return disassembler ? disassembler(u32(address) | s_.isa16, bytes, length) : std::string("?");
}
}  // namespace mips
