#include "cpus/mips/helpers.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/dsp.hpp"
#include "cpus/mips/fpu.hpp"
#include "cpus/mips/mmu.hpp"
#include "cpus/mips/semihosting.hpp"
#include "cpus/mips/state.hpp"
#include "cpus/mips/watch.hpp"

#include "accel/tcg/front_end.hpp"

namespace mips {
namespace {
using accel::outcome_leave;

u64 raise(CpuState& s, ExcCode code, u32 ce = 0) {
  take_exception(s, code, ce);
  return outcome_leave;
}

// The instruction is done; the run loop looks at what it changed before the next one.  In a delay slot the branch has
// run: helpers that come here are kept apart from it (helper_system).
u64 finish(CpuState& s) {
  if (s.slot) {
    s.pc = s.branch_target & ~1u;
    s.isa16 = s.branch_target & 1;
    s.slot = 0;
  } else {
    s.pc += s.isa16 ? 2 : 4;
  }
  return outcome_leave;
}

// What blocks were translated for.
struct Depends {
  u32 privilege, fpu_mode, dsp_mode, watch_changes;
  explicit Depends(const CpuState& s)
      : privilege(s.privilege), fpu_mode(s.fpu_mode), dsp_mode(s.dsp_mode), watch_changes(s.watch_changes) {}
  friend bool operator==(const Depends&, const Depends&) = default;
};
u64 go_on(CpuState& s, const Depends& before) {
  if (before == Depends(s) && !s.exit_request.load(std::memory_order_relaxed)) return 0;
  return finish(s);
}

u64 exception(CpuState* s, u32 code, u32 ce, u32) noexcept { return raise(*s, ExcCode(code), ce); }

u64 check_cp0(CpuState* s, u32, u32, u32) noexcept {
  if (kernel_mode(*s) || (s->cp0.status & status_cu0)) return 0;
  return raise(*s, ExcCode::CpU, 0);
}

u64 rdhwr(CpuState* s, u32 number, u32, u32) noexcept {
  u32 v = 0;
  return read_hardware_register(*s, number, v) ? v : raise(*s, ExcCode::RI);
}

u64 mfc0(CpuState* s, u32 which, u32, u32) noexcept { return cp0_read(*s, which); }

u64 mtc0(CpuState* s, u32 which, u32 v, u32) noexcept {
  const Depends before(*s);
  cp0_write(*s, which, v);
  return go_on(*s, before);
}

// The old Status goes to register d here, since the block may be left.
template <bool on>
u64 interrupts(CpuState* s, u32 d, u32, u32) noexcept {
  const Depends before(*s);
  if (d) s->r[d] = s->cp0.status;
  s->cp0.status = on ? s->cp0.status | status_ie : s->cp0.status & ~status_ie;
  update_interrupt_request(*s);
  return go_on(*s, before);
}

u64 watch_store(CpuState* s, u32 va, u32, u32) noexcept {
  return s->watches && watch(*s, va, Reference::store) ? outcome_leave : 0;
}

u64 tlbp(CpuState* s, u32, u32, u32) noexcept {
  tlb_probe(*s);
  return 0;
}
u64 tlbr(CpuState* s, u32, u32, u32) noexcept {
  const Depends before(*s);
  tlb_read(*s);
  return go_on(*s, before);
}
// The mapping of this block may be another now, unless it runs in kseg0 or kseg1.
u64 mapped_anew(CpuState& s) { return s.pc - 0x8000'0000 < 0x4000'0000 ? 0 : finish(s); }
u64 tlbwi(CpuState* s, u32, u32, u32) noexcept {
  tlb_write(*s, s->cp0.index, false);
  return mapped_anew(*s);
}
u64 tlbwr(CpuState* s, u32, u32, u32) noexcept {
  tlb_write(*s, random_index(*s), true);
  return mapped_anew(*s);
}

u64 eret(CpuState* s, u32, u32, u32) noexcept {
  exception_return(*s);
  return outcome_leave;
}
// Reserved outside Debug mode.
u64 deret(CpuState* s, u32, u32, u32) noexcept {
  if (!(s->cp0.debug & debug_dm)) return raise(*s, ExcCode::RI);
  debug_return(*s);
  return outcome_leave;
}

// Any interrupt that Status.IM lets through ends it, also while interrupts are disabled.
u64 wait(CpuState* s, u32, u32, u32) noexcept {
  s->halted = !unmasked_interrupts(*s);
  return finish(*s);
}

// Without a debug probe it is a breakpoint, but for calls of the host.
u64 debug_break(CpuState* s, u32 code, u32, u32) noexcept {
  if (code == uhi_code && s->semihosting > s->privilege && semihosting_call(*s)) return finish(*s);
  return raise(*s, ExcCode::Bp);
}

u64 fpu_mode(CpuState* s, u32, u32, u32) noexcept {
  if (!s->fpu_mode) return raise(*s, ExcCode::CpU, 1);
  restart_instruction(*s);
  return outcome_leave;
}

using State = u64 (*)(CpuState*, u32, u32, u32) noexcept;
tcg::Helper entry(const char* name, State f, bool may_leave) { return {name, reinterpret_cast<const void*>(f), true, may_leave}; }
}  // namespace

std::span<const tcg::Helper> helpers() {
  static const tcg::Helper table[] = {
      entry("exception", exception, true),
      entry("check_cp0", check_cp0, true),
      entry("rdhwr", rdhwr, true),
      entry("mfc0", mfc0, false),
      entry("tlbp", tlbp, false),
      entry("watch_store", watch_store, true),
      entry("fp", fp_operate, true),
      entry("fp_control_read", fp_read_control, false),
      entry("fp_control_write", fp_write_control, true),
      entry("fpu_mode", fpu_mode, true),
      entry("dsp", dsp_operate, false),
      {"dsp_compute", reinterpret_cast<const void*>(dsp_compute), false, false},
      entry("mtc0", mtc0, true),
      entry("di", interrupts<false>, true),
      entry("ei", interrupts<true>, true),
      entry("tlbr", tlbr, true),
      entry("tlbwi", tlbwi, true),
      entry("tlbwr", tlbwr, true),
      entry("eret", eret, true),
      entry("deret", deret, true),
      entry("wait", wait, true),
      entry("debug_break", debug_break, true),
  };
  static_assert(std::size(table) == helper_count);
  return table;
}
}  // namespace mips
