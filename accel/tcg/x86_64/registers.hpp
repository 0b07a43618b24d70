#pragma once
// Which host register holds what.

#include "accel/tcg/ir.hpp"
#include "accel/vcpu.hpp"

#include <asmjit/x86.h>

#include <cstddef>

namespace tcg::x86_64 {
namespace x86 = asmjit::x86;
using accel::VcpuHeader;

// Not where the state begins: so that one byte of displacement reaches its header and the general registers, and with every
// bit of exit_request set in the register itself, which then is what to test exit_request with.
inline const x86::Gp env = x86::rbp;
inline constexpr s32 env_at = s32(offsetof(VcpuHeader, exit_request)) + 127;
static_assert((env_at & s32(alignof(VcpuHeader) - 1) & s32(core::all_requests)) == core::all_requests);
constexpr s32 from_env(std::size_t offset) { return s32(offset) - env_at; }

// Pinned guest registers; the first four survive C++ calls.
inline const x86::Gp pins[] = {x86::ebx, x86::r12d, x86::r13d, x86::r14d, x86::esi,
                               x86::edi, x86::r8d,  x86::r9d,  x86::r10d, x86::r11d};
inline constexpr unsigned pin_count = 10, pins_kept_by_calls = 4;
inline const x86::Gp temps[] = {x86::eax, x86::ecx, x86::edx, x86::r15d};
inline constexpr unsigned temp_count = 4;
// In a region: pairs of floating-point registers.  The first four are scratch.
inline constexpr unsigned fp_pin_first = 4, fp_pin_count = 12;
inline x86::Xmm fp_pin(unsigned n) { return x86::xmm(fp_pin_first + n); }
inline constexpr unsigned spill_homes = 60;
inline constexpr unsigned frame_bytes = 8 + 4 * spill_homes;  // keeps rsp 16-byte aligned after six pushes

inline x86::Mem header32(std::size_t offset) { return x86::dword_ptr(env, from_env(offset)); }
inline constexpr std::size_t at_request = offsetof(VcpuHeader, exit_request), at_pc = offsetof(VcpuHeader, pc), at_slot = offsetof(VcpuHeader, slot),
                             at_machine = offsetof(VcpuHeader, machine), at_activity = offsetof(VcpuHeader, activity), at_devices = offsetof(VcpuHeader, devices),
                             at_argument = offsetof(VcpuHeader, argument), at_result = offsetof(VcpuHeader, result),
                             at_frame = offsetof(VcpuHeader, frame);

// Host register of a guest slot, or -1 when it lives in memory.
inline int pin_of(const GuestLayout& layout, unsigned slot) {
  for (unsigned i = 0; i < pin_count && i < layout.pin_order.size(); ++i)
    if (layout.pin_order[i] == slot) return int(i);
  return -1;
}
inline x86::Mem slot_memory(const GuestLayout& layout, unsigned slot) {
  return x86::dword_ptr(env, from_env(layout.slots[slot].offset));
}

// The code as text, one instruction per line.
std::string disassemble_host(std::span<const u8> code, const u8* base);

// Behind a call of the run thunk: what is moved, then each word.  The address of the lowest is VcpuHeader::argument[0].
struct RunWords {
  u32 pc;
  u8 delay_slot;  // of the last
  u8 count, aux;
  bool is_load;
};
struct RunWord {
  u16 place;       // in the CPU state, or 0: VcpuHeader::argument[1] or result
  u8 offset;       // from the lowest, in words
  u8 instruction;  // from RunWords::pc
};

// Addresses of the thunks in the code buffer.
struct Thunks {
  const u8* enter = nullptr;
  const u8* exit = nullptr;
  const u8* jump = nullptr;   // eax = pc
  const u8* chain = nullptr;  // called: the slot lies behind the call
  const u8* hot = nullptr;    // eax = pc
  const u8* state = nullptr;
  const u8* leave = nullptr;  // pins are in the state already
  const u8* run = nullptr;
  const u8* store_flags[2][16] = {};  // from the host's flags after something else, or `sub`; by flags
  const u8* load[64] = {};
  const u8* store[64] = {};
  // The same where a page of devices is known at the address, with nothing of the guest's state in memory but pc; carry: not
  // done, there is none.  Those of any_* go on to `load` and `store` then.
  const u8* device_load[64] = {};
  const u8* device_store[64] = {};
  const u8* any_load[64] = {};
  const u8* any_store[64] = {};
  std::vector<const u8*> helper;
};
}  // namespace tcg::x86_64
