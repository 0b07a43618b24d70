// What regions have that blocks have not: floating-point registers in xmm registers, and jumps back inside.
//
// xmm4 … xmm15 hold slots (a double, two singles, or one) from the region's beginning to each way out of it, and pins may hold
// other slots than outside.  Whatever may look at guest state, or clobber registers, stands between a call of spill_ and one of
// fill_, two short routines at the end of the region's code: there everything is where blocks have it.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <bitset>

namespace tcg::x86_64 {
using asmjit::imm;

namespace {
// An operation that returns into the region, and is no exit that ends in C++ anyway.
bool returns(const Block& block, std::size_t n) { return n + 1 >= block.code.size() || block.code[n + 1].op != Op::exit_state; }

// Calls f(operation, weight, whether it is a call that returns); the weight tells how deep in loops it is.
template <class F>
void each_weighted(const Block& block, F f) {
  u32 weight = 1;
  for (std::size_t n = 0; n < block.code.size(); ++n) {
    const Insn& i = block.code[n];
    if (i.op == Op::label && i.imm) weight = 1u << 3 * (i.imm - 1);
    f(i, weight, i.op == Op::call && returns(block, n));
  }
}
}  // namespace

// Whether operand k (d, a, b, c) is a double.
bool Emitter::is_double(const Insn& i, unsigned k) {
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
  u32 all = 0, calls = 0;
  each_weighted(block, [&](const Insn& i, u32 weight, bool calls_back) {
    if (calls_back) calls += weight;
    if (i.op == Op::fp) all += weight;
    const std::array refs{i.d, i.a, i.b, i.op == Op::fp ? i.c : Ref::none()};
    for (unsigned k = 0; k < refs.size(); ++k) {
      const int slot = refs[k].is_guest() ? int(refs[k].index()) - layout_.fp_first : -1;
      if (slot < 0 || slot >= layout_.fp_count) continue;
      uses[u32(slot)] += weight;
      if (is_double(i, k)) paired[u32(slot) / 2] = true;
    }
  });
  if (!all) return;
  fp_known_ = !calls;
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
    for (const Ref r : {i.d, has_two_results(i.op) ? i.c : Ref::none()})
      if (const int pin = fp_pin_of(r); pin >= 0) fp_written_ |= 1u << pin;
}

// A region's registers need not be those that all code uses most.
void Emitter::choose_pins(const Block& block) {
  pin_of_slot_ = block_pin_of_slot_;
  moved_.clear();
  if (!request_->region) return;
  constexpr u32 worth = 16;  // uses, weighted, that pay for moving in and out
  std::array<u32, max_slots> uses{};
  u32 all = 0, calls = 0;
  each_weighted(block, [&](const Insn& i, u32 weight, bool calls_back) {
    all += weight;
    if (calls_back) calls += weight;
    for (const Ref r : {i.d, i.a, i.b})
      if (r.is_guest()) uses[r.index()] += weight;
  });
  if (calls * 16 > all) return;
  const auto can_be_pinned = [&](unsigned s) { return s < layout_.pinnable && s - layout_.fp_first >= layout_.fp_count; };
  for (;;) {
    int best = -1, worst = -1;
    for (unsigned s = 0; s < layout_.slots.size(); ++s) {
      if (pin_of_slot_[s] >= 0 && block_pin_of_slot_[s] >= 0 && (worst < 0 || uses[s] < uses[u32(worst)])) worst = int(s);
      if (pin_of_slot_[s] < 0 && block_pin_of_slot_[s] < 0 && can_be_pinned(s) && (best < 0 || uses[s] > uses[u32(best)])) best = int(s);
    }
    if (best < 0 || worst < 0 || uses[u32(best)] < uses[u32(worst)] + worth) return;
    const int pin = std::exchange(pin_of_slot_[u32(worst)], -1);
    pin_of_slot_[u32(best)] = pin;
    moved_.push_back({u8(pin), u8(best), u8(worst)});
  }
}

// Finds loads that wait for themselves, once around: those of a list, or of a table that is indexed by what it says.
void Emitter::find_chains(const Block& block) {
  guesses_.clear();
  if (!request_->region) return;
  in_chain_.assign(block.code.size(), false);
  std::bitset<max_slots> slots;  // what depends on the load
  std::vector<bool> temps;
  const auto depends = [&](Ref r) { return r.is_temp() ? temps[r.index()] : r.is_guest() && slots[r.index()]; };
  const auto put = [&](Ref d, bool does) {
    if (d.is_temp()) temps[d.index()] = does;
    else if (d.is_guest()) slots[d.index()] = does;
  };
  const auto pass = [&](const Insn& i) {
    if (i.op == Op::store || (i.op >= Op::label && i.op <= Op::br_cmp)) return;
    const bool two = has_two_results(i.op), does = depends(i.a) || depends(i.b) || (!two && depends(i.c));
    put(i.d, does);
    if (two) put(i.c, does);
  };
  for (std::size_t n = 0; n < block.code.size(); ++n) {
    const Insn& load = block.code[n];
    if (load.op != Op::load || load.a.is_imm() || !load.d.is_guest() || (load.aux & mem_size) == 3) continue;
    slots.reset();
    temps.assign(block.temps, false);
    put(load.d, true);
    for (std::size_t k = n + 1; k < block.code.size() && slots.any(); ++k) pass(block.code[k]);
    for (std::size_t k = 0; k < n && slots.any(); ++k) pass(block.code[k]);
    in_chain_[n] = depends(load.a);
  }
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
    wide ? a_.mov(g.r64(), x86::qword_ptr(env, from_env(at))) : a_.mov(g.r32(), x86::dword_ptr(env, from_env(at)));
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
    wide ? a_.mov(x86::qword_ptr(env, from_env(at)), g.r64()) : a_.mov(x86::dword_ptr(env, from_env(at)), g.r32());
  } else if (wide) {
    a_.movq(fp_pin(u32(pin)), g.r64());
  } else if (fp_paired_ >> pin & 1) {
    a_.pinsrd(fp_pin(u32(pin)), g.r32(), fp_is_upper(r));
  } else {
    a_.movd(fp_pin(u32(pin)), g.r32());
  }
}

void Emitter::begin_region() {
  spill_ = a_.newLabel();
  fill_ = a_.newLabel();
  if (fp_known_) {
    a_.cmp(x86::byte_ptr(env, from_env(layout_.fp_fast)), 0);
    a_.je(imm(u64(request_->plain)));
  }
  for (const Guard& g : request_->guards) {
    check(block_pin_of_slot_[g.slot] < 0);
    if (g.equal) {
      a_.cmp(slot_memory(layout_, g.slot), g.value);
      a_.jne(imm(u64(request_->plain)));
    } else {
      a_.test(slot_memory(layout_, g.slot), g.value);
      a_.jz(imm(u64(request_->plain)));
    }
  }
  load_region_pins();
}

void Emitter::load_region_pins() {
  for (const MovedPin& m : moved_) {
    a_.mov(slot_memory(layout_, m.outside), pins[m.pin]);
    a_.mov(pins[m.pin], slot_memory(layout_, m.slot));
  }
  for (u32 pin = 0; pin < fp_pinned_; ++pin) {
    const s32 at = layout_.slots[fp_slot_of_pin_[pin]].offset;
    fp_paired_ >> pin & 1 ? a_.movq(fp_pin(pin), x86::qword_ptr(env, from_env(at))) : a_.movd(fp_pin(pin), x86::dword_ptr(env, from_env(at)));
  }
}

void Emitter::end_region() {
  if (!has_own_pins()) return;
  a_.bind(spill_);
  for (const MovedPin& m : moved_) {
    a_.mov(slot_memory(layout_, m.slot), pins[m.pin]);
    a_.mov(pins[m.pin], slot_memory(layout_, m.outside));
  }
  for (u32 pin = 0; pin < fp_pinned_; ++pin) {
    const s32 at = layout_.slots[fp_slot_of_pin_[pin]].offset;
    if (fp_written_ >> pin & 1) fp_paired_ >> pin & 1 ? a_.movq(x86::qword_ptr(env, from_env(at)), fp_pin(pin)) : a_.movd(x86::dword_ptr(env, from_env(at)), fp_pin(pin));
  }
  a_.ret();
  a_.bind(fill_);
  load_region_pins();
  a_.ret();
}

void Emitter::spill() {
  if (has_own_pins()) a_.call(spill_);
}
void Emitter::fill() {
  if (has_own_pins()) a_.call(fill_);
}

// ---- blocks

void Emitter::find_pieces(const Block& block) {
  pieces_.clear();
  versions_.clear();
  piece_of_label_.assign(block.labels, -1);
  for (u32 n = 0; n < block.code.size(); ++n) {
    const Insn& i = block.code[n];
    if (i.op == Op::label && i.imm) {
      if (!pieces_.empty()) pieces_.back().end = n;
      piece_of_label_[i.c.bits] = s32(pieces_.size());
      pieces_.push_back({n + 1, u32(block.code.size())});
    } else if (i.op == Op::insn && !pieces_.back().pc) {
      pieces_.back().pc = i.imm;
    }
  }
  for (const Insn& i : block.code)
    if (i.op == Op::br && (i.aux & poll_aux)) pieces_[u32(piece_of_label_[i.c.bits])].head = true;
}

// A block is emitted for each state of the flags that jumps bring there, so that a loop need not put them in memory.
void Emitter::emit_region() {
  find_pieces(*request_->block);
  begin_region();
  version_for(request_->entry, true);
  for (std::size_t done = 0; done < versions_.size(); ++done) {
    unsigned v = 0;
    if (follows_ >= 0) v = u32(follows_);
    else
      while (versions_[v].emitted) ++v;
    follows_ = -1;
    emit_version(v);
  }
}

void Emitter::emit_version(unsigned v) {
  const Piece& p = pieces_[versions_[v].piece];
  versions_[v].emitted = true;
  a_.bind(versions_[v].label);
  deferred_ = versions_[v].deferred;
  host_flags_ = HostFlags::none;
  left_ = false;
  holder_.fill(-1);
  free_spills_ = (u64(1) << spill_homes) - 1;
  if (p.head) {
    exits_.push_back({a_.newLabel(), p.pc, ExitStub::inside, deferred_});
    test_requests();
    a_.jne(exits_.back().entry);
  }
  emit_range(p.begin, p.end);
}

s32 Emitter::find_version(unsigned piece) const {
  for (std::size_t v = 0; v < versions_.size(); ++v)
    if (versions_[v].piece == piece && versions_[v].deferred == deferred_) return s32(v);
  return -1;
}

// A block has a few versions only; after those the flags go to memory.
bool Emitter::version_is_possible(unsigned label) const {
  constexpr unsigned most = 3;
  const unsigned piece = u32(piece_of_label_[label]);
  return std::ranges::count(versions_, piece, &Version::piece) < most || find_version(piece) >= 0;
}

void Emitter::make_version_possible(unsigned label) {
  if (!version_is_possible(label)) flush_flags(flags_all);
}

// Where a jump to the block at `label` goes with the flags as they are now.  may_follow: its code may come next instead.
asmjit::Label Emitter::version_for(unsigned label, bool may_follow) {
  const unsigned piece = u32(piece_of_label_[label]);
  s32 v = find_version(piece);
  if (v < 0) {
    v = s32(versions_.size());
    versions_.push_back({piece, deferred_, a_.newLabel()});
  }
  if (may_follow && !versions_[u32(v)].emitted && follows_ < 0) {
    follows_ = v;
    return {};
  }
  return versions_[u32(v)].label;
}

void Emitter::jump_inside(const Insn& i) {
  if (!request_->region || piece_of_label_[i.c.bits] < 0) {
    a_.jmp(way_to(i.c.bits));
    return;
  }
  make_version_possible(i.c.bits);
  const auto to = version_for(i.c.bits, position_ + 1 == piece_end());
  if (to.isValid()) a_.jmp(to);
}

u32 Emitter::piece_end() const {
  for (const Piece& p : pieces_)
    if (position_ >= p.begin && position_ < p.end) return p.end;
  return 0;
}

// A jump to another block of the region that this branch leads around.
const Insn* Emitter::jump_behind(const Insn& i) const {
  const auto& code = request_->block->code;
  if (!request_->region || position_ + 2 >= code.size()) return nullptr;
  const Insn& jump = code[position_ + 1];
  const Insn& over = code[position_ + 2];
  return jump.op == Op::br && piece_of_label_[jump.c.bits] >= 0 && over.op == Op::label && over.c == i.c ? &jump : nullptr;
}

// A conditional branch; one around a jump is that jump on the opposite condition.  Where it goes inside this code.
asmjit::Label Emitter::branch(const Insn& i, x86::CondCode cc) {
  asmjit::Label to;
  if (const Insn* jump = jump_behind(i)) {
    to = version_for(jump->c.bits, false);
    a_.j(x86::negateCond(cc), to);
    ++position_;
  } else if (const Insn* exit = exit_behind(i); exit && (!deferred_.mask || (host_flags_ != HostFlags::none && !(deferred_.mask & ~host_flag_mask_)))) {
    flush_flags(flags_all);
    exits_.push_back({a_.newLabel(), exit->imm, s32(slots_.size())});
    a_.j(x86::negateCond(cc), exits_.back().entry);
    slots_.push_back({u32(a_.offset() - 4), 0, exit->imm, 0});
    ++position_;
  } else {
    to = way_to(i.c.bits);
    a_.j(cc, to);
  }
  return to;
}
}  // namespace tcg::x86_64
