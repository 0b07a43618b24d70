#pragma once
// The intermediate code between guest front ends and executors.
//
// A block is a list of 16-byte operations over guest registers (G: 32-bit slots of the CPU state), temporaries (T:
// assigned once, dead at every label and branch) and one immediate.  Condition flags N Z C V are explicit: an
// operation says which of them it writes, and the optimiser takes away those nobody reads.
//
// Guest state is precise at every operation that may leave the block (loads, stores, state helpers): such an
// operation sees every guest register and flag written before it, and nothing after it has happened.

#include "accel/layers.hpp"

#include "core/base.hpp"

#include <string>
#include <vector>

namespace tcg {
using namespace core;

enum class Op : u8 {
  // d = f(a, b).  N and Z come from the result.
  mov,    // d = a
  add,    // C = carry out, V = signed overflow
  adc,    // a + b + C
  sub,    // a - b; C = no borrow (the Arm sense)
  sbc,    // a - b - !C
  and_,
  andn,   // a & ~b
  or_,
  xor_,
  not_,   // ~a
  shl,    // amounts modulo 32; with an immediate 1…31 C = last bit out
  shr,
  sar,
  ror,
  rrx,    // {C, a} rotated right by one; C = bit 0 of a
  shl_s,  // amount = low 8 bits of b, 32 and more give 0 (sar_s: the sign); no flags
  shr_s,
  sar_s,
  mul,    // low 32 bits
  mulu2,  // {c, d} = a * b unsigned, c is the high half (an output)
  muls2,  // signed
  // d = a / b, c = a % b (an output).  By 0 they are a and 0; the least number by -1 is itself, remainder 0.
  divu,
  divs,
  clz,    // 32 for 0
  sext8,
  sext16,
  zext8,
  zext16,
  bswap,
  setcmp,  // d = 1 when a and b compare as condition aux says, else 0; no flags are touched
  // Flags.
  set_flag,  // flag aux = a (0 or 1)
  get_flag,  // d = flag aux
  cond,      // d = condition aux holds ? 1 : 0
  fp_flags,  // N Z C V = bits 31…28 of GuestLayout::fp_flags
  nz64,      // N, Z from the 64-bit value {b, a} (b is the high half)
  // Memory: address a + imm, or imm when a is the immediate.  aux = MemFlag bits.  Eight bytes are two words to or from guest slots d and d + 1
  // (b and b + 1), which are not pinned; unaligned they are two accesses.
  load,   // d
  store,  // b
  // Control inside a block.  c is the label's number.  Labels are forward only, but for `br` with poll_aux in aux: it goes
  // back in a region, and polls; imm is the guest address there.
  label,
  br,
  br_cond,  // when condition aux holds
  br_zero,  // when a == 0
  br_nonzero,
  br_cmp,  // when a and b compare as condition aux says; no flags are touched
  // Ends of a path through the block.
  exit_jump,      // to guest address imm (with mode bits); poll when `poll_aux` is set in aux
  exit_indirect,  // to guest address a (with mode bits); polls
  exit_state,     // to wherever the CPU state says: pc was written by a helper; polls
  // Floating point over guest slots (a double is two, low word first): d = aux(a, b), an Fp with fp_double.  Inline
  // while GuestLayout::fp_fast is set and the result raises no new flag; else the front end's fp_helper(imm) does it.
  fp,
  // d = helper imm of the front end (a, b, c); see Helper.
  call,
  // Start of the guest instruction at imm (with mode bits), aux bytes long; c.bits is what VcpuHeader::slot says there.
  insn,
  count
};

// Is c an output too?
constexpr bool has_two_results(Op op) { return op == Op::mulu2 || op == Op::muls2 || op == Op::divu || op == Op::divs; }

inline constexpr u8 flag_n = 1, flag_z = 2, flag_c = 4, flag_v = 8, flags_nz = 3, flags_all = 15;

// Conditions over N Z C V in the Arm order.  Comparisons take eq ne cs cc hi ls ge lt gt le: those of `sub a, b`.
enum class Cond : u8 { eq, ne, cs, cc, mi, pl, vs, vc, hi, ls, ge, lt, gt, le };
constexpr Cond inverse(Cond c) { return Cond(u8(c) ^ 1); }
u8 flags_read(Cond c);

// aux of load and store.
enum MemFlag : u8 {
  mem_size = 3,    // log2 of the bytes
  mem_signed = 4,  // loads of 1 and 2 bytes
  mem_user = 8,    // with user privilege, whatever the mode
  // The family's rule for a special kind of access.  Arm, multi-word: low address bits ignored, no rotation; MIPS, LWL and
  // its kin: the address is aligned, the instruction's own is not.
  mem_plain = 16,
  mem_big = 32,  // the most significant byte comes first
};
inline constexpr u8 poll_aux = 1;

// aux of fp.  Multiply-accumulate rounds twice: mac = d + a * b, nmac = d - a * b, msc = -d + a * b, nmsc = -d - a * b.
enum class Fp : u8 {
  mac, nmac, msc, nmsc, mul, nmul, add, sub, div,     // d, a, b
  copy, abs, neg, sqrt,                               // d, a
  compare, compare_zero,                              // d with a, or with 0: N Z C V of GuestLayout::fp_flags
  widen, narrow,                                      // single to double, double to single
  from_u32, from_s32, to_u32, to_u32_trunc, to_s32, to_s32_trunc,
  madd, msub, nmadd, nmsub,   // d, a, b, c: a * b + c, a * b - c, and their negatives, rounded twice
  test_eq, test_lt, test_le,  // d (a word) = a compares with b ? 1 : 0
};
inline constexpr u8 fp_double = 0x80;  // the operation's size; of conversions to and from integers too

// A guest register, a temporary, the operation's immediate, or nothing.
struct Ref {
  u16 bits = 0;
  static constexpr Ref none() { return {0}; }
  static constexpr Ref imm() { return {1}; }
  static constexpr Ref guest(unsigned slot) { return {u16(0x4000 | slot)}; }
  static constexpr Ref temp(unsigned n) { return {u16(0x8000 | n)}; }
  constexpr bool is_none() const { return bits == 0; }
  constexpr bool is_imm() const { return bits == 1; }
  constexpr bool is_guest() const { return (bits & 0xc000) == 0x4000; }
  constexpr bool is_temp() const { return (bits & 0x8000) != 0; }
  constexpr unsigned index() const { return bits & 0x3fff; }
  friend constexpr bool operator==(Ref, Ref) = default;
};

struct Insn {
  Op op;
  u8 flags = 0;  // written
  u8 aux = 0;
  u8 dead = 0;  // flags it would write too, but nobody reads before they are written again
  Ref d, a, b, c;
  u32 imm = 0;
};
static_assert(sizeof(Insn) == 16);

// An operand as front ends write it: a Ref or a constant.
struct Operand {
  Ref ref;
  u32 value = 0;
  constexpr Operand(Ref r) : ref(r) {}
  constexpr Operand(u32 v) : ref(Ref::imm()), value(v) {}
};

// Functions translated code may call.
//   pure:  u64 f(u32 a, u32 b, u32 c), touches no guest state.
//   state: u64 f(CpuState*, u32 a, u32 b, u32 c); sees and may change all guest state.  Returns its value in the low
//          32 bits; with may_leave, outcome_leave set means that pc changed and the block is left.
struct Helper {
  const char* name;
  const void* function;
  bool state;
  bool may_leave;

  // Calls it; `cpu` is the CPU state.  A helper takes a pointer to its family's state, which is the same to the machine.
#if defined(__clang__)
  [[clang::no_sanitize("function")]]
#endif
  u64 run(void* cpu, u32 a, u32 b, u32 c) const {
    void* f = const_cast<void*>(function);
    return state ? reinterpret_cast<u64 (*)(void*, u32, u32, u32)>(f)(cpu, a, b, c)
                 : reinterpret_cast<u64 (*)(u32, u32, u32)>(f)(a, b, c);
  }
};

// A fact about a slot: it equals `value`, or it has one of `value`'s bits.
struct Guard {
  u16 slot;
  bool equal;
  u32 value;
  friend bool operator==(const Guard&, const Guard&) = default;
};

class Block {
 public:
  std::vector<Insn> code;
  unsigned temps = 0, labels = 0;
  std::vector<u32> last_use;  // of each temporary: index of the operation; optimise() says it

  void clear() {
    code.clear();
    last_use.clear();
    temps = labels = 0;
  }
  Ref temp() { return Ref::temp(temps++); }
  unsigned label() { return labels++; }

  // d = op(a, b).  At most one of a and b may be a constant.
  void emit(Op op, Ref d, Operand a, Operand b = Ref::none(), u8 flags = 0, u8 aux = 0) {
    code.push_back({op, flags, aux, 0, d, a.ref, b.ref, Ref::none(), a.ref.is_imm() ? a.value : b.value});
  }
  Ref value(Op op, Operand a, Operand b = Ref::none(), u8 flags = 0, u8 aux = 0) {
    const Ref t = temp();
    emit(op, t, a, b, flags, aux);
    return t;
  }
  void mov(Ref d, Operand a, u8 flags = 0) { emit(Op::mov, d, a, Ref::none(), flags); }
  void multiply_long(bool is_signed, Ref low, Ref high, Ref a, Ref b) {
    code.push_back({is_signed ? Op::muls2 : Op::mulu2, 0, 0, 0, low, a, b, high, 0});
  }
  void divide(bool is_signed, Ref quotient, Ref remainder, Ref a, Ref b) {
    code.push_back({is_signed ? Op::divs : Op::divu, 0, 0, 0, quotient, a, b, remainder, 0});
  }
  void load(Ref d, Ref address, u32 offset, u8 mem) { code.push_back({Op::load, 0, mem, 0, d, address, Ref::none(), Ref::none(), offset}); }
  void store(Ref value, Ref address, u32 offset, u8 mem) { code.push_back({Op::store, 0, mem, 0, Ref::none(), address, value, Ref::none(), offset}); }
  void set_flag(u8 flag, Operand a) { emit(Op::set_flag, Ref::none(), a, Ref::none(), flag, flag); }
  void get_flag(Ref d, u8 flag) { emit(Op::get_flag, d, Ref::none(), Ref::none(), 0, flag); }
  void cond(Ref d, Cond c) { emit(Op::cond, d, Ref::none(), Ref::none(), 0, u8(c)); }
  void fp_flags() { emit(Op::fp_flags, {}, Ref::none(), Ref::none(), flags_all); }
  void nz64(Ref low, Ref high) { emit(Op::nz64, Ref::none(), low, high, flags_nz); }
  void place(unsigned l) { control(Op::label, l); }
  void br(unsigned l) { control(Op::br, l); }
  void br_cond(Cond c, unsigned l) { control(Op::br_cond, l, Ref::none(), u8(c)); }
  void br_zero(Ref a, unsigned l) { control(Op::br_zero, l, a); }
  void br_nonzero(Ref a, unsigned l) { control(Op::br_nonzero, l, a); }
  void br_cmp(Cond c, Ref a, Operand b, unsigned l) { code.push_back({Op::br_cmp, 0, u8(c), 0, {}, a, b.ref, Ref{u16(l)}, b.value}); }
  void exit_jump(u32 target, bool poll) { code.push_back({Op::exit_jump, 0, poll ? poll_aux : u8(0), 0, {}, {}, {}, {}, target}); }
  void exit_indirect(Ref target) { code.push_back({Op::exit_indirect, 0, 0, 0, {}, target, {}, {}, 0}); }
  void exit_state() { code.push_back({Op::exit_state}); }
  // Arguments are Refs only; put constants in temporaries with value(Op::mov, …).
  void call(Ref d, unsigned helper, Ref a = {}, Ref b = {}, Ref c = {}) { code.push_back({Op::call, 0, 0, 0, d, a, b, c, helper}); }
  void fp(Fp op, bool is_double, Ref d, Ref a, Ref b, u32 instruction, Ref c = {}) {
    code.push_back({Op::fp, 0, u8(u8(op) | (is_double ? fp_double : 0)), 0, d, a, b, c, instruction});
  }
  void insn(u32 pc, u8 length, u16 slot = 0) { code.push_back({Op::insn, 0, length, 0, {}, {}, {}, Ref{slot}, pc}); }

 private:
  void control(Op op, unsigned l, Ref a = {}, u8 aux = 0) { code.push_back({op, 0, aux, 0, {}, a, {}, Ref{u16(l)}, 0}); }
};

// A 32-bit guest register in the CPU state, at `offset` bytes.
struct GuestSlot {
  const char* name;
  u16 offset;
};

inline constexpr unsigned max_slots = 128;

struct GuestLayout {
  std::span<const GuestSlot> slots;  // at most max_slots
  // Slots best kept in host registers, most used first.
  std::span<const u8> pin_order;
  u16 flag_n, flag_z, flag_c, flag_v;  // byte offsets of the flag bytes
  std::span<const Helper> helpers;
  u16 fp_fast = 0;     // byte: rounding to nearest, no flushing, no vectors, and the inexact flag is set already
  u16 fp_flags = 0;    // word: results of compare in bits 31…28; the others are 0
  u16 fp_helper = 0;
  u32 mode_bits;  // of a pc with mode bits: those that are not address (Arm: 1)
  // Guest virtual addresses that never change their mapping, but when everything is flushed (see softmmu.hpp).
  u32 fixed_at = 0, fixed_size = 0;
  // An accel::FpLast: fp's inline operations note there what they computed, and abs and neg are arithmetic: not of NaN.
  u16 fp_last = 0;
  // Slots of floating-point registers, in pairs: each is two singles or one double.
  u16 fp_first = 0, fp_count = 0;
  // The slots before this one are general registers, which a region may pin.
  u16 pinnable = 0;
  u16 mode_bits_at = 0;  // word: the mode bits of the state's pc; 0: there are none
};

// Text of `-d op`.
std::string to_text(const Block& block, const GuestLayout& layout);

// Removes flags, temporaries and guest register writes that nobody can see.
void optimise(Block& block, accel::Layers layers = {});
}  // namespace tcg
