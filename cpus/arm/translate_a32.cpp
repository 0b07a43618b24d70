// What each instruction of a32.isa does.  Sections of DDI 0100I are in that file, instruction by instruction.

#include "cpus/arm/translator.hpp"

#include "a32_decode.hpp"
#include "vfp_decode.hpp"

namespace arm {
namespace {
using namespace a32;
using tcg::mem_signed, tcg::mem_user;
using AOp = a32::Op;

constexpr u8 byte = 0, halfword = 1, word = 2;

template <class I, AOp first, AOp last>
concept Between = I::op >= first&& I::op <= last;

// The sixteen opcodes stand in a32.isa in their numerical order, once for each kind of second operand.
static_assert(u16(AOp::mvn_imm) - u16(AOp::and_imm) == 15 && u16(AOp::mvn_reg) - u16(AOp::and_reg) == 15 &&
              u16(AOp::mvn_rsr) - u16(AOp::and_rsr) == 15);
template <class I>
concept DataImmediate = Between<I, AOp::and_imm, AOp::mvn_imm>;
template <class I>
concept DataShift = Between<I, AOp::and_reg, AOp::mvn_reg>;
template <class I>
concept DataRegisterShift = Between<I, AOp::and_rsr, AOp::mvn_rsr>;

template <class I>
concept Immediate = requires(const I& i) {
  i.o;
};
template <class I>
concept Indexed = requires(const I& i) {
  i.p;
  i.w;
};

struct A32Visitor {
  Translator& t;

  // ---- data processing ----

  template <class I>
  static bool sets_flags(const I& i) {
    if constexpr (requires { i.s; })
      return i.s;
    else
      return true;  // compares
  }
  // A shifter carry-out exists where a logical operation sets flags and does not return from an exception.
  template <class I>
  static bool wants_carry(Alu op, const I& i) {
    constexpr u32 arithmetic = 0x0cfc;  // sub rsb add adc sbc rsc cmp cmn
    if (arithmetic >> u32(op) & 1) return false;
    if constexpr (requires { i.d; })
      return sets_flags(i) && i.d != pc_number;
    else
      return true;
  }
  template <class I>
  Ref direct_result(Alu op, const I& i) {
    if constexpr (requires { i.d; })
      return op == Alu::mov && i.d != pc_number ? guest(i.d) : Ref::none();
    else
      return Ref::none();
  }
  template <class I>
  void data(Alu op, const I& i, Operand m) {
    u32 d = 0;
    Operand n = Ref::none();
    if constexpr (requires { i.d; }) d = i.d;
    if constexpr (requires { i.n; }) n = t.reg(i.n);
    t.data(op, sets_flags(i), d, n, m);
  }
  template <DataImmediate I>
  void operator()(const I& i) {
    constexpr Alu op = Alu(u16(I::op) - u16(AOp::and_imm));
    data(op, i, t.rotated_immediate(i.x, wants_carry(op, i)));
  }
  template <DataShift I>
  void operator()(const I& i) {
    constexpr Alu op = Alu(u16(I::op) - u16(AOp::and_reg));
    data(op, i, t.shifted(i.m, {i.y, i.k}, wants_carry(op, i), direct_result(op, i)));
  }
  template <DataRegisterShift I>
  void operator()(const I& i) {
    constexpr Alu op = Alu(u16(I::op) - u16(AOp::and_rsr));
    data(op, i, t.shifted_by_register(i.m, i.y, i.h, wants_carry(op, i), direct_result(op, i)));
  }

  void operator()(const mul& i) { t.multiply(i.d, i.m, i.h, i.s); }
  void operator()(const mla& i) { t.multiply_add(i.d, i.m, i.h, i.n, i.s); }
  void operator()(const umull& i) { t.multiply_long(false, false, i.a, i.d, i.m, i.h, i.s); }
  void operator()(const umlal& i) { t.multiply_long(false, true, i.a, i.d, i.m, i.h, i.s); }
  void operator()(const smull& i) { t.multiply_long(true, false, i.a, i.d, i.m, i.h, i.s); }
  void operator()(const smlal& i) { t.multiply_long(true, true, i.a, i.d, i.m, i.h, i.s); }
  void operator()(const smla_xy& i) { t.add_setting_q(i.d, t.multiply_halves(i.m, i.x, i.h, i.y), i.n); }
  void operator()(const smlaw_y& i) { t.add_setting_q(i.d, t.multiply_word_half(i.m, i.h, i.y), i.n); }
  void operator()(const smulw_y& i) { t.write(i.d, t.multiply_word_half(i.m, i.h, i.y)); }
  void operator()(const smul_xy& i) { t.write(i.d, t.multiply_halves(i.m, i.x, i.h, i.y)); }
  void operator()(const smlal_xy& i) {
    if (i.a == pc_number || i.d == pc_number) return t.undefined();  // UNPREDICTABLE
    const Ref product = t.multiply_halves(i.m, i.x, i.h, i.y);
    t.add_long(i.a, i.d, product, t.out.value(tcg::Op::sar, product, 31u));
  }
  void operator()(const qadd& i) { t.saturating(i.d, i.m, i.n, false, false); }
  void operator()(const qsub& i) { t.saturating(i.d, i.m, i.n, true, false); }
  void operator()(const qdadd& i) { t.saturating(i.d, i.m, i.n, false, true); }
  void operator()(const qdsub& i) { t.saturating(i.d, i.m, i.n, true, true); }
  void operator()(const clz& i) { t.write(i.d, t.out.value(tcg::Op::clz, t.value(i.m))); }

  // ---- loads and stores ----

  template <class I>
  Address address(const I& i) {
    Operand offset = 0u;
    if constexpr (Immediate<I>)
      offset = i.o;
    else if constexpr (requires { i.k; })
      offset = t.shifted(i.m, {i.y, i.k}, false);
    else
      offset = t.reg(i.m);
    if constexpr (Indexed<I>)
      return {i.n, bool(i.p), bool(i.u), bool(i.w), offset};
    else
      return {i.n, false, bool(i.u), true, offset};  // the forms with user privilege
  }
  template <class I>
  void load(const I& i, u8 mem) {
    t.load(i.t, mem, address(i));
  }
  template <class I>
  void store(const I& i, u8 mem) {
    t.store(i.t, mem, address(i));
  }

  void operator()(const ldr_imm& i) { load(i, word); }
  void operator()(const ldr_reg& i) { load(i, word); }
  void operator()(const ldrt_imm& i) { load(i, word | mem_user); }
  void operator()(const ldrt_reg& i) { load(i, word | mem_user); }
  void operator()(const ldrb_imm& i) { load(i, byte); }
  void operator()(const ldrb_reg& i) { load(i, byte); }
  void operator()(const ldrbt_imm& i) { load(i, byte | mem_user); }
  void operator()(const ldrbt_reg& i) { load(i, byte | mem_user); }
  void operator()(const ldrh_imm& i) { load(i, halfword); }
  void operator()(const ldrh_reg& i) { load(i, halfword); }
  void operator()(const ldrsb_imm& i) { load(i, byte | mem_signed); }
  void operator()(const ldrsb_reg& i) { load(i, byte | mem_signed); }
  void operator()(const ldrsh_imm& i) { load(i, halfword | mem_signed); }
  void operator()(const ldrsh_reg& i) { load(i, halfword | mem_signed); }
  void operator()(const str_imm& i) { store(i, word); }
  void operator()(const str_reg& i) { store(i, word); }
  void operator()(const strt_imm& i) { store(i, word | mem_user); }
  void operator()(const strt_reg& i) { store(i, word | mem_user); }
  void operator()(const strb_imm& i) { store(i, byte); }
  void operator()(const strb_reg& i) { store(i, byte); }
  void operator()(const strbt_imm& i) { store(i, byte | mem_user); }
  void operator()(const strbt_reg& i) { store(i, byte | mem_user); }
  void operator()(const strh_imm& i) { store(i, halfword); }
  void operator()(const strh_reg& i) { store(i, halfword); }
  void operator()(const ldrd_imm& i) { t.load_double(i.t, address(i)); }
  void operator()(const ldrd_reg& i) { t.load_double(i.t, address(i)); }
  void operator()(const strd_imm& i) { t.store_double(i.t, address(i)); }
  void operator()(const strd_reg& i) { t.store_double(i.t, address(i)); }
  void operator()(const swp& i) { t.swap(i.t, i.m, i.n, word); }
  void operator()(const swpb& i) { t.swap(i.t, i.m, i.n, byte); }
  void operator()(const pld_imm&) {}
  void operator()(const pld_reg&) {}

  template <class I>
  static BlockTransfer block(const I& i, bool load) {
    return {load, bool(i.p), bool(i.u), bool(i.w), i.n, i.l};
  }
  void operator()(const ldm& i) { t.block_transfer(block(i, true)); }
  void operator()(const stm& i) { t.block_transfer(block(i, false)); }
  void operator()(const ldm_user& i) { user_block(block(i, true)); }
  void operator()(const stm_user& i) { user_block(block(i, false)); }
  void operator()(const ldm_exception& i) {
    BlockTransfer x = block(i, true);
    x.list |= 1u << pc_number;
    x.exception_return = true;
    t.block_transfer(x);
  }
  // The user bank is the only one in user mode.
  void user_block(BlockTransfer x) {
    x.user_bank = !t.user();
    t.block_transfer(x);
  }

  // ---- branches and exceptions ----

  u32 branch_target(u32 offset) const { return t.pc() + 8 + u32(s32(offset << 8) >> 6); }
  void operator()(const b& i) { t.jump(branch_target(i.b)); }
  void operator()(const bl& i) {
    t.out.mov(guest(slot::lr), t.pc() + 4);
    t.jump(branch_target(i.b));
  }
  void operator()(const blx_imm& i) {
    t.out.mov(guest(slot::lr), t.pc() + 4);
    t.change_state_and_jump((branch_target(i.b) + 2 * i.h) | 1);
  }
  void operator()(const bx& i) { t.branch_exchange(t.value(i.m)); }
  void operator()(const bxj& i) { t.branch_exchange(t.value(i.m)); }  // Jazelle is never enabled
  void operator()(const blx_reg& i) { t.branch_exchange_link(i.m); }
  void operator()(const swi& i) { t.raise(helper_swi, i.i); }
  void operator()(const bkpt&) { t.raise(helper_bkpt); }
  void operator()(const a32::Undefined&) { t.undefined(); }

  // ---- status registers and coprocessors ----

  void operator()(const mrs& i) { t.read_status(i.d, i.r); }
  void operator()(const msr_reg& i) { t.write_status(t.reg(i.m), i.f, i.r); }
  void operator()(const msr_imm& i) { t.write_status(t.rotated_immediate(i.x, false), i.f, i.r); }
  void operator()(const mrc& i) { t.coprocessor_read({i.q, i.i, i.n, i.m, i.j, i.t}); }
  void operator()(const mcr& i) { t.coprocessor_write({i.q, i.i, i.n, i.m, i.j, i.t}); }

  // No coprocessor here answers any of these: Undefined (§A2.9).
  template <class I>
  requires Between<I, AOp::mcrr, AOp::ldc2> || Between<I, AOp::cdp, AOp::cdp>
  void operator()(const I&) { t.undefined(); }
};
}  // namespace

void translate_a32(Translator& t, u32 w) {
  if (vfp::claims(w))
    translate_vfp(t, w);
  else
    a32::decode(w, A32Visitor{t});
}
}  // namespace arm
