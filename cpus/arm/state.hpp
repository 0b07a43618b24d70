#pragma once
// The state of an Arm v5 CPU as translated code, helpers, MMU and debugger share it.
// DDI 0100I part A, DDI 0198E (ARM926EJ-S).

#include "accel/vcpu.hpp"

namespace arm {
using namespace core;

// CPSR.M (DDI 0100I §A2.2)
enum Mode : u32 { usr = 0x10, fiq = 0x11, irq = 0x12, svc = 0x13, abt = 0x17, und = 0x1b, sys = 0x1f };

inline constexpr u32 cpsr_n = 1u << 31, cpsr_z = 1u << 30, cpsr_c = 1u << 29, cpsr_v = 1u << 28, cpsr_q = 1u << 27,
                     cpsr_j = 1u << 24, cpsr_i = 1u << 7, cpsr_f = 1u << 6, cpsr_t = 1u << 5, cpsr_mode = 0x1f;

// CP15 c1 (DDI 0198E table 2-10)
inline constexpr u32 ctl_m = 1u << 0, ctl_a = 1u << 1, ctl_c = 1u << 2, ctl_s = 1u << 8, ctl_r = 1u << 9,
                     ctl_i = 1u << 12, ctl_v = 1u << 13;

struct Cp15 {
  u32 control = 0, ttbr = 0, dacr = 0, dfsr = 0, ifsr = 0, far = 0;
  u32 dcache_lockdown = 0, icache_lockdown = 0, tlb_lockdown = 0;
  u32 dtcm = 0, itcm = 0;
  u32 fcse = 0, context_id = 0, trace_proc_id = 0;
  u32 manager_opened = 0;  // not of the guest: domains, a bit each, of which pages are open that a client may not access so
};

// VFP9-S (DDI 0238).  Doubles share the storage of singles: D[n] = S[2n+1]:S[2n].
struct Vfp {
  alignas(8) u32 s[32] = {};
  u32 fpscr = 0;  // without N Z C V; see read_fpscr()
  u32 nzcv = 0;   // FPSCR[31:28] in their place: apart, so that a comparison writes the whole word
  u32 fpexc = 0;
  u32 fpsid = 0x41011090;
  u32 fpinst = 0, fpinst2 = 0;
};

struct CpuModel;

struct CpuState : accel::VcpuHeader {
  // Condition flags, one byte each, 0 or 1, so that translated code stores them with setcc.  Here, where a displacement of
  // one byte reaches.
  u8 n = 0, z = 0, c = 0, v = 0;
  u32 r[15] = {};   // R0–R14 of the current mode; the pc is VcpuHeader::pc
  u32 thumb = 0;    // CPSR.T, 0 or 1
  u32 q = 0;        // CPSR.Q, 0 or 1
  u32 cpsr_low = 0; // CPSR without N Z C V Q T: J, bit 8, I, F and the mode

  // Banked registers of the modes that are not current; index by bank_of(mode).
  enum Bank { bank_usr, bank_fiq, bank_irq, bank_svc, bank_abt, bank_und, bank_count };
  u32 bank_r13[bank_count] = {}, bank_r14[bank_count] = {}, bank_spsr[bank_count] = {};
  u32 fiq_r8_12[5] = {}, usr_r8_12[5] = {};
  u32 spsr = 0;     // SPSR of the current mode

  u32 irq_lines = 0;  // level of the pins: bit 0 nIRQ asserted, bit 1 nFIQ asserted

  Cp15 cp15;
  Vfp vfp;
  const CpuModel* model = nullptr;
  u8 fp_fast = 0;  // see vfp_settle()
  u32 semihosting = 0;  // SVC 0x123456 / 0xAB go to the host, 1: of privileged code, 2: of all
};
static_assert(sizeof(CpuState) <= accel::state_size);

inline CpuState::Bank bank_of(u32 mode) {
  switch (mode & cpsr_mode) {
    case fiq: return CpuState::bank_fiq;
    case irq: return CpuState::bank_irq;
    case svc: return CpuState::bank_svc;
    case abt: return CpuState::bank_abt;
    case und: return CpuState::bank_und;
    default: return CpuState::bank_usr;
  }
}
inline bool privileged(const CpuState& s) { return (s.cpsr_low & cpsr_mode) != usr; }

// The whole CPSR as MRS reads it, and the reverse; write_cpsr switches banks and updates `privilege`.
u32 read_cpsr(const CpuState& s);
void write_cpsr(CpuState& s, u32 value);

// Re-computes whether an unmasked interrupt line is up and sets or clears request_interrupt.
void update_interrupt_request(CpuState& s);

enum class Exception : u32 { reset, undefined, swi, prefetch_abort, data_abort, irq, fiq };
// Enters the exception: banks, SPSR, LR, CPSR, pc = vector.  `return_address` is what LR must hold.
void take_exception(CpuState& s, Exception e, u32 return_address);

// Takes FIQ or IRQ when one is pending and not masked (FIQ first); s.pc is the next instruction.  True when taken.
bool deliver_interrupt(CpuState& s) noexcept;

// Return from an exception: SPSR → CPSR, then pc = `new_pc` aligned for the state returned to.
void exception_return(CpuState& s, u32 new_pc) noexcept;

// Reset of the core and its coprocessors; s.machine and s.model must be set.  Pin levels are kept.
void reset(CpuState& s) noexcept;
}  // namespace arm
