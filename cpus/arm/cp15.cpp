#include "cpus/arm/cp15.hpp"

#include "cpus/arm/mmu.hpp"
#include "cpus/arm/models.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"

#include <utility>

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

void flush(CpuState& s) {
  s.cp15.manager_opened = 0;
  accel::flush_tlb(s);
}

void write_control(CpuState& s, u32 value) {
  if (value & ctl_b) log_unimp("cp15", "big-endian operation asked for at", s.pc);
  const u32 now = (value & ctl_writable) | ctl_ones, changed = now ^ s.cp15.control;
  s.cp15.control = now;
  if (changed & ctl_translation) flush(s);
}

// True when nothing that is open in the domain depends on what it loses.
bool is_harmless(const CpuState& s, u32 domain, u32 before, u32 now) {
  if (before == now || now == domain_manager || before == domain_none || before == domain_reserved) return true;
  return before == domain_manager && now == domain_client && !(s.cp15.manager_opened >> domain & 1);
}

// Linux changes the kernel's domain between client and manager at every switch between threads that differ in it.
void write_domains(CpuState& s, u32 value) {
  const u32 before = std::exchange(s.cp15.dacr, value);
  for (u32 d = 0; d < 16; ++d)
    if (!is_harmless(s, d, before >> 2 * d & 3, value >> 2 * d & 3)) return flush(s);
}

void write_pid(CpuState& s, u32 value) {
  if (std::exchange(s.cp15.fcse, value) != value) flush(s);
}

// The TLB is unified and an entry goes as a whole, so instruction and data operations are the same.
bool write_c8(CpuState& s, u32 crm, u32 opc2, u32 value) {
  if (crm < 5 || crm > 7 || opc2 > 1) return false;
  // By MVA: with a PID the virtual address differs from it in the first 32 MiB.
  if (opc2 == 0 || s.cp15.fcse) accel::flush_tlb_but_sections(s, GuestPhys{s.cp15.ttbr});
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
  if (is_cache_operation(opc1, crn, crm, opc2)) return true;
  if (crn == 8) return write_c8(s, crm, opc2, value);
  Cp15& c = s.cp15;
  switch (reg(crn, crm, opc2)) {
    case reg(1, 0, 0): write_control(s, value); return true;
    // Entries outlive a change of the table base until software invalidates them (DDI 0100I §B4.9.2).
    case reg(2, 0, 0): c.ttbr = value & ttbr_writable; return true;
    case reg(3, 0, 0): write_domains(s, value); return true;
    case reg(5, 0, 0): c.dfsr = value & fsr_writable; return true;
    case reg(5, 0, 1): c.ifsr = value & fsr_writable; return true;
    case reg(6, 0, 0): c.far = value; return true;
    case reg(7, 0, 4): s.halted = s.irq_lines == 0; return true;  // wait for interrupt
    case reg(9, 0, 0): c.dcache_lockdown = value; return true;
    case reg(9, 0, 1): c.icache_lockdown = value; return true;
    // No TCM is fitted: the regions read back as zero (DDI 0198E §2.3.10).
    case reg(9, 1, 0):
    case reg(9, 1, 1): return true;
    case reg(10, 0, 0): c.tlb_lockdown = value; return true;
    case reg(13, 0, 0): write_pid(s, value & fcse_pid); return true;
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
