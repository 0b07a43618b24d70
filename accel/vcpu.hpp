#pragma once
// What every guest CPU's state begins with, and the lookup tables translated code reaches from it.
//
// One mapping holds all of it, so that one base register addresses everything with constant offsets:
//   [VcpuHeader, guest registers …][guessed pages][counts of jumps back][probe tables][flat page tables]

#include "core/base.hpp"
#include "core/machine.hpp"

#include <atomic>
#include <cstddef>

namespace accel {
using namespace core;

// Guest virtual pc (with the ISA's mode bits in its low bits) → host code.  Empty: tag = probe_empty().
struct ProbeEntry {
  u32 tag;
  u32 unused;
  const void* code;
};
inline constexpr unsigned probe_bits = 14;
inline constexpr std::size_t probe_count = std::size_t(1) << probe_bits;

// Flat page tables of a 32-bit guest: entry[va >> 12] + va is the host address; 0: take the slow path.
// Index 2 * privilege + is_store, privilege 0 = privileged, 1 = user.
inline constexpr unsigned page_bits = 12;
inline constexpr std::size_t page_table_entries = std::size_t(1) << (32 - page_bits);
inline constexpr unsigned page_table_count = 4;
// From one table to the next, in entries: an address rotated right by page_bits has its lowest bits above the page number, of
// which those that must be 0 (three for eight bytes) stay in the index, so that a misaligned one reads one of the zeros there.
inline constexpr std::size_t page_table_stride = 8 * page_table_entries;

// Doubles without their sign, doubled: twice the least normal number's exponent, infinity, and what lies between.
inline constexpr u64 fp_limits[] = {u64(2) << 53, u64(0x7ff) << 53, u64(0x7fd) << 53};
// Bits of a double's exponent of which one is set unless the number is at most twice as large as the least normal one.
inline constexpr u64 fp_not_tiny = u64(0x7fe) << 52;

// To test a sum and, above it, the product it was made with, each by its 32 bits with the exponent: behind `and mask` and
// `add bias` a bit of `wrong` is set if the sum is not finite or the product at most twice the least normal number.
struct FpPair {
  u64 mask, bias;
};
inline constexpr FpPair fp_pairs[] = {
    {u64(0x7f00'0000) << 32 | 0x7f80'0000, (u64(0) - 0x0100'0000) << 32 | 0x0080'0000},  // singles
    {u64(0x7fe0'0000) << 32 | 0x7ff0'0000, (u64(0) - 0x0020'0000) << 32 | 0x0010'0000}};
inline constexpr u64 fp_pair_wrong = u64(1) << 63 | u64(1) << 31;

// What C++ code on the vCPU thread is doing, for the profile; translated code leaves it as it is.
enum class Activity : u8 { other, memory, device, translation };

// A page of devices that a guest address leads to, and who answers there, so that polling a register needs no walk and no
// decoder: a cache, emptied with the page tables.
struct alignas(32) DevicePage {
  static constexpr u32 empty = ~0u;
  u32 tag = empty;  // where the page begins
  union {  // by direction
    core::DeviceReader reader = {};
    core::DeviceWriter writer;
  };
};
inline constexpr unsigned device_pages = 16;  // for each privilege and direction, by the low bits of va >> 12

// Its alignment gives the lowest bits of translated code's env register their values: see env_at.
struct alignas(4096) VcpuHeader {
  DevicePage devices[4][device_pages];  // index as the page tables': 2 * privilege + is_store
  // From here to the family's registers: what translated code names most, all of it within 256 bytes.
  std::atomic<u32> exit_request{0};  // core::Request bits
  u32 pc = 0;          // valid at block boundaries and whenever a helper or slow path runs; without mode bits
  u32 privilege = 0;   // 0 privileged, 1 user: which tables apply
  // ISAs with delay slots: how many bytes before pc the branch is whose slot that instruction is in, | 1 when the branch
  // has run already; 0 when it is in none.  As valid as pc.
  u32 slot = 0;
  u32 halted = 0;      // waiting for an interrupt
  MachineBase* machine = nullptr;
  void* engine = nullptr;     // the executor translated code calls back
  void* blocks = nullptr;     // tcg::BlockStore: which memory holds translated code
  u64 instructions = 0;       // retired guest instructions, counted by the interpreter only
  u32 argument[3] = {};       // between translated code and its thunks: address and value, or a helper's arguments
  u32 result = 0;
  void* frame = nullptr;      // translated code's stack pointer
  u64 fp_limit[3] = {fp_limits[0], fp_limits[1], fp_limits[2]};  // constants translated code compares with
  u64 not_tiny = fp_not_tiny;
  Activity activity{};
};

// What translated code has computed last, for families that keep exception bits of single operations (MIPS: FCSR.Cause).
struct FpLast {
  static constexpr u32 exact = 1;  // an operation that raised nothing
  u32 instruction = 0;             // its word, or `exact`; 0: nothing, the bits are up to date
  u64 operand[3] = {};
};

class Doing {
 public:
  Doing(VcpuHeader& c, Activity a) : activity_(c.activity), before_(c.activity) { activity_ = a; }
  ~Doing() { activity_ = before_; }
  Doing(const Doing&) = delete;

 private:
  volatile Activity& activity_;  // read by a signal handler
  const Activity before_;
};

// What a load of a region found in the page table last.  A load whose address depends on what it loaded before takes its page
// from here, so that it need not wait for the table, which only says afterwards whether that was right.
struct PageGuess {
  u64 page;   // or guess_nothing, which no page table has
  u32 left;   // so many wrong guesses until there are no more
  u32 unused;
};
inline constexpr u64 guess_nothing = 1;
inline constexpr u32 wrong_guesses = 1 << 14;
inline constexpr std::size_t guess_count = 1024;  // shared when there are more loads: then they are wrong more often

// How often translated code still jumps back to a pc before it asks for the second tier; by hot_index(pc).
inline constexpr std::size_t hot_count = 4096;
constexpr std::size_t hot_index(u32 pc) { return pc >> 1 & (hot_count - 1); }


// Offsets from VcpuHeader, bytes.
inline constexpr std::size_t guess_offset = 32 * 1024;
inline constexpr std::size_t fp_pair_offset = guess_offset - 64;  // fp_pairs, fp_pair_wrong
inline constexpr std::size_t state_size = fp_pair_offset;         // at most
inline constexpr std::size_t hot_offset = guess_offset + guess_count * sizeof(PageGuess);
inline constexpr std::size_t probe_offset = 64 * 1024;
static_assert(hot_offset + hot_count * sizeof(u32) <= probe_offset);
inline constexpr std::size_t page_table_offset = probe_offset + 2 * probe_count * sizeof(ProbeEntry);
inline constexpr std::size_t vcpu_mapping_size = page_table_offset + page_table_count * page_table_stride * sizeof(u64);

// Which entry of a probe table serves a pc; the low two bits are mode bits or zero.
constexpr std::size_t probe_index(u32 pc) { return pc >> 2 & (probe_count - 1); }
// A tag no pc served by this entry has: every value is some guest's pc, also ~0.
constexpr u32 probe_empty(std::size_t index) { return index ? 0 : ~0u; }

inline s32* hot_table(VcpuHeader* c) { return reinterpret_cast<s32*>(reinterpret_cast<u8*>(c) + hot_offset); }
inline PageGuess* guess_table(VcpuHeader* c) { return reinterpret_cast<PageGuess*>(reinterpret_cast<u8*>(c) + guess_offset); }
inline ProbeEntry* probe_table(VcpuHeader* c, unsigned privilege) {
  return reinterpret_cast<ProbeEntry*>(reinterpret_cast<u8*>(c) + probe_offset) + privilege * probe_count;
}
inline u64* page_table(VcpuHeader* c, unsigned privilege, bool store) {
  return reinterpret_cast<u64*>(reinterpret_cast<u8*>(c) + page_table_offset) +
         (2 * privilege + store) * page_table_stride;
}
// The page of devices at `va`, or null when none is known.
inline const DevicePage* device_page(const VcpuHeader& c, u32 va, bool user, bool store) {
  const DevicePage& d = c.devices[2 * user + store][va >> page_bits & (device_pages - 1)];
  return d.tag == (va & ~0xfffu) ? &d : nullptr;
}
// Where execution is to begin again when the instruction at pc was not done: a branch goes with its delay slot.
inline void restart_instruction(VcpuHeader& c) {
  if (!c.slot || (c.slot & 1)) return;
  c.pc -= c.slot;
  c.slot = 0;
}
// The engine's answer to "run on": slow paths and helpers return Outcome::leave when the CPU's pc changed
// (an exception) or the run loop is wanted; translated code then goes to the dispatcher.
inline constexpr u64 outcome_leave = u64(1) << 63;
}  // namespace accel
