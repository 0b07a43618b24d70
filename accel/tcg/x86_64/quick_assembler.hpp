#pragma once
// asmjit's assembler with the forms that translated blocks are full of encoded right here: moves, arithmetic on 32 and 64
// bits, jumps.  What is not here, asmjit does.  Same bytes as asmjit's, so that tests can compare.
// Labels are ours too: within one block, jumps forward take 32 bits, jumps back 8 where they reach.
//
// Encodings: Intel SDM volume 2, chapters 2 to 5.

#include <asmjit/x86.h>

#include "core/base.hpp"
#include "core/log.hpp"

#include <bit>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace tcg::x86_64 {
namespace x86 = asmjit::x86;
using core::s32, core::s64, core::s8, core::u16, core::u32, core::u64, core::u8;

class QuickAssembler final : public x86::Assembler {
  using Base = x86::Assembler;
  using Gp = x86::Gp;
  using Mem = x86::Mem;
  using Imm = asmjit::Imm;
  using Label = asmjit::Label;

 public:
  // After it was attached to a CodeHolder.
  // Begins a block that will run at `address`.
  void begin(const u8* address) {
    run_at_ = address;
    _bufferPtr = _bufferData;
    _section->buffer()._size = 0;
    labels_.clear();
  }
  // The code since begin(); valid until the next.
  std::span<const u8> code() const {
    for (const Place& l : labels_) core::check(l.pending == none);
    return {_bufferData, offset()};
  }

  // ---- labels and jumps

  Label newLabel() override {
    labels_.push_back({});
    return Label(u32(labels_.size() - 1));
  }
  asmjit::Error bind(const Label& l) override {
    Place& p = labels_[l.id()];
    p.at = s32(offset());
    while (p.pending != none) {  // each field holds the offset of the one before
      u8* field = _bufferData + p.pending;
      const s32 before = core::load_le<s32>(field);
      core::store_le(field, p.at - (p.pending + 4));
      p.pending = before;
    }
    return asmjit::kErrorOk;
  }
  u32 here() const { return u32(_bufferPtr - _bufferData); }
  void jmp_back(u32 to) {
    u8* p = room();
    const s32 near = s32(to) - s32(here() + 2);
    const bool reaches = near >= -128;
    *p++ = reaches ? 0xeb : 0xe9;
    core::store_le(p, reaches ? near : near - 3);
    _bufferPtr = p + (reaches ? 1 : 4);
  }
  void jmp(const Label& l) { jump(l, 0xeb, 0xe9, false); }
  void j(x86::CondCode c, const Label& l) { jump(l, u8(0x70 | condition(c)), u8(0x80 | condition(c)), true); }
  void bytes(const void* from, std::size_t n) {
    std::memcpy(room(), from, n);
    _bufferPtr += n;
  }
  void data32(u32 v) {
    room();
    put32(v);
  }
  void call(const Label& l) { jump(l, 0, 0xe8, false); }
  void jmp(const Imm& to) { jump_to(0xe9, false, to); }
  void call(const Imm& to) { jump_to(0xe8, false, to); }
  void j(x86::CondCode c, const Imm& to) { jump_to(u8(0x80 | condition(c)), true, to); }
  void jmp(const Mem& m) { modrm({.opcode = 0xff}, 4, m); }
  void jmp(const Gp& r) { Base::jmp(r); }
  template <class To> void je(const To& t) { j(x86::CondCode::kE, t); }
  template <class To> void jz(const To& t) { j(x86::CondCode::kE, t); }
  template <class To> void jne(const To& t) { j(x86::CondCode::kNE, t); }
  template <class To> void jnz(const To& t) { j(x86::CondCode::kNE, t); }
  template <class To> void ja(const To& t) { j(x86::CondCode::kA, t); }
  template <class To> void jae(const To& t) { j(x86::CondCode::kAE, t); }
  template <class To> void jb(const To& t) { j(x86::CondCode::kB, t); }
  template <class To> void jbe(const To& t) { j(x86::CondCode::kBE, t); }
  template <class To> void js(const To& t) { j(x86::CondCode::kS, t); }
  template <class To> void jns(const To& t) { j(x86::CondCode::kNS, t); }
  template <class To> void jp(const To& t) { j(x86::CondCode::kP, t); }
  template <class To> void jnp(const To& t) { j(x86::CondCode::kNP, t); }

  // ---- moves

  void mov(const Gp& d, const Gp& s) { modrm(sized(0x88, d.size()), s, d); }
  void mov(const Gp& d, const Mem& s) { modrm(sized(0x8a, d.size()), d, s); }
  void mov(const Mem& d, const Gp& s) { modrm(sized(0x88, s.size()), s, d); }
  void mov(const Gp& d, const Imm& i) {
    if (d.size() != 4) return void(Base::mov(d, i));
    u8* p = room();
    if (d.id() & 8) *p++ = 0x41;
    *p++ = u8(0xb8 | (d.id() & 7));
    core::store_le(p, u32(i.value()));
    _bufferPtr = p + 4;
  }
  void mov(const Mem& d, const Imm& i) {
    if (d.size() == 1) modrm({.opcode = 0xc6}, 0, d), put8(u8(i.value()));
    else if (d.size() == 4) modrm({.opcode = 0xc7}, 0, d), put32(u32(i.value()));
    else Base::mov(d, i);
  }
  void lea(const Gp& d, const Mem& m) { modrm({.opcode = 0x8d, .wide = d.size() == 8}, d, m); }
  void movzx(const Gp& d, const Gp& s) { modrm({.opcode = u8(s.size() == 1 ? 0xb6 : 0xb7), .two = true, .wide = d.size() == 8, .byte = s.size() == 1}, d, s); }
  void movzx(const Gp& d, const Mem& s) { modrm({.opcode = u8(s.size() == 1 ? 0xb6 : 0xb7), .two = true, .wide = d.size() == 8}, d, s); }
  void movsx(const Gp& d, const Gp& s) { modrm({.opcode = u8(s.size() == 1 ? 0xbe : 0xbf), .two = true, .wide = d.size() == 8, .byte = s.size() == 1}, d, s); }
  void movsx(const Gp& d, const Mem& s) { modrm({.opcode = u8(s.size() == 1 ? 0xbe : 0xbf), .two = true, .wide = d.size() == 8}, d, s); }
  void bswap(const Gp& d) {
    u8* p = rex(room(), {.wide = d.size() == 8}, 0, 0, d.id());
    *p++ = 0x0f, *p++ = u8(0xc8 | (d.id() & 7));
    _bufferPtr = p;
  }
  void push(const Gp& r) { core::check(r.id() < 8), room(), put8(u8(0x50 | r.id())); }
  void pop(const Gp& r) { core::check(r.id() < 8), room(), put8(u8(0x58 | r.id())); }
  void ret() { room(), put8(0xc3); }
  // Instructions of three opcode bytes, 32 bits.
  void rorx(const Gp& d, const Gp& s, const Imm& by) {
    u8* p = room();
    *p++ = 0xc4;
    *p++ = u8((d.id() & 8 ? 0 : 0x80) | 0x40 | (s.id() & 8 ? 0 : 0x20) | 3);
    *p++ = 0x7b, *p++ = 0xf0;
    *p++ = u8(0xc0 | (d.id() & 7) << 3 | (s.id() & 7));
    *p++ = u8(by.value());
    _bufferPtr = p;
  }
  // page = [base + (address rotated right by `by` & mask) * 8 + table], and whether it is 0: rorx, and, mov, test in one.
  void rotated_entry(const Gp& page, const Gp& address, u8 by, u32 mask, const Gp& base, s32 table) {
    rorx(page, address, by);
    u8* p = room();
    const u8 r = u8(page.id() & 7), extended = page.id() >> 3;
    if (page.id() == 0) *p++ = 0x25;
    else p = rex(p, {}, 0, 0, page.id()), *p++ = 0x81, *p++ = u8(0xe0 | r);
    core::store_le(p, mask), p += 4;
    *p++ = u8(0x48 | extended << 2 | extended << 1), *p++ = 0x8b, *p++ = u8(0x84 | r << 3), *p++ = u8(0xc0 | r << 3 | base.id());
    core::store_le(p, table), p += 4;
    *p++ = u8(0x48 | extended << 2 | extended), *p++ = 0x85, *p++ = u8(0xc0 | r << 3 | r);
    _bufferPtr = p;
  }
  void movbe(const Gp& d, const Mem& s) { movbe(0xf0, d, s); }
  void movbe(const Mem& d, const Gp& s) { movbe(0xf1, s, d); }
  void set(x86::CondCode c, const Gp& d) { modrm({.opcode = u8(0x90 | condition(c)), .two = true, .byte = true}, 0, d); }
  void set(x86::CondCode c, const Mem& d) { modrm({.opcode = u8(0x90 | condition(c)), .two = true}, 0, d); }
  template <class To> void sets(const To& t) { set(x86::CondCode::kS, t); }
  template <class To> void setz(const To& t) { set(x86::CondCode::kE, t); }
  template <class To> void setc(const To& t) { set(x86::CondCode::kB, t); }
  template <class To> void setnc(const To& t) { set(x86::CondCode::kAE, t); }
  template <class To> void seto(const To& t) { set(x86::CondCode::kO, t); }

  // ---- arithmetic

  template <class A, class B> void add(const A& a, const B& b) { arithmetic(0, x86::Inst::kIdAdd, a, b); }
  template <class A, class B> void or_(const A& a, const B& b) { arithmetic(1, x86::Inst::kIdOr, a, b); }
  template <class A, class B> void and_(const A& a, const B& b) { arithmetic(4, x86::Inst::kIdAnd, a, b); }
  template <class A, class B> void sub(const A& a, const B& b) { arithmetic(5, x86::Inst::kIdSub, a, b); }
  template <class A, class B> void xor_(const A& a, const B& b) { arithmetic(6, x86::Inst::kIdXor, a, b); }
  template <class A, class B> void cmp(const A& a, const B& b) { arithmetic(7, x86::Inst::kIdCmp, a, b); }
  void test(const Gp& a, const Gp& b) { modrm(sized(0x84, a.size()), b, a); }
  void test(const Mem& a, const Gp& b) { modrm(sized(0x84, b.size()), b, a); }
  void test(const Gp& a, const Mem& b) { test(b, a); }
  void test(const Gp& a, const Imm& i) {
    const bool byte = a.size() == 1;
    if (a.size() == 2 || a.size() == 8) return void(Base::test(a, i));
    if (a.id() == 0) room(), put8(byte ? 0xa8 : 0xa9);
    else modrm({.opcode = u8(byte ? 0xf6 : 0xf7), .byte = byte}, 0, a);
    byte ? put8(u8(i.value())) : put32(u32(i.value()));
  }
  void test(const Mem& a, const Imm& i) { Base::test(a, i); }
  void shl(const Gp& d, const Imm& n) { shift(4, d, n); }
  void shr(const Gp& d, const Imm& n) { shift(5, d, n); }
  void sar(const Gp& d, const Imm& n) { shift(7, d, n); }
  template <class D> void shl(const D& d, const Gp& cl) { Base::shl(d, cl); }
  template <class D> void shr(const D& d, const Gp& cl) { Base::shr(d, cl); }
  template <class D> void sar(const D& d, const Gp& cl) { Base::sar(d, cl); }

  template <class A, class B, class C>
  void emit(asmjit::InstId id, const A& a, const B& b, const C& c) {
    Base::emit(id, a, b, c);
  }
  template <class A>
  void emit(asmjit::InstId id, const A& a) {
    Base::emit(id, a);
  }
  template <class A, class B>
  void emit(asmjit::InstId id, const A& a, const B& b) {
    emit_two(id, a, b);
  }

 private:
  void emit_two(asmjit::InstId id, const asmjit::Operand_& a, const asmjit::Operand_& b) {
    switch (id) {
      case x86::Inst::kIdMov: return with_types(a, b, [&](const auto& x, const auto& y) { mov(x, y); }, id);
      case x86::Inst::kIdTest: return with_types(a, b, [&](const auto& x, const auto& y) { test(x, y); }, id);
      case x86::Inst::kIdAdd: return with_types(a, b, [&](const auto& x, const auto& y) { add(x, y); }, id);
      case x86::Inst::kIdOr: return with_types(a, b, [&](const auto& x, const auto& y) { or_(x, y); }, id);
      case x86::Inst::kIdAnd: return with_types(a, b, [&](const auto& x, const auto& y) { and_(x, y); }, id);
      case x86::Inst::kIdSub: return with_types(a, b, [&](const auto& x, const auto& y) { sub(x, y); }, id);
      case x86::Inst::kIdXor: return with_types(a, b, [&](const auto& x, const auto& y) { xor_(x, y); }, id);
      case x86::Inst::kIdCmp: return with_types(a, b, [&](const auto& x, const auto& y) { cmp(x, y); }, id);
      default: Base::emit(id, a, b);
    }
  }

  static constexpr s32 none = -1;
  struct Place {
    s32 at = none;       // offset it is bound to
    s32 pending = none;  // last displacement to be filled in
  };
  // How an instruction with a ModRM byte begins.
  struct Form {
    u8 opcode = 0;
    bool two = false;     // 0F before the opcode
    bool wide = false;    // REX.W
    bool half = false;    // 66 prefix
    bool byte = false;    // its registers are bytes: 4 to 7 need a REX to be spl … dil
  };
  static Form sized(u8 opcode, u32 size) {  // opcodes whose bit 0 says: not bytes
    return {.opcode = u8(opcode | (size != 1)), .wide = size == 8, .half = size == 2, .byte = size == 1};
  }
  // asmjit numbers conditions as they are encoded.
  static u8 condition(x86::CondCode c) { return u8(c); }

  // No instruction is longer than 15 bytes; asmjit, which does not know what we wrote, finds room for one too.
  u8* room() {
    if (_bufferEnd - _bufferPtr < 64) [[unlikely]] grow();
    return _bufferPtr;
  }
  [[gnu::noinline, gnu::cold]] void grow() {
    _section->buffer()._size = offset();
    core::check(Base::code()->growBuffer(&_section->buffer(), 4096) == asmjit::kErrorOk);
  }
  void put8(u8 v) { *_bufferPtr++ = v; }
  void put32(u32 v) {
    core::store_le(_bufferPtr, v);
    _bufferPtr += 4;
  }
  // Bytes go through a pointer of their own: one in the object would be written back after each.
  static u8* rex(u8* p, Form f, u32 reg, u32 index, u32 base, bool low_bytes = false) {
    const u32 bits = u32(f.wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    if (bits || low_bytes) *p++ = u8(0x40 | bits);
    return p;
  }
  static u8* opcode(u8* p, Form f) {
    if (f.two) *p++ = 0x0f;
    *p++ = f.opcode;
    return p;
  }
  void modrm(Form f, u32 reg, const Gp& rm, bool reg_is_byte = false) {
    u8* p = room();
    if (f.half) *p++ = 0x66;
    p = opcode(rex(p, f, reg, 0, rm.id(), (f.byte && rm.id() >= 4) || (reg_is_byte && reg >= 4)), f);
    *p++ = u8(0xc0 | (reg & 7) << 3 | (rm.id() & 7));
    _bufferPtr = p;
  }
  void modrm(Form f, const Gp& reg, const Gp& rm) { modrm(f, reg.id(), rm, reg.size() == 1); }
  void modrm(Form f, const Gp& reg, const Mem& m) { modrm(f, reg.id(), m, reg.size() == 1); }
  void modrm(Form f, u32 reg, const Mem& m, bool reg_is_byte = false) {
    u8* p = room();
    if (f.half) *p++ = 0x66;
    const bool low_bytes = reg_is_byte && reg >= 4;
    p = opcode(rex(p, f, reg, index_of(m), m.baseId(), low_bytes), f);
    _bufferPtr = address(p, reg, m);
  }
  static u32 index_of(const Mem& m) { return m.hasIndex() ? m.indexId() : 0; }
  // [base + index << shift + offset], 64-bit registers.
  static u8* address(u8* p, u32 reg, const Mem& m) {
    using Signature = asmjit::OperandSignature;
    constexpr u32 base_mask = u32(Signature::kMemBaseTypeMask) | u32(Mem::kSignatureMemSegmentMask), index_mask = Signature::kMemIndexTypeMask;
    constexpr u32 quad = u32(asmjit::RegType::kX86_Gpq);
    const u32 bits = m.signature().bits(), indexed = bits & index_mask;
    core::check((bits & base_mask) == quad << Signature::kMemBaseTypeShift && (!indexed || indexed == quad << Signature::kMemIndexTypeShift));
    const u32 base = m.baseId() & 7;
    const s32 offset = m.offsetLo32();
    // rbp and r13 always take an offset; rsp and r12 as base take a SIB.
    const u32 mode = !offset && base != 5 ? 0 : offset == s8(offset) ? 1 : 2;
    const bool sib = indexed || base == 4;
    *p++ = u8(mode << 6 | (reg & 7) << 3 | (sib ? 4 : base));
    if (sib) *p++ = u8(indexed ? m.shift() << 6 | (m.indexId() & 7) << 3 | base : 0x20 | base);
    core::store_le(p, offset);
    return p + (0x0410u >> 4 * mode & 15);
  }

  void movbe(u8 last, const Gp& r, const Mem& m) {
    u8* p = room();
    if (r.size() == 2) *p++ = 0x66;
    p = rex(p, {.wide = r.size() == 8}, r.id(), index_of(m), m.baseId());
    *p++ = 0x0f, *p++ = 0x38, *p++ = last;
    _bufferPtr = address(p, r.id(), m);
  }
  void arithmetic(u32 n, asmjit::InstId, const Gp& a, const Gp& b) { modrm(sized(u8(n << 3), a.size()), b, a); }
  void arithmetic(u32 n, asmjit::InstId, const Gp& a, const Mem& b) { modrm(sized(u8(n << 3 | 2), a.size()), a, b); }
  void arithmetic(u32 n, asmjit::InstId, const Mem& a, const Gp& b) { modrm(sized(u8(n << 3), b.size()), b, a); }
  void arithmetic(u32 n, asmjit::InstId id, const Gp& a, const Imm& i) {
    const s64 v = i.value();
    if (a.size() == 1 || a.size() == 2) return void(Base::emit(id, a, i));
    const s32 low = s32(v);
    if (a.size() == 8 && v != low) return void(Base::emit(id, a, i));
    if (low == s8(low)) {
      modrm({.opcode = 0x83, .wide = a.size() == 8}, n, a);
      return put8(u8(low));
    }
    if (a.size() == 8) return void(Base::emit(id, a, i));
    if (a.id() == 0) room(), put8(u8(n << 3 | 5));
    else modrm({.opcode = 0x81}, n, a);
    put32(u32(low));
  }
  void arithmetic(u32 n, asmjit::InstId id, const Mem& a, const Imm& i) {
    const s32 low = s32(i.value());
    if (a.size() == 1) return modrm({.opcode = 0x80}, n, a), put8(u8(low));
    if (a.size() != 4) return void(Base::emit(id, a, i));
    const bool small = low == s8(low);
    modrm({.opcode = u8(small ? 0x83 : 0x81)}, n, a);
    small ? put8(u8(low)) : put32(u32(low));
  }
  void shift(u32 n, const Gp& d, const Imm& i) {
    if (d.size() != 4 && d.size() != 8) return void(Base::emit(n == 4 ? x86::Inst::kIdShl : n == 5 ? x86::Inst::kIdShr : x86::Inst::kIdSar, d, i));
    const u8 by = u8(i.value());
    modrm({.opcode = u8(by == 1 ? 0xd1 : 0xc1), .wide = d.size() == 8}, n, d);
    if (by != 1) put8(by);
  }

  // near_opcode 0: there is none.
  void jump(const Label& l, u8 near_opcode, u8 far_opcode, bool two) {
    u8* p = room();
    Place& to = labels_[l.id()];
    const s32 here = s32(p - _bufferData);
    if (near_opcode && to.at != none && to.at - (here + 2) >= -128) {
      *p++ = near_opcode;
      *p++ = u8(to.at - (here + 2));
      _bufferPtr = p;
      return;
    }
    if (two) *p++ = 0x0f;
    *p++ = far_opcode;
    const s32 field = s32(p - _bufferData);
    core::store_le(p, to.at != none ? to.at - (field + 4) : std::exchange(to.pending, field));
    _bufferPtr = p + 4;
  }
  // Thunks are in the same buffer as the code, so 32 bits reach.
  void jump_to(u8 opcode, bool two, const Imm& to) {
    u8* p = room();
    if (two) *p++ = 0x0f;
    *p++ = opcode;
    const s64 distance = s64(to.value()) - s64(reinterpret_cast<std::uintptr_t>(run_at_) + u64(p - _bufferData) + 4);
    core::check(distance == s32(distance));
    core::store_le(p, s32(distance));
    _bufferPtr = p + 4;
  }

  template <class F>
  void with_types(const asmjit::Operand_& a, const asmjit::Operand_& b, F f, asmjit::InstId id) {
    const bool gp = x86::Reg::isGp(a), gp2 = x86::Reg::isGp(b);
    if (gp && gp2) f(a.as<Gp>(), b.as<Gp>());
    else if (gp && b.isMem()) f(a.as<Gp>(), b.as<Mem>());
    else if (a.isMem() && gp2) f(a.as<Mem>(), b.as<Gp>());
    else if (gp && b.isImm()) f(a.as<Gp>(), b.as<Imm>());
    else if (a.isMem() && b.isImm()) f(a.as<Mem>(), b.as<Imm>());
    else Base::emit(id, a, b);
  }

  const u8* run_at_ = nullptr;
  std::vector<Place> labels_;
};
}  // namespace tcg::x86_64
