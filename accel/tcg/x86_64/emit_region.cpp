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
// An operation that returns into the region, and is no exit that ends in C++ anyway.
bool returns(const Block& block, std::size_t n) { return n + 1 >= block.code.size() || block.code[n + 1].op != Op::exit_state; }
}  // namespace

// The pairs most used, weighted by the depth of loops; none when calls would cost more than registers save.
void Emitter::choose_fp_pins(const Block& block) {
  fp_pin_of_pair_.fill(-1);
  fp_written_ = 0;
  fp_pinned_ = 0;
  fp_known_ = false;
  if (!request_->region || !layout_.fp_count) return;
  std::array<u32, max_slots / 2> uses{};
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
    for (const Ref r : {i.d, i.a, i.b, i.op == Op::fp ? i.c : Ref::none()})
      if (r.is_guest())
        if (const int pair = layout_.fp_pair(r.index()); pair >= 0) uses[u32(pair)] += weight;
  }
  if (!all) return;
  fp_known_ = !state_may_change;
  if (calls * 8 > all) return;
  std::vector<u32> order;
  for (u32 p = 0; p < uses.size(); ++p)
    if (uses[p]) order.push_back(p);
  std::ranges::stable_sort(order, [&](u32 a, u32 b) { return uses[a] > uses[b]; });
  for (; fp_pinned_ < order.size() && fp_pinned_ < fp_pin_count; ++fp_pinned_) fp_pin_of_pair_[order[fp_pinned_]] = s8(fp_pinned_);
  for (const Insn& i : block.code)
    if (i.d.is_guest())
      if (const int pin = fp_pin_of(i.d); pin >= 0) fp_written_ |= 1u << pin;
}

int Emitter::fp_pin_of(Ref r) const {
  const int pair = r.is_guest() ? layout_.fp_pair(r.index()) : -1;
  return pair < 0 ? -1 : fp_pin_of_pair_[u32(pair)];
}

bool Emitter::fp_is_odd(Ref r) const { return (r.index() - layout_.fp_first) & 1; }

// Between an xmm register's half, or all of it, and a general register.
void Emitter::fp_get(const Gp& g, Ref r, bool wide) {
  if (const int pin = fp_pin_of(r); pin < 0) {
    const u16 at = layout_.slots[r.index()].offset;
    wide ? a_.mov(g.r64(), x86::qword_ptr(env, at)) : a_.mov(g.r32(), x86::dword_ptr(env, at));
  } else if (wide) {
    a_.movq(g.r64(), fp_pin(u32(pin)));
  } else if (fp_is_odd(r)) {
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
  } else {
    a_.pinsrd(fp_pin(u32(pin)), g.r32(), fp_is_odd(r));
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
  load_fp_pins();
  a_.jmp(labels_[request_->entry]);
}

void Emitter::load_fp_pins() {
  for (u32 pair = 0; pair < fp_pin_of_pair_.size(); ++pair)
    if (const int pin = fp_pin_of_pair_[pair]; pin >= 0) a_.movq(fp_pin(u32(pin)), x86::qword_ptr(env, layout_.slots[layout_.fp_first + 2 * pair].offset));
}

void Emitter::end_region() {
  if (!fp_pinned_) return;
  a_.bind(spill_);
  for (u32 pair = 0; pair < fp_pin_of_pair_.size(); ++pair)
    if (const int pin = fp_pin_of_pair_[pair]; pin >= 0 && (fp_written_ >> pin & 1))
      a_.movq(x86::qword_ptr(env, layout_.slots[layout_.fp_first + 2 * pair].offset), fp_pin(u32(pin)));
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
