#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

#include <bit>
#include <cstdio>

namespace tcg::x86_64 {
using accel::Layer;
using asmjit::imm;

void Emitter::NoErrors::handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) {
  std::fprintf(stderr, "translator: %s\n", message);
  check(false);
}

Emitter::Emitter(const GuestLayout& layout, const Thunks& thunks, accel::Layers layers) : layout_(layout), thunks_(thunks), layers_(layers) {
  block_pin_of_slot_.fill(-1);
  check(layout.slots.size() <= block_pin_of_slot_.size());
  for (unsigned s = 0; s < layout.slots.size(); ++s) block_pin_of_slot_[s] = pin_of(layout, s);
  const auto& features = asmjit::CpuInfo::host().features().x86();
  has_bmi_ = features.hasBMI() && features.hasBMI2();
  has_lzcnt_ = features.hasLZCNT();
  has_movbe_ = features.hasMOVBE();
  has_sse41_ = features.hasSSE4_1();
  has_avx_ = features.hasAVX();
  code_.init(asmjit::Environment::host());
  code_.setErrorHandler(&no_errors_);
  code_.attach(&a_);
}

std::span<const u8> Emitter::emit(const CompileRequest& request, const u8* base) {
  request_ = &request;
  base_ = base;
  a_.begin(base);
  prepare(*request.block);
  if (request.region) emit_region();
  else emit_range(0, u32(request.block->code.size()));
  stubs();
  end_region();
  return a_.code();
}

void Emitter::emit_range(u32 begin, u32 end) {
  for (position_ = begin; position_ < end; ++position_) {
    const Insn& i = request_->block->code[position_];
    if (i.op == Op::insn) {
      pc_ = i.imm & ~layout_.mode_bits;
      slot_ = i.c.bits;
      continue;
    }
    one(i);
    left_ = i.op == Op::br || (i.op >= Op::exit_jump && i.op <= Op::exit_state);
    end_of_instruction();
  }
}

void Emitter::prepare(const Block& block) {
  if (ways_.size() < block.labels) ways_.resize(block.labels);
  for (unsigned l = 0; l < block.labels; ++l) ways_[l].clear();
  deferred_ = {};
  left_ = false;
  homes_.assign(block.temps, {});
  if (block.last_use.size() == block.temps) {
    last_use_.assign(block.last_use.begin(), block.last_use.end());
  } else {  // not optimised
    last_use_.assign(block.temps, 0);
    for (u32 n = 0; n < block.code.size(); ++n)
      for (const Insn& i = block.code[n]; const Ref r : {i.d, i.a, i.b, i.c})
        if (r.is_temp()) last_use_[r.index()] = n;
  }
  holder_.fill(-1);
  free_spills_ = (u64(1) << spill_homes) - 1;
  host_flags_ = HostFlags::none;
  slow_.clear();
  slow_fp_.clear();
  slow_zeros_.clear();
  slow_runs_.clear();
  slow_parts_.clear();
  exits_.clear();
  slots_.clear();
  new_routines_.clear();
  if (request_->region || has_region_pins_) {
    choose_fp_pins(block);
    choose_pins(block);
    has_region_pins_ = request_->region;
  }
  find_chains(block);
}

// ---- registers

unsigned Emitter::take_register() {
  for (unsigned r = 0; r < temp_count; ++r)
    if (holder_[r] == -1) return r;
  // Spill the temporary needed last.
  int victim = -1;
  for (unsigned r = 0; r < temp_count; ++r)
    if (holder_[r] >= 0 && !(locked_ >> r & 1) && (victim < 0 || last_use_[u32(holder_[r])] > last_use_[u32(holder_[u32(victim)])])) victim = int(r);
  check(victim >= 0 && free_spills_);
  TempHome& h = homes_[u32(holder_[u32(victim)])];
  h.spill = s16(std::countr_zero(free_spills_));
  free_spills_ &= free_spills_ - 1;
  h.reg = -1;
  a_.mov(x86::dword_ptr(x86::rsp, 4 * h.spill), temps[victim]);
  holder_[u32(victim)] = -1;
  return unsigned(victim);
}

x86::Gp Emitter::scratch() {
  const unsigned r = take_register();
  holder_[r] = -2;
  return temps[r];
}

void Emitter::end_of_instruction() {
  locked_ = 0;
  if (std::bit_cast<std::array<u64, 2>>(holder_) == std::array{~u64(0), ~u64(0)}) return;  // all are -1
  for (unsigned r = 0; r < temp_count; ++r) {
    if (holder_[r] == -2) holder_[r] = -1;
    if (holder_[r] >= 0 && last_use_[u32(holder_[r])] <= position_) holder_[r] = -1;
  }
}

x86::Gp Emitter::in_register(Ref r, u32 value) {
  if (r.is_guest()) {
    if (const int p = pin_of_slot_[r.index()]; p >= 0) return pins[p];
    const Gp g = scratch();
    fp_get(g, r, false);
    return g;
  }
  if (r.is_temp()) {
    TempHome& h = homes_[r.index()];
    if (h.reg < 0) {
      check(h.spill >= 0);
      const unsigned reg = take_register();
      a_.mov(temps[reg], x86::dword_ptr(x86::rsp, 4 * h.spill));
      free_spills_ |= u64(1) << h.spill;
      h.spill = -1;
      h.reg = s8(reg);
      holder_[reg] = s32(r.index());
    }
    locked_ |= u8(1 << h.reg);
    return temps[h.reg];
  }
  const Gp g = scratch();
  a_.mov(g, imm(value));
  return g;
}

asmjit::Operand Emitter::operand(Ref r, u32 value) {
  if (r.is_imm()) return imm(s32(value));
  if (r.is_guest() && pin_of_slot_[r.index()] < 0 && fp_pin_of(r) < 0) return slot_memory(layout_, r.index());
  return in_register(r, value);
}

// The register to compute `d` in.  A temporary's register is reused when operand a dies here.
x86::Gp Emitter::destination(Ref d, const Insn& i) {
  if (d.is_guest())
    if (const int p = pin_of_slot_[d.index()]; p >= 0) return pins[p];
  if (!d.is_temp()) return scratch();
  TempHome& h = homes_[d.index()];
  if (i.a.is_temp() && last_use_[i.a.index()] == position_ && homes_[i.a.index()].reg >= 0 && !(i.a == i.b)) {
    h.reg = homes_[i.a.index()].reg;
    holder_[u32(h.reg)] = s32(d.index());
    return temps[h.reg];
  }
  h.reg = s8(take_register());
  holder_[u32(h.reg)] = s32(d.index());
  locked_ |= u8(1 << h.reg);
  return temps[h.reg];
}

void Emitter::adopt(Ref d, const Gp& g) {
  if (d.is_guest()) {
    if (const int p = pin_of_slot_[d.index()]; p >= 0) a_.mov(pins[p], g);
    else fp_put(d, g, false);
  } else if (d.is_temp()) {
    for (unsigned r = 0; r < temp_count; ++r)
      if (temps[r].id() == g.id()) {
        holder_[r] = s32(d.index());
        homes_[d.index()].reg = s8(r);
      }
  }
}

void Emitter::check_no_temps_live() const {
  for (const s32 h : holder_) check(h < 0 || last_use_[u32(h)] <= position_);
}

void Emitter::finish(Ref d, const Gp& g) {
  if (d.is_guest() && pin_of_slot_[d.index()] < 0) fp_put(d, g, false);
}

// ---- flags

x86::CondCode Emitter::condition(Cond c) {
  using CC = x86::CondCode;
  if (host_flags_ != HostFlags::none && !(flags_read(c) & ~host_flag_mask_)) {
    static constexpr CC after_sub[] = {CC::kE, CC::kNE, CC::kAE, CC::kB, CC::kS, CC::kNS, CC::kO, CC::kNO,
                                       CC::kA, CC::kBE, CC::kGE, CC::kL, CC::kG, CC::kLE};
    if (host_flags_ == HostFlags::sub) return after_sub[u8(c)];
    if (c != Cond::hi && c != Cond::ls) {
      if (host_flags_ == HostFlags::add && c == Cond::cs) return CC::kB;
      if (host_flags_ == HostFlags::add && c == Cond::cc) return CC::kAE;
      return after_sub[u8(c)];
    }
  }
  if (deferred_.mask && deferred_.kind == HostFlags::fp && !(flags_read(c) & ~deferred_.mask)) {
    host_flags_ = HostFlags::none;
    const Gp nzcv = scratch(), when = scratch();
    return test_fp_flags(c, nzcv, when);
  }
  if (deferred_.mask && !(flags_read(c) & ~deferred_.mask)) {
    bring_deferred();
    return condition(c);
  }
  flush_flags(flags_read(c));
  host_flags_ = HostFlags::none;
  const bool inverted = u8(c) & 1;
  const auto one_flag = [&](u8 f) {
    a_.cmp(flag_byte(f), 0);
    return inverted ? CC::kE : CC::kNE;
  };
  switch (Cond(u8(c) & ~1)) {
    case Cond::eq: return one_flag(flag_z);
    case Cond::cs: return one_flag(flag_c);
    case Cond::mi: return one_flag(flag_n);
    case Cond::vs: return one_flag(flag_v);
    default: break;
  }
  const Gp t = scratch();
  if (Cond(u8(c) & ~1) == Cond::hi) {  // C && !Z  ⇔  C > Z
    a_.mov(t.r8(), flag_byte(flag_c));
    a_.cmp(t.r8(), flag_byte(flag_z));
    return inverted ? CC::kBE : CC::kA;
  }
  a_.mov(t.r8(), flag_byte(flag_n));
  a_.xor_(t.r8(), flag_byte(flag_v));
  if (Cond(u8(c) & ~1) == Cond::gt) a_.or_(t.r8(), flag_byte(flag_z));
  return inverted ? CC::kNE : CC::kE;
}

// ---- operations

void Emitter::move(const Insn& i) {
  if (i.d.is_none()) return test_nz(i.flags, in_register(i.a, i.imm), i.a);
  if (i.d.is_guest() && pin_of_slot_[i.d.index()] < 0 && fp_pin_of(i.d) < 0 && !i.flags) {
    if (i.a.is_imm()) a_.mov(slot_memory(layout_, i.d.index()), imm(s32(i.imm)));
    else a_.mov(slot_memory(layout_, i.d.index()), in_register(i.a, i.imm));
    return;
  }
  if (i.a.is_imm() && !i.imm && !i.flags && host_flags_ == HostFlags::none) {
    const Gp d = destination(i.d, i);
    a_.xor_(d, d);
    return finish(i.d, d);
  }
  const asmjit::Operand a = operand(i.a, i.imm);
  const Gp d = destination(i.d, i);
  if (!a.isReg() || a.as<Gp>().id() != d.id()) a_.emit(x86::Inst::kIdMov, d, a);
  finish(i.d, d);
  test_nz(i.flags, d, i.d);
}

// Whether the host's flags are gone before anybody takes a condition from them.
bool Emitter::flags_are_lost() const {
  for (u32 n = position_ + 1; n < request_->block->code.size(); ++n) {
    const Insn& i = request_->block->code[n];
    if (i.op == Op::load || i.op == Op::store || i.op == Op::fp) return true;
    const bool passes = i.op == Op::insn || (i.op <= Op::bswap && !i.flags && i.op != Op::adc && i.op != Op::sbc && i.op != Op::rrx);
    if (!passes) return false;
  }
  return false;
}

void Emitter::compare(const Insn& i, bool subtract) {
  if (const Deferred d = of_operands(i); d.mask && layers_.has(accel::Layer::hostflags) && flags_are_lost())
    return save_flags(i.flags, subtract ? HostFlags::sub : HostFlags::logic, d), void(host_flags_ = HostFlags::none);
  asmjit::Operand a = operand(i.a, i.imm), b = operand(i.b, i.imm);
  if (a.isImm() || (a.isMem() && b.isMem())) a = in_register(i.a, i.imm);
  if (!subtract && b.isMem()) std::swap(a, b);
  // `test` leaves what `cmp a, 0` would: CF = OF = 0.
  if (subtract && b.isImm() && i.imm == 0 && a.isReg()) a_.test(a.as<Gp>(), a.as<Gp>());
  else a_.emit(subtract ? x86::Inst::kIdCmp : x86::Inst::kIdTest, a, b);
  save_flags(i.flags, subtract ? HostFlags::sub : HostFlags::logic, of_operands(i));
}

void Emitter::binary(const Insn& i, bool commutative) {
  Ref ra = i.a, rb = i.b;
  if (commutative && ra.is_imm()) std::swap(ra, rb);
  if (i.d.is_none() && (i.op == Op::sub || i.op == Op::and_)) return compare(i, i.op == Op::sub);
  const bool arithmetic = i.op == Op::add || i.op == Op::sub;

  asmjit::Operand a = operand(ra, i.imm), b = operand(rb, i.imm);
  Gp d = destination(i.d, i);
  if (i.op == Op::add && !i.flags && a.isReg() && a.as<Gp>().id() != d.id() && !b.isMem()) {
    if (b.isImm()) a_.lea(d, x86::ptr(a.as<Gp>().r64(), s32(i.imm)));
    else a_.lea(d, x86::ptr(a.as<Gp>().r64(), b.as<Gp>().r64()));
    return finish(i.d, d);
  }
  Gp work = d;
  if (b.isReg() && b.as<Gp>().id() == d.id() && !(a.isReg() && a.as<Gp>().id() == d.id())) {
    if (commutative) std::swap(a, b);
    else work = scratch();
  }
  if (!a.isReg() || a.as<Gp>().id() != work.id()) a_.emit(x86::Inst::kIdMov, work, a);
  switch (i.op) {
    case Op::add: a_.emit(x86::Inst::kIdAdd, work, b); break;
    case Op::sub: a_.emit(x86::Inst::kIdSub, work, b); break;
    case Op::and_: a_.emit(x86::Inst::kIdAnd, work, b); break;
    case Op::or_: a_.emit(x86::Inst::kIdOr, work, b); break;
    case Op::xor_: a_.emit(x86::Inst::kIdXor, work, b); break;
    case Op::mul:
      if (b.isImm()) a_.imul(work, work, imm(s32(i.imm)));
      else a_.emit(x86::Inst::kIdImul, work, b);
      break;
    default: check(false);
  }
  host_flags_ = HostFlags::none;
  if (i.op == Op::mul) test_nz(i.flags, work, i.d);
  else if (i.op == Op::sub) save_flags(i.flags, HostFlags::sub, of_operands(i));
  else if (!arithmetic || !(i.flags & ~flags_nz)) save_flags(i.flags, arithmetic ? HostFlags::add : HostFlags::logic, of_result(i.d));
  else save_flags(i.flags, HostFlags::add);
  if (work.id() != d.id()) a_.mov(d, work);
  finish(i.d, d);
}

// adc, sbc, rrx: the carry flag first goes to the host's.
void Emitter::carry_in(const Insn& i, bool inverted) {
  asmjit::Operand b = i.op == Op::rrx ? asmjit::Operand() : operand(i.b, i.imm);
  const asmjit::Operand a = operand(i.a, i.imm);
  const Gp d = destination(i.d, i);
  const bool clash = b.isReg() && b.as<Gp>().id() == d.id() && !(a.isReg() && a.as<Gp>().id() == d.id());
  const Gp work = clash ? scratch() : d;
  if (!a.isReg() || a.as<Gp>().id() != work.id()) a_.emit(x86::Inst::kIdMov, work, a);
  const bool has = has_carry();
  if (!has) a_.cmp(flag_byte(flag_c), 1);  // CF = !C
  if ((!has || host_flags_ == HostFlags::sub) != inverted) a_.cmc();
  if (i.op == Op::adc) a_.emit(x86::Inst::kIdAdc, work, b);
  else if (i.op == Op::sbc) a_.emit(x86::Inst::kIdSbb, work, b);
  else a_.rcr(work, 1);
  if (i.op == Op::rrx) {
    if (i.flags & flag_c) a_.setc(flag_byte(flag_c));
    host_flags_ = HostFlags::none;
    test_nz(i.flags, work, Ref::none());
  } else {
    save_flags(i.flags, inverted ? HostFlags::sub : HostFlags::add);
  }
  if (clash) a_.mov(d, work);
  finish(i.d, d);
}

// shl t, a, 1…3 with add d, b, t behind it, and t used for nothing else, is one lea: the usual address of an array
// element.  Emits both and steps over the second.
bool Emitter::scaled_sum(const Insn& i) {
  const auto& code = request_->block->code;
  if (i.flags || !i.d.is_temp() || i.imm < 1 || i.imm > 3 || position_ + 1 >= code.size()) return false;
  const Insn& sum = code[position_ + 1];
  if (sum.op != Op::add || sum.flags || last_use_[i.d.index()] != position_ + 1 || sum.a == sum.b) return false;
  if (sum.a != i.d && sum.b != i.d) return false;
  const Ref base = sum.a == i.d ? sum.b : sum.a;
  if (base.is_imm()) return false;
  const Gp b = in_register(base, 0), index = in_register(i.a, 0);
  ++position_;
  keep_flags(sum);
  const Gp d = destination(sum.d, Insn{Op::add});
  a_.lea(d, x86::ptr(b.r64(), index.r64(), i.imm));
  finish(sum.d, d);
  return true;
}

// Compares a with b in the host's flags and returns the x86 condition that holds when condition aux does.
x86::CondCode Emitter::compare_values(const Insn& i) {
  using CC = x86::CondCode;
  static constexpr CC after_sub[] = {CC::kE, CC::kNE, CC::kAE, CC::kB, CC::kS, CC::kNS, CC::kO, CC::kNO,
                                     CC::kA, CC::kBE, CC::kGE, CC::kL, CC::kG, CC::kLE};
  asmjit::Operand a = operand(i.a, i.imm);
  const asmjit::Operand b = operand(i.b, i.imm);
  if (a.isImm() || (a.isMem() && b.isMem())) a = in_register(i.a, i.imm);
  if (b.isImm() && i.imm == 0 && a.isReg()) a_.test(a.as<Gp>(), a.as<Gp>());
  else a_.emit(x86::Inst::kIdCmp, a, b);
  host_flags_ = HostFlags::none;
  return after_sub[i.aux];
}

// What a branch would find in the host's flags, tested anew as a value.
x86::CondCode Emitter::through_register(x86::CondCode cc) {
  const Gp t = scratch();
  a_.set(cc, t.r8());
  a_.test(t.r8(), t.r8());
  return x86::CondCode::kNE;
}

void Emitter::unary(const Insn& i) {
  const Gp a = in_register(i.a, i.imm);
  const Gp d = destination(i.d, i);
  switch (i.op) {
    case Op::not_:
      if (a.id() != d.id()) a_.mov(d, a);
      a_.not_(d);
      break;
    case Op::bswap:
      if (a.id() != d.id()) a_.mov(d, a);
      a_.bswap(d);
      break;
    case Op::sext8: a_.movsx(d, a.r8()); break;
    case Op::sext16: a_.movsx(d, a.r16()); break;
    case Op::zext8: a_.movzx(d, a.r8()); break;
    case Op::zext16: a_.movzx(d, a.r16()); break;
    default:  // clz
      host_flags_ = HostFlags::none;
      if (has_lzcnt_) {
        a_.lzcnt(d, a);
      } else {
        const Gp none = scratch(), found = scratch();
        a_.mov(none, 63);
        a_.bsr(found, a);
        a_.cmovz(found, none);
        a_.xor_(found, 31);
        a_.mov(d, found);
      }
  }
  finish(i.d, d);
  test_nz(i.flags, d, i.d);
}

void Emitter::one(const Insn& i) {
  keep_flags(i);
  switch (i.op) {
    case Op::mov: move(i); break;
    case Op::add: case Op::and_: case Op::or_: case Op::xor_: case Op::mul: binary(i, true); break;
    case Op::sub: binary(i, false); break;
    case Op::adc: carry_in(i, false); break;
    case Op::sbc: carry_in(i, true); break;
    case Op::rrx: carry_in(i, false); break;
    case Op::andn: {
      if (i.b.is_imm()) {
        Insn plain = i;
        plain.op = Op::and_;
        plain.imm = ~i.imm;
        binary(plain, true);
        break;
      }
      const Gp b = in_register(i.b, i.imm), inverted = scratch();
      a_.mov(inverted, b);
      a_.not_(inverted);
      const asmjit::Operand a = operand(i.a, i.imm);
      a_.emit(x86::Inst::kIdAnd, inverted, a);
      save_flags(i.flags, HostFlags::logic, of_result(i.d));
      adopt(i.d, inverted);
      break;
    }
    case Op::shl:
      if (i.b.is_imm() && !i.a.is_imm() && scaled_sum(i)) break;
      [[fallthrough]];
    case Op::shr: case Op::sar: case Op::ror: i.b.is_imm() ? shift_immediate(i) : shift_variable(i); break;
    case Op::shl_s: case Op::shr_s: case Op::sar_s: shift_saturating(i); break;
    case Op::mulu2: case Op::muls2: multiply_long(i); break;
    case Op::divu: case Op::divs: divide(i); break;
    case Op::setcmp: {
      const auto cc = compare_values(i);
      const Gp d = destination(i.d, Insn{Op::setcmp});
      a_.set(cc, d.r8());
      a_.movzx(d, d.r8());
      finish(i.d, d);
      break;
    }
    case Op::not_: case Op::clz: case Op::sext8: case Op::sext16: case Op::zext8: case Op::zext16: case Op::bswap: unary(i); break;
    case Op::set_flag:
      if (!i.flags) break;
      if (i.a.is_imm()) a_.mov(flag_byte(i.aux), i.imm & 1);
      else a_.mov(flag_byte(i.aux), in_register(i.a, i.imm).r8());
      host_flags_ = HostFlags::none;
      break;
    case Op::get_flag: {
      const Gp d = destination(i.d, i);
      a_.movzx(d, flag_byte(i.aux));
      finish(i.d, d);
      break;
    }
    case Op::cond: {
      const auto cc = condition(Cond(i.aux));
      const Gp d = destination(i.d, i);
      a_.set(cc, d.r8());
      a_.movzx(d, d.r8());
      finish(i.d, d);
      break;
    }
    case Op::fp_flags:
      host_flags_ = HostFlags::none;
      if (!layers_.has(Layer::hostflags)) store_fp_flags(i.flags, false);
      else deferred_ = {.mask = i.flags, .kind = HostFlags::fp};
      break;
    case Op::nz64: {
      const Gp a = in_register(i.a, i.imm), b = in_register(i.b, i.imm), t = scratch();
      a_.mov(t, a);
      a_.or_(t, b);
      if (i.flags & flag_z) a_.setz(flag_byte(flag_z));
      a_.test(b, b);
      if (i.flags & flag_n) a_.sets(flag_byte(flag_n));
      host_flags_ = HostFlags::none;
      break;
    }
    case Op::load: case Op::store:
      find_run();
      run_.size() >= 2 ? memory_run() : memory(i);
      break;
    case Op::label:
      check_no_temps_live();
      place_label(i.c.bits, !left_);
      break;
    case Op::br: jump_inside(i); break;
    case Op::br_cond:
      check_no_temps_live();
      branch(i, condition(Cond(i.aux)));
      break;
    case Op::br_zero: case Op::br_nonzero: {
      const Gp a = in_register(i.a, i.imm);
      a_.test(a, a);
      host_flags_ = HostFlags::none;
      branch(i, i.op == Op::br_zero ? x86::CondCode::kZ : x86::CondCode::kNZ);
      break;
    }
    case Op::br_cmp: {
      const auto cc = compare_values(i);
      branch(i, layers_.has(Layer::hostflags) ? cc : through_register(cc));
      break;
    }
    case Op::exit_jump: exit_jump(i); break;
    case Op::exit_indirect: exit_indirect(i); break;
    case Op::exit_state:
      spill();
      a_.jmp(imm(u64(thunks_.state)));
      break;
    case Op::fp: floating_point(i); break;
    case Op::call: call(i); break;
    case Op::insn: case Op::count: check(false);
  }
}

std::string Emitter::listing(std::span<const u8> code, const u8* base) const { return disassemble_host(code, base); }
}  // namespace tcg::x86_64
