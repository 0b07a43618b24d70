#pragma once
// The state of a MIPS32 CPU as translated code, helpers, MMU and debugger share it.
// MD00086/MD00090 (MIPS32 architecture, volumes II and III), MD00343 (24K software user's manual).

#include "accel/vcpu.hpp"

namespace mips {
using namespace core;

// Status (CP0 12, volume III §9.24)
inline constexpr u32 status_cu0 = 1u << 28, status_cu1 = 1u << 29, status_fr = 1u << 26, status_re = 1u << 25,
                     status_mx = 1u << 24, status_bev = 1u << 22, status_sr = 1u << 20, status_nmi = 1u << 19,
                     status_im = 0xffu << 8, status_ksu = 3u << 3, status_erl = 1u << 2, status_exl = 1u << 1,
                     status_ie = 1u << 0;
// Cause (CP0 13, §9.27)
inline constexpr u32 cause_bd = 1u << 31, cause_ti = 1u << 30, cause_ce = 3u << 28, cause_dc = 1u << 27,
                     cause_iv = 1u << 23, cause_wp = 1u << 22, cause_ip = 0xffu << 8, cause_ip_soft = 3u << 8,
                     cause_code = 31u << 2;
// Cause.ExcCode (table 9-29)
enum class ExcCode : u32 {
  Int, Mod, TLBL, TLBS, AdEL, AdES, IBE, DBE, Sys, Bp, RI, CpU, Ov, Tr, FPE = 15, WATCH = 23, MCheck = 24, DSPDis = 26
};

inline constexpr unsigned watch_pairs = 8;

struct Cp0 {
  u32 index, random_seed, entry_lo[2], context, page_mask, page_grain, wired, hwrena, bad_vaddr, entry_hi;
  u32 count_base;     // Count = count_base + ticks of half the CPU clock since count_since; frozen at it while Cause.DC is set
  u64 count_since;    // virtual ns
  u32 compare;
  u32 status, int_ctl, srs_ctl, srs_map, cause, epc, ebase;
  u32 config0;        // K0 is writable
  u32 ll_address;
  u32 watch_lo[watch_pairs], watch_hi[watch_pairs];
  u32 debug, depc, desave, err_ctl, cache_err, tag_lo[4], tag_hi[4], error_epc, user_local;
};

// One entry of the TLB: two pages side by side.  (§4.9)
struct TlbEntry {
  u32 vpn2 = 0;   // EntryHi's bits 31:13, those of the mask clear
  u32 mask = 0;   // PageMask: bits 28:13
  u32 asid = 0;
  u32 lo[2] = {}; // PFN, C, D, V as in EntryLo
  bool global = false;
  bool used = false;  // written since reset; others match nothing
};
inline constexpr unsigned most_tlb_entries = 64;

struct CpuModel;

// A MIPS16e instruction by itself, of two halfwords as in the tables.  length 0: none.
struct Aside {
  u32 word = 0, length = 0;
};

struct CpuState : accel::VcpuHeader {
  u32 r[32] = {};     // r[0] stays 0
  u32 lo[4] = {}, hi[4] = {};  // the accumulators; 1 to 3 are those of the DSP ASE
  u32 isa16 = 0;      // 1: MIPS16e code at pc
  Aside aside;        // the MIPS16e instruction at pc when its bytes are not as translated code would read them
  // Where a branch goes whose delay slot is being executed alone (VcpuHeader::slot), with the ISA mode in bit 0.
  u32 branch_target = 0;
  u32 branch_taken = 0;  // a condition that must outlive its delay slot
  u32 llbit = 0, ll_address = 0;  // LL and SC: virtual address
  // Floating-point registers: register n of 64 bits is f[2n] (low) and f[2n + 1].  With Status.FR = 0 the even ones are
  // in use, and single register 2n + 1 is the high half of register 2n, see single_slot().
  alignas(8) u32 f[64] = {};
  u32 fcsr = 0;        // without FCC; Cause as fp_read_fcsr() completes it from fp_last
  u32 fcc[8] = {};     // 0 or 1
  accel::FpLast fp_last;
  // 1 | FR << 1 when Status.CU1 is set, 0 when not: blocks with floating-point instructions make sure of it.
  u32 fpu_mode = 0;
  u8 fp_fast = 0;      // translated code may compute by itself, see fp_settle()
  // Condition flags of the intermediate code, which MIPS has no use for.
  u8 n = 0, z = 0, c = 0, v = 0;
  u32 dsp_control = 0;
  u32 dsp_mode = 0;    // 1 when there is a DSP and Status.MX is set: blocks with its instructions make sure of it

  Cp0 cp0{};
  TlbEntry tlb[most_tlb_entries];
  bool shadowed = false;      // pages of entries that TLBWR replaced may still be open (mmu.hpp)
  u32 watches = 0;            // what the watch registers can match in this address space (watch.hpp)
  u32 watch_changes = 0;      // how often that changed: code may be watched from then on
  u32 regime = 0;             // what else than the privilege mappings go by, see settle_status()
  u64 bus_error_from = never; // physical addresses from here on that are no memory raise a bus error
  u32 lines = 0;              // level of the pins: bit n is IP(n + 2), n = 0…5
  u32 timer = 0;              // this CPU's timer of the machine
  u64 clock_hz = 0;           // of the CPU; Count runs at half of it.  0: time stands still (tests)
  bool big_endian = false;
  u32 semihosting = 0;        // SDBBP 1 goes to the host (UHI), 1: of privileged code, 2: of all
  const CpuModel* model = nullptr;
};
static_assert(sizeof(CpuState) <= accel::state_size);

// Index in CpuState::f of single-precision register n, and of the low word of double-precision register n.  With FR = 0
// an odd single is the high half of the register before it, and an odd double does not exist (UNPREDICTABLE).
constexpr unsigned single_slot(unsigned n, bool fr) { return fr || n % 2 == 0 ? 2 * n : 2 * n - 1; }
constexpr unsigned double_slot(unsigned n, bool fr) { return 2 * (fr ? n : n & ~1u); }

inline bool kernel_mode(const CpuState& s) { return (s.cp0.status & (status_exl | status_erl)) || !(s.cp0.status & status_ksu); }

// Status.RE in user mode: bytes and halfwords are where the other byte order has them, words are the same.  (MD00086: the
// operations xor the address with ReverseEndian.)
inline bool reversed(const CpuState& s) {
  constexpr u32 supervisor = 1u << 3;
  return (s.cp0.status & status_re) && !kernel_mode(s) && (s.cp0.status & status_ksu) != supervisor;
}
constexpr u32 reverse_bits(unsigned size) { return size == 1 ? 3 : size == 2 ? 2 : 0; }

// After every change of Status, Cause or the pins: the privilege, what blocks depend on, Cause.IP by the pins and the timer,
// and whether an unmasked interrupt, or a watch exception that was put off, asks for the run loop.
void settle_status(CpuState& s);
void update_interrupt_request(CpuState& s);
// Interrupts now pending in Cause.IP, the pins' included, that Status.IM lets through.
u32 unmasked_interrupts(const CpuState& s);

// Enters the handler; s.pc is the instruction that caused it.  `ce`: the coprocessor of CpU.
void take_exception(CpuState& s, ExcCode code, u32 ce = 0);
// … with the offset of TLB refills when Status.EXL is clear.
void take_tlb_refill(CpuState& s, ExcCode code);
// Takes the interrupt when one is pending and not masked, or the watch exception that was put off; s.pc is the next
// instruction.  True when taken.
bool deliver_interrupt(CpuState& s) noexcept;
void exception_return(CpuState& s) noexcept;  // ERET
void debug_return(CpuState& s) noexcept;      // DERET

// Reset of the core; s.machine and s.model must be set.  Pin levels are kept.
void reset(CpuState& s) noexcept;
}  // namespace mips
