#pragma once
// The second tier's unit: the blocks of one guest page that make a loop, as one piece of intermediate code.
//
// Its blocks jump to each other inside, so that what a loop uses over and over can stay in host registers.  Only blocks
// that have run are taken, and only those from which the entry can be reached again.

#include "accel/tcg/front_end.hpp"

#include <functional>

namespace tcg {

struct RegionRequest {
  u32 pc, mode;          // its entry, the target of a jump back
  const u8* page;        // host address of the page's first byte
  const std::set<u32>* breakpoints;
  // Has a block begun at this pc, with mode bits?
  std::function<bool(u32 pc)> has_run;
};

// Jumps between its blocks are `br`; those back have poll_aux in aux and the guest address in imm.  A block's label has
// in imm how deep in loops it is, at least 1.  Every path begins at the label `entry`.
struct Region {
  Block code;
  unsigned entry = 0;
  std::vector<Guard> guards;  // what its blocks would ask over and over: it must hold at the entry
  u32 first = 0, last = 0;  // guest addresses of its code, both inclusive, without mode bits
  unsigned blocks = 0, instructions = 0;

  // What the log says before its code.
  std::string title(u32 pc) const;
};

// False: no loop leads back to the entry, or it is too large.
bool make_region(const FrontEnd& front, const RegionRequest& request, Region& out);
}  // namespace tcg
