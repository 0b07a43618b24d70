// What regions have that blocks have not: floating-point registers in xmm registers, and jumps back inside.
//
// xmm4 … xmm15 hold pairs of slots (a double, or two singles) from the region's beginning to each way out of it.  Whatever
// may look at guest state, or clobber xmm registers, stands between a call of spill_ and one of fill_: two short routines at
// the end of the region's code.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace tcg::x86_64 {
using asmjit::imm;

namespace {
// Whether operand k (d, a, b, c) is a double.
bool is_double(const Insn& i, unsigned k) {
  if (i.op == Op::load || i.op == Op::store) return (i.aux & mem_size) == 3 && k != 1;
  if (i.op != Op::fp) return false;
  const bool wide = i.aux & fp_double;
  switch (Fp(i.aux & ~fp_double)) {
    case Fp::widen: return k == 0;
    case Fp::narrow: return k == 1;
    case Fp::from_u32: case Fp::from_s32: return wide && k == 0;
    case Fp::to_u32: case Fp::to_u32_trunc: case Fp::to_s32: case Fp::to_s32_trunc: return wide && k == 1;
    case Fp::test_eq: case Fp::test_lt: case Fp::test_le: return wide && k != 0;
    default: return wide;
  }
}
// An operation that returns into the region, and is no exit that ends in C++ anyway.
bool returns(const Block& block, std::size_t n) { return n + 1 >= block.code.size() || block.code[n + 1].op != Op::exit_state; }
}  // namespace

// The registers most used, weighted by the depth of loops; none when calls would cost more than they save.  A pair that
// holds doubles has one xmm register; singles have one each, lest they wait for their neighbours.
void Emitter::choose_fp_pins(const Block& block) {
  fp_pin_of_slot_.fill(-1);
  fp_written_ = fp_paired_ = 0;
  fp_pinned_ = 0;
  fp_known_ = false;
  if (!request_->region || !layout_.fp_count) return;
  std::array<u32, max_slots> uses{};
  std::array<bool, max_slots / 2> paired{};
  u32 weight = 1, all = 0, calls = 0;
  bool state_may_change = false;
  for (std::size_t n = 0; n < block.code.size(); ++n) {
    const Insn& i = block.code[n];
    if (i.op == Op::label && i.imm) {
      weight = 1;
      for (u32 d = 1; d < i.imm; ++d) weight *= 8;
    }
    if (i.op == Op::call && returns(block, n)) {
      calls += weight;
      state_may_change = true;
    }
    if (i.op == Op::fp) all += weight;
    const std::array refs{i.d, i.a, i.b, i.op == Op::fp ? i.c : Ref::none()};
    for (unsigned k = 0; k < refs.size(); ++k) {
      const int slot = refs[k].is_guest() ? int(refs[k].index()) - layout_.fp_first : -1;
      if (slot < 0 || slot >= layout_.fp_count) continue;
      uses[u32(slot)] += weight;
      if (is_double(i, k)) paired[u32(slot) / 2] = true;
    }
  }
  if (!all) return;
  fp_known_ = !state_may_change;
  if (calls * 8 > all || !has_sse41_) return;
  std::vector<u32> order;
  for (u32 s = 0; s < layout_.fp_count; ++s) {
    if (paired[s / 2] && s % 2) continue;
    if (paired[s / 2]) uses[s] += uses[s + 1];
    if (uses[s]) order.push_back(s);
  }
  std::ranges::stable_sort(order, [&](u32 a, u32 b) { return uses[a] > uses[b]; });
  for (; fp_pinned_ < order.size() && fp_pinned_ < fp_pin_count; ++fp_pinned_) {
    const u32 s = order[fp_pinned_];
    fp_slot_of_pin_[fp_pinned_] = u8(layout_.fp_first + s);
    fp_pin_of_slot_[s] = s8(fp_pinned_);
    if (!paired[s / 2]) continue;
    fp_pin_of_slot_[s + 1] = s8(fp_pinned_);
    fp_paired_ |= 1u << fp_pinned_;
  }
  for (const Insn& i : block.code)
    if (const int pin = fp_pin_of(i.d); pin >= 0) fp_written_ |= 1u << pin;
}

int Emitter::fp_pin_of(Ref r) const {
  const unsigned slot = r.is_guest() ? r.index() - layout_.fp_first : ~0u;
  return slot < layout_.fp_count ? fp_pin_of_slot_[slot] : -1;
}

// In the upper half of its xmm register?
bool Emitter::fp_is_upper(Ref r) const { return (fp_paired_ >> fp_pin_of(r) & 1) && ((r.index() - layout_.fp_first) & 1); }

// Between an xmm register's half, or all of it, and a general register.
void Emitter::fp_get(const Gp& g, Ref r, bool wide) {
  if (const int pin = fp_pin_of(r); pin < 0) {
    const u16 at = layout_.slots[r.index()].offset;
    wide ? a_.mov(g.r64(), x86::qword_ptr(env, at)) : a_.mov(g.r32(), x86::dword_ptr(env, at));
  } else if (wide) {
    a_.movq(g.r64(), fp_pin(u32(pin)));
  } else if (fp_is_upper(r)) {
    a_.pextrd(g.r32(), fp_pin(u32(pin)), 1);
  } else {
    a_.movd(g.r32(), fp_pin(u32(pin)));
  }
}
void Emitter::fp_put(Ref r, const Gp& g, bool wide) {
  if (const int pin = fp_pin_of(r); pin < 0) {
    const u16 at = layout_.slots[r.index()].offset;
    wide ? a_.mov(x86::qword_ptr(env, at), g.r64()) : a_.mov(x86::dword_ptr(env, at), g.r32());
  } else if (wide) {
    a_.movq(fp_pin(u32(pin)), g.r64());
  } else if (fp_paired_ >> pin & 1) {
    a_.pinsrd(fp_pin(u32(pin)), g.r32(), fp_is_upper(r));
  } else {
    a_.movd(fp_pin(u32(pin)), g.r32());
  }
}

void Emitter::begin_region() {
  if (!request_->region) return;
  spill_ = a_.newLabel();
  fill_ = a_.newLabel();
  if (fp_known_) {
    a_.cmp(x86::byte_ptr(env, layout_.fp_fast), 0);
    a_.je(imm(u64(request_->plain)));
  }
  for (const Guard& g : request_->guards) {
    check(pin_of_slot_[g.slot] < 0);
    if (g.equal) {
      a_.cmp(slot_memory(layout_, g.slot), g.value);
      a_.jne(imm(u64(request_->plain)));
    } else {
      a_.test(slot_memory(layout_, g.slot), g.value);
      a_.jz(imm(u64(request_->plain)));
    }
  }
  load_fp_pins();
  a_.jmp(labels_[request_->entry]);
}

void Emitter::load_fp_pins() {
  for (u32 pin = 0; pin < fp_pinned_; ++pin) {
    const s32 at = layout_.slots[fp_slot_of_pin_[pin]].offset;
    fp_paired_ >> pin & 1 ? a_.movq(fp_pin(pin), x86::qword_ptr(env, at)) : a_.movd(fp_pin(pin), x86::dword_ptr(env, at));
  }
}

void Emitter::end_region() {
  if (!fp_pinned_) return;
  a_.bind(spill_);
  for (u32 pin = 0; pin < fp_pinned_; ++pin) {
    const s32 at = layout_.slots[fp_slot_of_pin_[pin]].offset;
    if (fp_written_ >> pin & 1) fp_paired_ >> pin & 1 ? a_.movq(x86::qword_ptr(env, at), fp_pin(pin)) : a_.movd(x86::dword_ptr(env, at), fp_pin(pin));
  }
  a_.ret();
  a_.bind(fill_);
  load_fp_pins();
  a_.ret();
}

void Emitter::spill() {
  if (fp_pinned_) a_.call(spill_);
}
void Emitter::fill() {
  if (fp_pinned_) a_.call(fill_);
}

// A jump inside the region.  One back polls; to the label right behind it there is nothing to do.
void Emitter::jump_inside(const Insn& i) {
  if (i.aux & poll_aux) {
    exits_.push_back({a_.newLabel(), i.imm, ExitStub::inside});
    a_.cmp(header32(at_request), 0);
    a_.jne(exits_.back().entry);
  }
  const auto& code = request_->block->code;
  if (position_ + 1 < code.size() && code[position_ + 1].op == Op::label && code[position_ + 1].c == i.c) return;
  a_.jmp(labels_[i.c.bits]);
}
}  // namespace tcg::x86_64
