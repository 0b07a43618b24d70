#include "random_ir.hpp"

#include "../toy.hpp"

namespace toy {
using namespace tcg;

u32 RandomIr::constant() {
  static constexpr u32 likely[] = {0, 1, 2, 31, 32, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff};
  return one_in(3) ? random_() : likely[below(std::size(likely))];
}
Ref RandomIr::source() {
  if (alive_.empty() || one_in(2)) return guest();
  return alive_[below(u32(alive_.size()))];
}
Ref RandomIr::destination() {
  if (one_in(2)) return guest();
  if (alive_.size() >= 14) alive_.erase(alive_.begin() + below(u32(alive_.size())));
  return b_->temp();
}

void RandomIr::two_operands(Op op, u8 flags) {
  const u32 k = constant();
  const u32 kind = below(4);
  const Operand a = kind == 0 ? Operand(k) : Operand(source()), b = kind == 1 ? Operand(k) : Operand(source());
  const Ref d = flags && one_in(4) ? Ref::none() : destination();
  b_->emit(op, d, a, b, flags);
  if (d.is_temp()) alive_.push_back(d);
}
void RandomIr::one_operand(Op op, u8 flags) {
  const Operand a = op == Op::mov && one_in(2) ? Operand(constant()) : Operand(source());
  const Ref d = flags && one_in(4) ? Ref::none() : destination();
  b_->emit(op, d, a, Ref::none(), flags);
  if (d.is_temp()) alive_.push_back(d);
}

void RandomIr::memory() {
  static constexpr u8 loads[] = {0, 1, 2, mem_signed, mem_signed | 1}, stores[] = {0, 1, 2};
  // Sometimes a multiplication's low half is the address as it is: host registers then hold more than 32 bits.
  Ref address;
  if (one_in(8)) {
    address = b_->temp();
    const Ref high = b_->temp();
    b_->multiply_long(one_in(2), address, high, source(), source());
    alive_.push_back(high);
  } else {
    const Ref t = b_->value(Op::and_, source(), one_in(3) ? address_mask : address_mask & ~3u);
    address = t;
    if (one_in(4)) b_->mov(address = guest(), t);
  }
  alive_.push_back(address.is_temp() ? address : b_->value(Op::mov, address));
  const u32 offset = one_in(2) ? 0 : one_in(2) ? below(64) * 4 : u32(s32(below(128)) - 64);
  const u8 extra = u8((one_in(4) ? mem_user : 0) | (one_in(4) ? mem_plain : 0) | (one_in(3) ? mem_big : 0));
  if (address.is_temp() && one_in(6)) {  // two slots that are not pinned; the address is not one of them
    const Ref pair = Ref::guest(10 + 2 * below(3));
    one_in(2) ? b_->load(pair, address, offset, 3 | extra) : b_->store(pair, address, offset, 3 | extra);
  } else if (one_in(2)) {
    const Ref d = one_in(12) ? Ref::none() : destination();
    b_->load(d, address, offset, loads[below(std::size(loads))] | extra);
    if (d.is_temp()) alive_.push_back(d);
  } else {
    b_->store(one_in(6) ? address : source(), address, offset, stores[below(std::size(stores))] | extra);
  }
}

void RandomIr::helper() {
  const unsigned n = below(3);
  const unsigned arguments = below(4);
  Ref a, b, c;
  if (arguments > 0) a = source();
  if (arguments > 1) b = source();
  if (arguments > 2) c = source();
  // A helper gets what is in the argument words: those it does not get are unspecified.
  if (arguments < 3) c = b_->value(Op::mov, 0u), b = arguments < 2 ? c : b, a = arguments < 1 ? c : a;
  const Ref d = one_in(4) ? Ref::none() : destination();
  b_->call(d, n, a, b, c);
  if (d.is_temp()) alive_.push_back(d);
}

// On the slots that are not pinned, a double in an even one and the next.
void RandomIr::floating_point() {
  const Fp op = Fp(below(u32(Fp::to_s32_trunc) + 1));
  const bool wide = one_in(2);
  const auto slot = [&](bool is_wide) { return is_wide ? 10 + 2 * below(3) : 10 + below(6); };
  const bool from = op == Fp::from_s32 || op == Fp::from_u32;
  const u32 d = slot(op == Fp::widen || (wide && op != Fp::narrow && op < Fp::to_u32)), a = slot(op == Fp::narrow || (wide && op != Fp::widen && !from));
  const u32 b = slot(wide);
  const u8 aux = u8(u8(op) | (wide ? fp_double : 0));
  const bool two = op <= Fp::div;
  b_->code.push_back({Op::fp, 0, aux, 0, Ref::guest(d), op == Fp::compare_zero ? Ref::none() : Ref::guest(a), two ? Ref::guest(b) : Ref::none(), Ref::none(),
                      fp_imm(aux, d, a, b)});
  if (op != Fp::compare && op != Fp::compare_zero) return;
  if (one_in(4)) b_->insn(pc_ += 4, 4, this->slot());
  if (one_in(4)) return;
  b_->fp_flags();
  if (one_in(2)) branch(true);
}

void RandomIr::use_flags() {
  const Ref d = destination();
  if (one_in(2)) b_->cond(d, condition());
  else b_->get_flag(d, u8(1 << below(4)));
  if (d.is_temp()) alive_.push_back(d);
}

// Paths from different guest instructions meet at the start of one.
void RandomIr::place(unsigned label) {
  b_->place(label);
  b_->insn(pc_ += 4, 4, slot());
  forget();
}

void RandomIr::branch(bool on_flags) {
  const unsigned label = !open_.empty() && one_in(2) ? open_[below(u32(open_.size()))] : b_->label();
  if (std::find(open_.begin(), open_.end(), label) == open_.end()) open_.push_back(label);
  switch (on_flags ? 7 : below(8)) {
    case 0: b_->br(label); break;
    case 1: case 2: b_->br_zero(source(), label); break;
    case 3: case 4: b_->br_nonzero(source(), label); break;
    case 5: case 6: {
      const Ref a = source();
      b_->br_cmp(comparison(), a, one_in(2) ? Operand(constant()) : Operand(source()), label);
      break;
    }
    default: b_->br_cond(condition(), label);
  }
  forget();
}

void RandomIr::exit() {
  const u32 target = one_in(2) ? (pc_ & ~0xfffu) | below(1024) << 2 | below(2) : random_();
  switch (below(4)) {
    case 0: b_->exit_indirect(source()); break;
    case 1: {
      b_->call({}, help_jump, source());
      b_->exit_state();
      break;
    }
    default: b_->exit_jump(target, one_in(2));
  }
}

void RandomIr::one() {
  const Op op = Op(below(u32(Op::exit_jump) + 1));
  switch (op) {
    case Op::add: case Op::adc: case Op::sub: case Op::sbc: two_operands(op, some(flags_all)); break;
    case Op::and_: case Op::andn: case Op::or_: case Op::xor_: case Op::mul: two_operands(op, some(flags_nz)); break;
    case Op::shl: case Op::shr: case Op::sar: case Op::ror:
      if (one_in(2)) {
        const u8 flags = some(flags_nz | flag_c);
        const u32 n = flags & flag_c || !one_in(6) ? 1 + below(31) : one_in(2) ? 0 : constant();
        const Ref a = source(), d = flags && one_in(4) ? Ref::none() : destination();
        b_->emit(op, d, a, n, flags);
        if (d.is_temp()) alive_.push_back(d);
      } else {
        two_operands(op, some(flags_nz));
      }
      break;
    case Op::shl_s: case Op::shr_s: case Op::sar_s: two_operands(op, 0); break;
    case Op::rrx: one_operand(op, some(flags_nz | flag_c)); break;
    case Op::mov: case Op::not_: case Op::clz: case Op::sext8: case Op::sext16: case Op::zext8: case Op::zext16: case Op::bswap:
      one_operand(op, some(flags_nz));
      break;
    case Op::mulu2: case Op::muls2: case Op::divu: case Op::divs: {
      const Ref a = source(), b = one_in(3) ? b_->value(Op::mov, constant()) : source(), low = destination();
      Ref high = destination();
      while (high == low) high = destination();
      if (op == Op::divu || op == Op::divs) b_->divide(op == Op::divs, low, high, a, b);
      else b_->multiply_long(op == Op::muls2, low, high, a, b);
      for (const Ref r : {low, high})
        if (r.is_temp()) alive_.push_back(r);
      break;
    }
    case Op::set_flag: {
      const u8 f = u8(1 << below(4));
      if (one_in(2)) b_->set_flag(f, below(2));
      else b_->set_flag(f, b_->value(Op::and_, source(), 1u));
      break;
    }
    case Op::get_flag: case Op::cond: use_flags(); break;
    case Op::fp_flags: b_->fp_flags(); break;
    case Op::setcmp: {
      const u32 k = constant(), kind = below(4);
      const Operand a = kind == 0 ? Operand(k) : Operand(source()), b = kind == 1 ? Operand(k) : Operand(source());
      const Ref d = destination();
      b_->emit(op, d, a, b, 0, u8(comparison()));
      if (d.is_temp()) alive_.push_back(d);
      break;
    }
    case Op::nz64: {
      const Ref low = source(), high = source();
      b_->nz64(low, high);
      break;
    }
    case Op::load: case Op::store: memory(); break;
    case Op::br: case Op::br_cond: case Op::br_zero: case Op::br_nonzero: case Op::br_cmp: one_in(2) ? branch() : use_flags(); break;
    case Op::label:
      if (!open_.empty()) {
        place(open_.back());
        open_.pop_back();
      } else {
        helper();
      }
      break;
    default: one_in(3) ? helper() : floating_point();
  }
  if (b_->code.back().flags && one_in(2)) one_in(3) ? branch() : use_flags();
}

void RandomIr::body(std::size_t end) {
  while (b_->code.size() < end) {
    if (one_in(4)) b_->insn(pc_ += 4, 4, slot());
    // An exit in the middle, on one side of a branch.
    if (one_in(60)) {
      const unsigned over = b_->label();
      b_->br_cond(condition(), over);
      forget();
      exit();
      place(over);
      continue;
    }
    one();
  }
}

void RandomIr::close() {
  for (const unsigned l : open_) {
    place(l);
    b_->emit(Op::add, guest(), guest(), constant(), some(flags_all));
  }
  open_.clear();
  forget();
}

void RandomIr::make(tcg::Block& block, unsigned length) {
  b_ = &block;
  block.clear();
  forget();
  open_.clear();
  pc_ = below(1 << 20) << 2;
  block.insn(pc_ += 4, 4, slot());
  body(length);
  close();
  exit();
}

void RandomIr::jump_to(const std::vector<Piece>& pieces, unsigned here, bool conditional) {
  const unsigned n = below(u32(pieces.size()));
  if (n <= here) {
    const unsigned more = b_->label();
    b_->emit(Op::sub, Ref::guest(limit_slot), Ref::guest(limit_slot), 1u);
    b_->br_nonzero(Ref::guest(limit_slot), more);
    b_->exit_jump(random_(), false);
    place(more);
  }
  const unsigned over = b_->label();
  if (conditional && one_in(3)) b_->br_cmp(comparison(), guest(), one_in(2) ? Operand(constant()) : Operand(guest()), over);
  else if (conditional) b_->br_cond(condition(), over);
  b_->br(pieces[n].label);
  if (n <= here) b_->code.back().aux = poll_aux, b_->code.back().imm = pieces[n].pc;
  if (conditional) place(over);
}

unsigned RandomIr::make_region(tcg::Block& block, unsigned count, unsigned length) {
  b_ = &block;
  block.clear();
  forget();
  open_.clear();
  pc_ = below(1 << 20) << 2;
  std::vector<Piece> pieces;
  for (unsigned n = 0; n < count; ++n) pieces.push_back({block.label(), 0});
  for (unsigned n = 0; n < count; ++n) {
    block.place(pieces[n].label);
    block.code.back().imm = 1 + below(3);
    block.insn(pieces[n].pc = pc_ += 4, 4);
    for (unsigned part = 1 + below(3); part > 0; --part) {
      body(block.code.size() + below(length));
      close();
      jump_to(pieces, n, true);
    }
    one_in(3) ? exit() : jump_to(pieces, n, false);
  }
  return pieces[below(count)].label;
}
}  // namespace toy
