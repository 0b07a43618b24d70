#include "cpus/arm/helpers.hpp"

#include "cpus/arm/cp15.hpp"
#include "cpus/arm/mmu.hpp"
#include "cpus/arm/semihosting.hpp"
#include "cpus/arm/state.hpp"
#include "cpus/arm/vfp.hpp"

namespace arm {
namespace {
using accel::outcome_leave;

u32 length(const CpuState& s) { return s.thumb ? 2 : 4; }

u64 undefined(CpuState* s, u32, u32, u32) noexcept {
  take_exception(*s, Exception::undefined, s->pc + length(*s));
  return outcome_leave;
}

// The instruction is done; the run loop looks at what it changed before the next one.
u64 done(CpuState& s) {
  s.pc += length(s);
  return outcome_leave;
}

// Carry out of a shift by a register (DDI 0100I §A5.1.6 and following): amounts of 0 keep C, those above 32 lose
// every bit (lsl, lsr) or leave the sign (asr); ror takes the amount modulo 32.
u64 shift_carry(u32 value, u32 how, u32 carry) noexcept {
  const u32 amount = how & 0xff;
  if (!amount) return carry;
  switch (how >> 8) {
    case 0: return amount <= 32 && value >> (32 - amount) & 1;
    case 1: return amount <= 32 && value >> (amount - 1) & 1;
    case 2: return value >> (amount < 32 ? amount - 1 : 31) & 1;
    default: return value >> ((amount - 1) & 31) & 1;
  }
}

u64 swi(CpuState* s, u32 comment, u32, u32) noexcept {
  const u32 semihosting_comment = s->thumb ? 0xab : 0x12'3456;
  if (s->semihosting > s->privilege && comment == semihosting_comment && semihosting_call(*s)) return done(*s);
  take_exception(*s, Exception::swi, s->pc + length(*s));
  return outcome_leave;
}

// Without a debugger BKPT is a prefetch abort with the debug event status (DDI 0198E table 3-9).
u64 bkpt(CpuState* s, u32, u32, u32) noexcept {
  s->cp15.ifsr = fault_debug;
  take_exception(*s, Exception::prefetch_abort, s->pc + 4);
  return outcome_leave;
}

u64 return_from_exception(CpuState* s, u32 new_pc, u32, u32) noexcept {
  exception_return(*s, new_pc);
  return outcome_leave;
}

// MSR to the control field.  Masking interrupts is frequent, so the block goes on unless something now asks for the
// run loop or the next instruction must be translated for another privilege.
u64 write_status(CpuState* s, u32 value, u32 mask, u32) noexcept {
  const u32 privilege = s->privilege;
  write_cpsr(*s, (read_cpsr(*s) & ~mask) | (value & mask));
  if (s->privilege == privilege && !s->exit_request.load(std::memory_order_relaxed)) return 0;
  return done(*s);
}

u32& user_register(CpuState& s, u32 n) {
  if (n < 13) return bank_of(s.cpsr_low) == CpuState::bank_fiq ? s.usr_r8_12[n - 8] : s.r[n];
  if (bank_of(s.cpsr_low) == CpuState::bank_usr) return s.r[n];
  return n == 13 ? s.bank_r13[CpuState::bank_usr] : s.bank_r14[CpuState::bank_usr];
}
u64 read_user(CpuState* s, u32 n, u32, u32) noexcept { return user_register(*s, n); }
u64 write_user(CpuState* s, u32 n, u32 value, u32) noexcept {
  user_register(*s, n) = value;
  return 0;
}

// Fields of coprocessor_register().
struct Selected {
  u32 opc1, crn, crm, opc2;
  explicit Selected(u32 r) : opc1(r >> 12), crn(r >> 8 & 15), crm(r >> 4 & 15), opc2(r & 15) {}
};

template <auto read>
u64 coprocessor_read(CpuState* s, u32 which, u32, u32) noexcept {
  const Selected r(which);
  u32 value = 0;
  return read(*s, r.opc1, r.crn, r.crm, r.opc2, value) ? value : undefined(s, 0, 0, 0);
}

u64 write_cp15(CpuState* s, u32 which, u32 value, u32) noexcept {
  const Selected r(which);
  if (!cp15_write(*s, r.opc1, r.crn, r.crm, r.opc2, value)) return undefined(s, 0, 0, 0);
  return cp15_write_ends_block(r.crn, r.crm, r.opc2) || s->halted ? done(*s) : 0;
}

u64 write_cp14(CpuState* s, u32 which, u32 value, u32) noexcept {
  const Selected r(which);
  return cp14_write(*s, r.opc1, r.crn, r.crm, r.opc2, value) ? 0 : undefined(s, 0, 0, 0);
}

u64 vfp_data(CpuState* s, u32 word, u32, u32) noexcept {
  vfp_data_processing(*s, word);
  return 0;
}

u64 vfp_read(CpuState* s, u32 which, u32, u32) noexcept {
  bool ok = false;
  const u32 value = vfp_read_system(*s, which, ok);
  return ok ? value : undefined(s, 0, 0, 0);
}

// Blocks check FPEXC.EN once; after a write of FPEXC they must do so again.
u64 vfp_write(CpuState* s, u32 which, u32 value, u32) noexcept {
  if (!vfp_write_system(*s, which, value)) return undefined(s, 0, 0, 0);
  return which == vfp_fpexc ? done(*s) : 0;
}

using State = u64 (*)(CpuState*, u32, u32, u32) noexcept;
using Pure = u64 (*)(u32, u32, u32) noexcept;
tcg::Helper entry(const char* name, State f, bool may_leave) {
  return {name, reinterpret_cast<const void*>(f), true, may_leave};
}
tcg::Helper entry(const char* name, Pure f) { return {name, reinterpret_cast<const void*>(f), false, false}; }
}  // namespace

std::span<const tcg::Helper> helpers() {
  static const tcg::Helper table[] = {
      entry("shift_carry", shift_carry),
      entry("undefined", undefined, true),
      entry("swi", swi, true),
      entry("bkpt", bkpt, true),
      entry("exception_return", return_from_exception, true),
      entry("write_cpsr", write_status, true),
      entry("read_user", read_user, false),
      entry("write_user", write_user, false),
      entry("cp15_read", coprocessor_read<cp15_read>, true),
      entry("cp15_write", write_cp15, true),
      entry("cp14_read", coprocessor_read<cp14_read>, true),
      entry("cp14_write", write_cp14, true),
      entry("vfp_data", vfp_data, false),
      entry("vfp_read", vfp_read, true),
      entry("vfp_write", vfp_write, true),
  };
  static_assert(std::size(table) == helper_count);
  return table;
}
}  // namespace arm
