#pragma once
// Random blocks that keep the rules of the intermediate code (accel/tcg/ir.hpp): every operation, every legal set of
// flags, constants on either side, more temporaries alive than the host has registers, forward branches.

#include "accel/tcg/ir.hpp"

#include <random>

namespace toy {
// What generated memory accesses hit: the low 16 KiB and what an offset reaches around them.
inline constexpr core::u32 address_mask = 0x3fff;

class RandomIr {
 public:
  explicit RandomIr(core::u64 seed) : random_(core::u32(seed * 0x9e37'79b9u + (seed >> 32))) {}
  // A block of about `length` operations.
  void make(tcg::Block& block, unsigned length);
  // A region of so many blocks, each of about `length` operations; returns the label it begins at.  Jumps back end when
  // the slot `limit` is counted down to 0.
  unsigned make_region(tcg::Block& block, unsigned pieces, unsigned length);

 private:
  core::u32 below(core::u32 n) { return core::u32((core::u64(random_()) * n) >> 32); }
  bool one_in(core::u32 n) { return below(n) == 0; }
  core::u32 constant();
  tcg::Ref guest() { return tcg::Ref::guest(below(16)); }
  tcg::Ref source();
  tcg::Ref destination();
  tcg::Cond condition() { return tcg::Cond(below(14)); }
  // One that compares two values.
  tcg::Cond comparison() {
    using enum tcg::Cond;
    constexpr tcg::Cond all[] = {eq, ne, cs, cc, hi, ls, ge, lt, gt, le};
    return all[below(10)];
  }
  core::u16 slot() { return one_in(6) ? 4 : 0; }
  core::u8 some(core::u8 flags) { return one_in(3) ? flags : one_in(2) ? core::u8(0) : core::u8(flags & below(16)); }
  void one();
  void two_operands(tcg::Op op, core::u8 flags);
  void one_operand(tcg::Op op, core::u8 flags);
  void memory();
  void helper();
  void floating_point();
  void use_flags();
  void branch(bool on_flags = false);
  void place(unsigned label);
  void body(std::size_t end);
  void close();
  struct Piece {
    unsigned label;
    core::u32 pc;
  };
  void jump_to(const std::vector<Piece>& pieces, unsigned here, bool conditional);
  void exit();
  // A label or branch is next: temporaries die.
  void forget() { alive_.clear(); }

  std::mt19937 random_;
  tcg::Block* b_ = nullptr;
  std::vector<tcg::Ref> alive_;
  std::vector<unsigned> open_;  // labels branched to and not placed
  core::u32 pc_ = 0;
};
}  // namespace toy
