#pragma once
// Address translation of MIPS32: segments and the TLB (MD00090 chapter 4), and the exceptions it raises.  Thread: vCPU.
//
// Pages of an entry that TLBWR replaces stay open to translated code, as if the TLB were larger: software cannot know
// which entry that was.  They are closed when software can find out (TLBR, TLBP) or changes the address space.

#include "cpus/mips/state.hpp"

namespace mips {

enum class Access { read, write, execute };
enum class Found : u8 { yes, address_error, no_entry, invalid, modified };

struct Walk {
  Found found;
  u64 phys;
};
// Translates without side effects.  `user`: with the rights of user mode (or supervisor mode, if that is the mode now).
Walk walk(const CpuState& s, u32 va, Access access, bool user) noexcept;

struct Resolved {
  GuestPhys phys;
  u8* host;    // null: not plain memory for this access, go to the device bus
  u8 rotate;   // 0, see accel/board_port.hpp
  bool fault;  // the exception was taken; s.pc is the vector
};
// Translates a load or store of 1, 2 or 4 bytes for the instruction at s.pc, and opens the page to translated code when
// it can.  `partial`: an access of LWL, LWR, SWL or SWR.
Resolved resolve_data(CpuState& s, u32 va, unsigned size, bool store, bool user, bool partial) noexcept;

struct Fetch {
  GuestPhys phys;
  bool fault;  // the exception was taken
};
Fetch resolve_fetch(CpuState& s, u32 pc) noexcept;

// The translation for debuggers: no exception, no mapping.  False when the access would fault.
bool probe(const CpuState& s, u32 va, Access access, bool user, u64& phys) noexcept;

// TLB instructions, and what a write of EntryHi means for mappings.
void tlb_read(CpuState& s) noexcept;
void tlb_write(CpuState& s, unsigned index, bool random) noexcept;
void tlb_probe(CpuState& s) noexcept;
void set_entry_hi(CpuState& s, u32 v) noexcept;
unsigned random_index(CpuState& s) noexcept;
}  // namespace mips
