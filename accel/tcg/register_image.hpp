#pragma once
// A copy of what guest instructions can change without a helper, to be compared later.

#include "accel/tcg/front_end.hpp"

#include <array>

namespace tcg {
struct RegisterImage {
  u32 pc, slot, privilege;
  std::array<u8, 4> flags;
  std::array<u32, max_slots> registers{};

  RegisterImage(const VcpuHeader& c, const GuestLayout& layout) : pc(c.pc), slot(c.slot), privilege(c.privilege) {
    const u8* state = reinterpret_cast<const u8*>(&c);
    flags = {state[layout.flag_n], state[layout.flag_z], state[layout.flag_c], state[layout.flag_v]};
    for (std::size_t s = 0; s < layout.slots.size(); ++s) registers[s] = load_le<u32>(state + layout.slots[s].offset);
  }
  friend bool operator==(const RegisterImage&, const RegisterImage&) = default;
};
}  // namespace tcg
