#pragma once
// What the translator asks of a guest CPU family.  One object per binary, compiled once; called per block
// translated or per event, never per instruction executed.

#include "accel/tcg/ir.hpp"
#include "accel/vcpu.hpp"

#include <set>

namespace tcg {
using accel::VcpuHeader;

// One block to translate.
struct Request {
  u32 pc;            // guest virtual address with mode bits (Arm: bit 0 = Thumb)
  u32 mode;          // FrontEnd::mode() when it was reached
  const u8* code;    // host address of the first byte
  unsigned bytes;    // available up to the end of the page
  unsigned limit;    // at most so many guest instructions
  const std::set<u32>* breakpoints;  // addresses without mode bits; a block ends before one that is not its first
  Block* out;
  unsigned used = 0;          // bytes of guest code translated; set by the front end
  unsigned instructions = 0;  // set by the front end
};

// Where code lies in guest physical memory, and how many bytes from there are mapped alike (same permission, next to
// each other); 0: the CPU took an exception instead.
struct CodePlace {
  GuestPhys at;
  u32 extent;
  bool alone = false;  // the extent is one instruction, which is not to be kept
};

// In mode(): the state is not one that jumps can lead to (a delay slot apart from its branch).
inline constexpr u32 mode_transient = 1u << 31;

class FrontEnd {
 public:
  virtual ~FrontEnd() = default;
  virtual const GuestLayout& layout() const = 0;
  // The state's pc with mode bits.
  virtual u32 pc(const VcpuHeader& c) const = 0;
  virtual void set_pc(VcpuHeader& c, u32 pc) const = 0;
  // What else translated code depends on (privilege in bit 0); part of a block's key.  Code that depends on other bits
  // must make sure of them itself, since jumps go by pc and privilege; but a block with mode_transient is never jumped to.
  virtual u32 mode(const VcpuHeader& c) const = 0;
  // The place of the instruction at `pc`.  Code in a page whose rest is not mapped alike runs one instruction at a time.
  virtual CodePlace fetch_address(VcpuHeader& c, u32 pc) const = 0;
  virtual void translate(Request& request) const = 0;
  // Enters the handler of the most urgent unmasked interrupt, if any; leaves halt when a line is up.
  virtual void deliver_interrupt(VcpuHeader& c) const = 0;
  // True when a halted CPU must run again.
  virtual bool wakes(const VcpuHeader& c) const = 0;
  virtual void reset(VcpuHeader& c) const = 0;
  // One instruction as text; `length` gets its bytes.
  virtual std::string disassemble(u32 pc, std::span<const u8> code, unsigned& length) const = 0;
  virtual std::string dump(const VcpuHeader& c) const = 0;
};
}  // namespace tcg
