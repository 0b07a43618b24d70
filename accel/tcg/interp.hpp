#pragma once
// Executes intermediate code directly: `-accel interp`, single steps, and the oracle for the host back ends.

#include "accel/engine.hpp"
#include "accel/tcg/block_store.hpp"

namespace tcg {
// How a block ended.  `pc` is set in the state (with mode bits) unless the state already says where to go on.
class Interpreter {
 public:
  Interpreter(VcpuHeader& c, const FrontEnd& front, const accel::Port& port)
      : c_(c), front_(front), layout_(front.layout()), port_(port) {}
  // Runs the block once, to its end or a fault; the state then says where to go on.
  void run(const Block& block);
  // Set when something ran that may have changed more than registers and flags; nobody but the asker clears it.
  bool changed = false;

 private:
  bool holds(Cond c) const;
  u8& flag(u8 f) const;
  u32& slot(unsigned i) const {
    return *reinterpret_cast<u32*>(reinterpret_cast<u8*>(&c_) + layout_.slots[i].offset);
  }
  u32 get(Ref r, u32 imm) const { return r.is_guest() ? slot(r.index()) : r.is_temp() ? temps_[r.index()] : imm; }
  u32 address_of(const Insn& i) const { return get(i.a, 0) + i.imm; }
  void set(Ref r, u32 v) {
    if (r.is_guest()) slot(r.index()) = v;
    else if (r.is_temp()) temps_[r.index()] = v;
  }
  static bool compares(Cond c, u32 a, u32 b);
  static u32 swapped(u32 v, u32 size) { return size == 4 ? __builtin_bswap32(v) : size == 2 ? __builtin_bswap16(u16(v)) : v; }
  void set_nz(const Insn& i, u32 v);
  void set_cv(const Insn& i, bool carry, bool overflow);
  void arithmetic(const Insn& i, u32 a, u32 b, bool carry_in);
  void shift(const Insn& i, u32 a, u32 b);
  template <class One>
  bool pair(const Insn& i, One one);
  bool slow_store(u8 aux, u32 va, u32 v);
  bool load(const Insn& i);
  bool store(const Insn& i);

  VcpuHeader& c_;
  const FrontEnd& front_;
  const GuestLayout& layout_;
  const accel::Port port_;
  std::vector<u32> temps_;
  std::vector<u32> label_at_;
};
}  // namespace tcg
