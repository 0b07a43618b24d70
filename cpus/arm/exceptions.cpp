// CPSR, register banks, and exception entry and return.  DDI 0100I §A2.2 to §A2.6.

#include "cpus/arm/models.hpp"
#include "cpus/arm/state.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"


namespace arm {
namespace {
constexpr u32 line_irq = 1, line_fiq = 2;  // CpuState::irq_lines

bool is_mode(u32 m) {
  switch (m) {
    case usr: case fiq: case irq: case svc: case abt: case und: case sys: return true;
    default: return false;
  }
}

// The current bank goes to its place, that of `mode` comes out.  User and system mode share a bank; the SPSR they do
// not have is kept like the others, so that touching it is harmless.
void switch_banks(CpuState& s, u32 old_mode, u32 mode) {
  const auto from = bank_of(old_mode), to = bank_of(mode);
  if (from == to) return;
  s.bank_r13[from] = s.r[13];
  s.bank_r14[from] = s.r[14];
  s.bank_spsr[from] = s.spsr;
  s.r[13] = s.bank_r13[to];
  s.r[14] = s.bank_r14[to];
  s.spsr = s.bank_spsr[to];
  if (from != CpuState::bank_fiq && to != CpuState::bank_fiq) return;
  u32* const save = from == CpuState::bank_fiq ? s.fiq_r8_12 : s.usr_r8_12;
  const u32* const load = to == CpuState::bank_fiq ? s.fiq_r8_12 : s.usr_r8_12;
  for (unsigned i = 0; i < 5; ++i) {
    save[i] = s.r[8 + i];
    s.r[8 + i] = load[i];
  }
}

void set_mode_and_masks(CpuState& s, u32 low) {
  switch_banks(s, s.cpsr_low, low);
  s.cpsr_low = low;
  s.privilege = (low & cpsr_mode) == usr;
  update_interrupt_request(s);
}

// Entry of each exception in the order of enum Exception (§A2.6, table A2-4).
struct Entry {
  const char* name;
  u32 vector, mode, masks;
};
constexpr Entry entries[] = {
    {"reset", 0x00, svc, cpsr_i | cpsr_f},
    {"undefined instruction", 0x04, und, cpsr_i},
    {"swi", 0x08, svc, cpsr_i},
    {"prefetch abort", 0x0c, abt, cpsr_i},
    {"data abort", 0x10, abt, cpsr_i},
    {"irq", 0x18, irq, cpsr_i},
    {"fiq", 0x1c, fiq, cpsr_i | cpsr_f},
};
}  // namespace

u32 read_cpsr(const CpuState& s) {
  return u32(s.n) << 31 | u32(s.z) << 30 | u32(s.c) << 29 | u32(s.v) << 28 | s.q << 27 | s.thumb << 5 | s.cpsr_low;
}

void write_cpsr(CpuState& s, u32 value) {
  s.n = value >> 31;
  s.z = value >> 30 & 1;
  s.c = value >> 29 & 1;
  s.v = value >> 28 & 1;
  s.q = value >> 27 & 1;
  s.thumb = (value & cpsr_t) != 0;
  // Bit 8 is reserved and keeps what is written (ARM v6 has the imprecise abort mask there).
  u32 low = value & (cpsr_j | 1u << 8 | cpsr_i | cpsr_f | cpsr_mode);
  if (!is_mode(low & cpsr_mode)) {
    // UNPREDICTABLE (§A2.5.6): the mode stays.
    log_guest("cpu", "CPSR written with a mode that does not exist:", value);
    low = (low & ~cpsr_mode) | (s.cpsr_low & cpsr_mode);
  }
  set_mode_and_masks(s, low);
}

void update_interrupt_request(CpuState& s) {
  const bool pending = ((s.irq_lines & line_irq) && !(s.cpsr_low & cpsr_i)) ||
                       ((s.irq_lines & line_fiq) && !(s.cpsr_low & cpsr_f));
  // Only this thread changes this bit, so an atomic operation is needed only when it must change.
  const bool raised = (s.exit_request.load(std::memory_order_relaxed) & request_interrupt) != 0;
  if (pending == raised) return;
  if (pending) s.exit_request.fetch_or(request_interrupt, std::memory_order_release);
  else s.exit_request.fetch_and(~u32(request_interrupt), std::memory_order_release);
}

void take_exception(CpuState& s, Exception e, u32 return_address) {
  const Entry& to = entries[u32(e) % std::size(entries)];
  const u32 cpsr = read_cpsr(s);
  if (log_on(Log::interrupts)) [[unlikely]]
    log_printf(Log::interrupts, "cpu: %s at 0x%08x, cpsr 0x%08x, lr 0x%08x\n", to.name, s.pc, cpsr, return_address);
  s.thumb = 0;
  s.halted = 0;
  set_mode_and_masks(s, (s.cpsr_low & ~(cpsr_mode | cpsr_j)) | to.masks | to.mode);
  s.r[14] = return_address;
  s.spsr = cpsr;
  s.pc = (s.cp15.control & ctl_v ? 0xffff'0000 : 0) + to.vector;
}

bool deliver_interrupt(CpuState& s) noexcept {
  if ((s.irq_lines & line_fiq) && !(s.cpsr_low & cpsr_f)) take_exception(s, Exception::fiq, s.pc + 4);
  else if ((s.irq_lines & line_irq) && !(s.cpsr_low & cpsr_i)) take_exception(s, Exception::irq, s.pc + 4);
  else return false;
  return true;
}

void exception_return(CpuState& s, u32 new_pc) noexcept {
  const u32 mode = s.cpsr_low & cpsr_mode;
  if (mode == usr || mode == sys) log_guest("cpu", "return from exception in a mode without SPSR at", s.pc);
  else write_cpsr(s, s.spsr);
  s.pc = new_pc & (s.thumb ? ~1u : ~3u);
}

void reset(CpuState& s) noexcept {
  for (u32& r : s.r) r = 0;
  s.thumb = s.q = s.spsr = s.halted = 0;
  s.n = s.c = s.v = 0;
  s.z = 1;  // as the reference emulator shows it; the architecture leaves the flags open
  for (unsigned b = 0; b < CpuState::bank_count; ++b) s.bank_r13[b] = s.bank_r14[b] = s.bank_spsr[b] = 0;
  for (unsigned i = 0; i < 5; ++i) s.fiq_r8_12[i] = s.usr_r8_12[i] = 0;
  s.cp15 = {};
  s.vfp = {};
  s.fp_fast = 0;
  s.cp15.control = s.model ? s.model->reset_control : 0;
  s.cpsr_low = svc | cpsr_i | cpsr_f;
  s.privilege = 0;
  s.pc = s.cp15.control & ctl_v ? 0xffff'0000 : 0;
  update_interrupt_request(s);
  accel::flush_tlb(s);
  if (log_on(Log::cpu_reset)) [[unlikely]] log_printf(Log::cpu_reset, "cpu: reset, pc 0x%08x\n", s.pc);
}
}  // namespace arm
