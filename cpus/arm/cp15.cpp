#include "cpus/arm/cp15.hpp"

#include "cpus/arm/models.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"

namespace arm {
namespace {
// Control register (DDI 0198E table 2-10): M A C S R I V RR L4 can be written, bits 18, 16 and 6:3 read as one.
// B (big endian) is not modelled and stays 0.
constexpr u32 ctl_b = 1u << 7, ctl_rr = 1u << 14, ctl_l4 = 1u << 15;
constexpr u32 ctl_writable = ctl_m | ctl_a | ctl_c | ctl_s | ctl_r | ctl_i | ctl_v | ctl_rr | ctl_l4;
constexpr u32 ctl_ones = 0x0005'0078;
constexpr u32 ctl_translation = ctl_m | ctl_a | ctl_s | ctl_r;  // what translated accesses were opened under

constexpr u32 fsr_writable = 0xff, ttbr_writable = 0xffff'c000, fcse_pid = 0xfe00'0000;
constexpr u32 clean_done = cpsr_z;  // test-and-clean: bit 30 becomes Z, "no dirty line left" (§2.3.8)

// CRn, CRm and opcode 2 as one case label.
constexpr u32 reg(u32 crn, u32 crm, u32 opc2) { return crn << 8 | crm << 4 | opc2; }

void write_control(CpuState& s, u32 value) {
  if (value & ctl_b) log_unimp("cp15", "big-endian operation asked for at", s.pc);
  const u32 now = (value & ctl_writable) | ctl_ones, changed = now ^ s.cp15.control;
  s.cp15.control = now;
  if (changed & ctl_translation) accel::flush_tlb(s);
}

void write_and_flush(CpuState& s, u32& target, u32 value) {
  if (target == value) return;
  target = value;
  accel::flush_tlb(s);
}

// Cache operations, c7.  There are no caches, and stores already drop the code translated from what they change, so
// that "invalidate I", where modified code must become visible, has nothing left to do.
bool write_c7(CpuState& s, u32 crm, u32 opc2) {
  const bool wait_for_interrupt = crm == 0 && opc2 == 4;
  if (wait_for_interrupt && s.irq_lines == 0) s.halted = 1;
  return true;
}

// The TLB is unified and an entry goes as a whole, so instruction and data operations are the same.
bool write_c8(CpuState& s, u32 crm, u32 opc2, u32 value) {
  if (crm < 5 || crm > 7 || opc2 > 1) return false;
  // By MVA: with a PID the virtual address differs from it in the first 32 MiB.
  if (opc2 == 0 || s.cp15.fcse) accel::flush_tlb(s);
  else accel::flush_tlb_page(s, value);
  return true;
}
}  // namespace

bool cp15_read(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32& value) noexcept {
  if (!privileged(s)) return false;
  value = 0;
  if (crn == 15) return true;              // test and debug registers read as zero
  if (crn == 0 && opc1 == 1) return true;  // cache IDs of later architectures: start-up code asks for them
  if (opc1 != 0) return false;
  const Cp15& c = s.cp15;
  switch (reg(crn, crm, opc2)) {
    case reg(0, 0, 1): value = s.model->cache_type; return true;
    case reg(0, 0, 2): return true;  // TCM status: none
    case reg(1, 0, 0): value = c.control; return true;
    case reg(2, 0, 0): value = c.ttbr; return true;
    case reg(3, 0, 0): value = c.dacr; return true;
    case reg(5, 0, 0): value = c.dfsr; return true;
    case reg(5, 0, 1): value = c.ifsr; return true;
    case reg(6, 0, 0): value = c.far; return true;
    case reg(7, 10, 3):
    case reg(7, 14, 3): value = clean_done; return true;
    case reg(9, 0, 0): value = c.dcache_lockdown; return true;
    case reg(9, 0, 1): value = c.icache_lockdown; return true;
    case reg(9, 1, 0): value = c.dtcm; return true;
    case reg(9, 1, 1): value = c.itcm; return true;
    case reg(10, 0, 0): value = c.tlb_lockdown; return true;
    case reg(13, 0, 0): value = c.fcse; return true;
    case reg(13, 0, 1): value = c.context_id; return true;
    case reg(13, 1, 1): value = c.trace_proc_id; return true;
    default:
      if (crn != 0 || crm != 0) return false;
      value = s.model->midr;  // opcodes nobody claims are the main ID (DDI 0198E §2.3.2)
      return true;
  }
}

bool cp15_write(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32 value) noexcept {
  if (!privileged(s)) return false;
  if (crn == 15) return true;  // test and debug registers ignore writes
  if (opc1 != 0) return false;
  if (crn == 7) return write_c7(s, crm, opc2);
  if (crn == 8) return write_c8(s, crm, opc2, value);
  Cp15& c = s.cp15;
  switch (reg(crn, crm, opc2)) {
    case reg(1, 0, 0): write_control(s, value); return true;
    // Entries outlive a change of the table base until software invalidates them (DDI 0100I §B4.9.2).
    case reg(2, 0, 0): c.ttbr = value & ttbr_writable; return true;
    case reg(3, 0, 0): write_and_flush(s, c.dacr, value); return true;
    case reg(5, 0, 0): c.dfsr = value & fsr_writable; return true;
    case reg(5, 0, 1): c.ifsr = value & fsr_writable; return true;
    case reg(6, 0, 0): c.far = value; return true;
    case reg(9, 0, 0): c.dcache_lockdown = value; return true;
    case reg(9, 0, 1): c.icache_lockdown = value; return true;
    // No TCM is fitted: the regions read back as zero (DDI 0198E §2.3.10).
    case reg(9, 1, 0):
    case reg(9, 1, 1): return true;
    case reg(10, 0, 0): c.tlb_lockdown = value; return true;
    case reg(13, 0, 0): write_and_flush(s, c.fcse, value & fcse_pid); return true;
    case reg(13, 0, 1): c.context_id = value; return true;
    case reg(13, 1, 1): c.trace_proc_id = value; return true;
    default: return false;
  }
}

// Opcode 1 = 7 is Jazelle, whose registers read as zero: disabled (DDI 0100I §A2.10.4).  Opcode 1 = 0 is the debug
// channel: its control register says nothing is received and there is room, what is sent goes nowhere.
bool cp14_read(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32& value) noexcept {
  value = 0;
  if (opc1 == 7) return crm == 0 && opc2 == 0 && crn <= 2;
  return opc1 == 0 && crm == 0 && opc2 == 0 && (crn == 0 || crn == 1 || crn == 5) && privileged(s);
}

bool cp14_write(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32) noexcept {
  if (opc1 == 7) return crm == 0 && opc2 == 0 && crn <= 2;
  return opc1 == 0 && crm == 0 && opc2 == 0 && (crn == 1 || crn == 5) && privileged(s);
}
}  // namespace arm
