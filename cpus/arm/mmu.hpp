#pragma once
// Address translation of ARM v5: short descriptors, domains, sub-pages, FCSE (DDI 0100I part B, chapters B4 and B8;
// DDI 0198E chapter 3), and the aborts it raises.  Thread: vCPU.

#include "cpus/arm/state.hpp"

namespace arm {

enum class Access { read, write, execute };

// Fault status, FSR[3:0] (DDI 0100I table B4-1; DDI 0198E table 3-9).
enum Fault : u32 {
  fault_alignment = 0b0001,
  fault_debug = 0b0010,                // BKPT, in the IFSR
  fault_external_walk_l1 = 0b1100,
  fault_external_walk_l2 = 0b1110,
  fault_translation_section = 0b0101,
  fault_translation_page = 0b0111,
  fault_domain_section = 0b1001,
  fault_domain_page = 0b1011,
  fault_permission_section = 0b1101,
  fault_permission_page = 0b1111,
};

struct Walk {
  bool ok;
  u32 phys;
  u32 fsr;           // domain << 4 | status when not ok
  bool uniform;      // the same frame and permission hold for all of the 4 KiB page around va
  bool cached;       // the descriptor's C bit
  bool single_page;  // the mapping is exactly this 4 KiB page
  u32 section = 0;   // the first-level descriptor when that is all of the mapping
  u32 manager = 0;   // the domain's bit when a client could not do that, or not in all of the page
};
enum Domain : u32 { domain_none, domain_client, domain_reserved, domain_manager };

// Translates without side effects.  `user`: with the permissions of user mode.
Walk walk(const CpuState& s, u32 va, Access access, bool user) noexcept;

struct Resolved {
  GuestPhys phys;
  u8* host;   // null: not plain memory for this access, go to the device bus
  u8 rotate;  // bits to rotate a loaded word right
  bool fault; // the data abort was taken; s.pc is the vector
};
// Translates a load or store of 1, 2 or 4 bytes for the instruction at s.pc, forces alignment or faults, and opens
// the page to translated code when it can.  `plain`: LDM, STM, LDRD, STRD, VFP words, which ignore the low address
// bits without rotating.
Resolved resolve_data(CpuState& s, u32 va, unsigned size, bool store, bool user, bool plain = false) noexcept;

struct Fetch {
  GuestPhys phys;
  bool uniform; // see Walk
  bool fault;  // the prefetch abort was taken; s.pc is the vector
};
Fetch resolve_fetch(CpuState& s, u32 va) noexcept;

// The translation for debuggers and semihosting: no abort, no mapping.  False when the access would fault.
bool probe(const CpuState& s, u32 va, Access access, bool user, u32& phys) noexcept;

// The modified virtual address (DDI 0100I §B8.1): the first 32 MiB belong to the process of the FCSE PID.
inline u32 modified_address(const CpuState& s, u32 va) { return va >> 25 ? va : va | s.cp15.fcse; }
}  // namespace arm
