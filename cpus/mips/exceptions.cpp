// Exception entry and return, interrupts, reset.  MD00090 chapter 5 (of release 2.50: interrupts and exceptions).

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/fpu.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/watch.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"

#include <bit>

namespace mips {
namespace {
constexpr u32 reset_vector = 0xbfc0'0000, boot_vectors = 0xbfc0'0200;
constexpr u32 at_refill = 0, at_general = 0x180, at_interrupt = 0x200;

u32 vector_base(const CpuState& s) { return s.cp0.status & status_bev ? boot_vectors : s.cp0.ebase & ~0xfffu; }

void enter(CpuState& s, ExcCode code, u32 ce, u32 offset) {
  if (log_on(Log::interrupts)) [[unlikely]]
    log_printf(Log::interrupts, "cpu: exception %u at 0x%08x, slot %u, status 0x%08x, cause 0x%08x, badvaddr 0x%08x\n", u32(code),
               s.pc, s.slot, s.cp0.status, read_cause(s), s.cp0.bad_vaddr);
  u32 cause = (s.cp0.cause & ~(cause_code | cause_ce)) | u32(code) << 2 | ce << 28;
  if (!(s.cp0.status & status_exl)) {
    s.cp0.epc = (s.pc - (s.slot & ~1u)) | s.isa16;
    cause = s.slot ? cause | cause_bd : cause & ~cause_bd;
  }
  s.cp0.cause = cause;
  s.cp0.status |= status_exl;
  s.pc = vector_base(s) + offset;
  s.slot = s.isa16 = s.halted = 0;
  // What settle_status() comes to with EXL set.
  s.privilege = 0;
  if (s.exit_request.load(std::memory_order_relaxed) & request_interrupt) update_interrupt_request(s);
}

// What translations and code go by more than the privilege: kuseg while Status.ERL is set, ksseg in supervisor mode, the
// byte order of user mode.
u32 regime_of(const CpuState& s) {
  const u32 supervisor = kernel_mode(s) ? s.regime & status_ksu : s.cp0.status & status_ksu;
  return supervisor | (s.cp0.status & (status_erl | status_re));
}
}  // namespace

void settle_status(CpuState& s) {
  s.privilege = !kernel_mode(s);
  s.fpu_mode = s.model->has_fpu() && (s.cp0.status & status_cu1) ? 1u | (s.cp0.status & status_fr ? 2u : 0u) : 0;
  s.dsp_mode = s.model->dsp && (s.cp0.status & status_mx) ? 1 : 0;
  if (const u32 regime = regime_of(s); regime != s.regime) {
    s.regime = regime;
    accel::flush_tlb(s);
  }
  update_interrupt_request(s);
}

u32 unmasked_interrupts(const CpuState& s) { return s.cp0.cause & s.cp0.status & status_im; }

void update_interrupt_request(CpuState& s) {
  const u32 timer = (s.cp0.cause & cause_ti) / cause_ti << 15;
  s.cp0.cause = (s.cp0.cause & ~(cause_ip & ~cause_ip_soft)) | (s.lines & 0x3f) << 10 | timer;
  const bool enabled = (s.cp0.status & (status_ie | status_exl | status_erl)) == status_ie;
  const bool pending = (enabled && unmasked_interrupts(s)) || deferred_watch(s);
  // Only this thread changes this bit, so an atomic operation is needed only when it must change.
  const bool raised = (s.exit_request.load(std::memory_order_relaxed) & request_interrupt) != 0;
  if (pending == raised) return;
  if (pending) s.exit_request.fetch_or(request_interrupt, std::memory_order_release);
  else s.exit_request.fetch_and(~u32(request_interrupt), std::memory_order_release);
}

void take_exception(CpuState& s, ExcCode code, u32 ce) { enter(s, code, ce, at_general); }
void take_tlb_refill(CpuState& s, ExcCode code) { enter(s, code, 0, s.cp0.status & status_exl ? at_general : at_refill); }

// With vectors spaced by IntCtl.VS the highest line has its own; the software interrupts are lines 0 and 1.
bool deliver_interrupt(CpuState& s) noexcept {
  const bool enabled = (s.cp0.status & (status_ie | status_exl | status_erl)) == status_ie;
  const u32 pending = enabled ? unmasked_interrupts(s) >> 8 : 0;
  if (!pending) {
    if (!deferred_watch(s)) return false;
    take_exception(s, ExcCode::WATCH);  // of lower priority
    return true;
  }
  u32 offset = at_general;
  if (s.cp0.cause & cause_iv) {
    offset = at_interrupt;
    if (!(s.cp0.status & status_bev)) offset += (s.cp0.int_ctl & int_ctl_vs) * u32(std::bit_width(pending) - 1);
  }
  enter(s, ExcCode::Int, 0, offset);
  return true;
}

void exception_return(CpuState& s) noexcept {
  u32 to = s.cp0.epc;
  if (s.cp0.status & status_erl) {
    to = s.cp0.error_epc;
    s.cp0.status &= ~status_erl;
  } else {
    s.cp0.status &= ~status_exl;
  }
  s.llbit = 0;
  s.pc = to & ~1u;
  s.isa16 = to & 1;
  s.slot = 0;
  settle_status(s);
}

void debug_return(CpuState& s) noexcept {
  s.cp0.debug &= ~debug_dm;
  update_interrupt_request(s);
  s.pc = s.cp0.depc & ~1u;
  s.isa16 = s.cp0.depc & 1;
  s.slot = 0;
}

void reset(CpuState& s) noexcept {
  for (u32& r : s.r) r = 0;
  for (unsigned n = 0; n < 4; ++n) s.lo[n] = s.hi[n] = 0;
  for (u32& f : s.f) f = 0;
  fp_write_fcsr(s, 0);
  s.dsp_control = 0;
  s.llbit = s.ll_address = s.branch_target = s.branch_taken = 0;
  for (TlbEntry& e : s.tlb) e = {};
  s.shadowed = false;
  s.watches = 0;
  reset_cp0(s);
  s.pc = reset_vector;
  s.slot = s.isa16 = s.halted = 0;
  settle_status(s);
  accel::flush_tlb(s);
  if (log_on(Log::cpu_reset)) [[unlikely]] log_printf(Log::cpu_reset, "cpu: reset, pc 0x%08x\n", s.pc);
}
}  // namespace mips
