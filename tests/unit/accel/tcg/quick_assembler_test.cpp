// Every form QuickAssembler encodes itself against the same by asmjit.

#if PINSTRAP_HOST_X86_64
#include "accel/tcg/x86_64/quick_assembler.hpp"

#include <doctest/doctest.h>

#include <string>

namespace tcg::x86_64 {
namespace {
using asmjit::imm;

u8* const run_at = reinterpret_cast<u8*>(0x7000'0000'0000);

std::string hex(std::span<const u8> code) {
  std::string s;
  for (const u8 b : code) s += "0123456789abcdef"[b >> 4], s += "0123456789abcdef"[b & 15];
  return s;
}

struct Quick {
  asmjit::CodeHolder holder;
  QuickAssembler a;
  Quick() {
    holder.init(asmjit::Environment::host());
    holder.attach(&a);
  }
  template <class F>
  std::string operator()(F f) {
    a.begin(run_at);
    f(a);
    return hex(a.code());
  }
};
template <class F>
std::string by_asmjit(F f) {
  asmjit::CodeHolder holder;
  holder.init(asmjit::Environment::host(), reinterpret_cast<std::uintptr_t>(run_at));
  x86::Assembler a(&holder);
  f(a);
  holder.flatten();
  holder.resolveUnresolvedLinks();
  holder.relocateToBase(reinterpret_cast<std::uintptr_t>(run_at));
  const auto& b = holder.textSection()->buffer();
  return hex({b.data(), b.size()});
}

struct Same {
  Quick quick;
  // f(assembler) both ways.
  template <class F>
  void operator()(F f) {
    const std::string ours = quick(f), theirs = by_asmjit(f);
    if (ours != theirs) CHECK(ours == theirs);
    ++count;
  }
  unsigned count = 0;
};

constexpr s64 values[] = {0, 1, -1, 5, 127, 128, -128, -129, 255, 4095, 0x7fff'ffff, -0x7fff'ffff - 1};
std::vector<x86::Mem> places(u32 size) {
  std::vector<x86::Mem> all;
  for (u32 base = 0; base < 16; ++base)
    for (const s32 offset : {0, 8, -128, 128, 0x12345}) {
      all.push_back(x86::Mem(x86::gpq(base), offset, size));
      for (const u32 index : {0u, 3u, 5u, 9u, 12u, 13u, 15u})
        for (const u32 shift : {0u, 2u, 3u}) all.push_back(x86::Mem(x86::gpq(base), x86::gpq(index), shift, offset, size));
    }
  return all;
}
x86::Gp reg(u32 id, u32 size) { return size == 1 ? x86::Gp(x86::gpb_lo(id)) : size == 2 ? x86::Gp(x86::gpw(id)) : size == 4 ? x86::Gp(x86::gpd(id)) : x86::Gp(x86::gpq(id)); }
constexpr asmjit::InstId two_operand[] = {x86::Inst::kIdMov, x86::Inst::kIdTest, x86::Inst::kIdAdd, x86::Inst::kIdOr, x86::Inst::kIdAnd,
                                          x86::Inst::kIdSub, x86::Inst::kIdXor,  x86::Inst::kIdCmp};
}  // namespace

TEST_CASE("quick assembler: register and register, of every size") {
  Same same;
  for (const u32 size : {1u, 2u, 4u, 8u})
    for (u32 d = 0; d < 16; ++d)
      for (u32 s = 0; s < 16; ++s)
        for (const auto id : two_operand) same([&](auto& a) { a.emit(id, reg(d, size), reg(s, size)); });
  CHECK(same.count == 4 * 256 * 8);
}
TEST_CASE("quick assembler: register and constant, memory and constant") {
  Same same;
  for (const auto id : two_operand)
    for (const s64 v : values) {
      for (const u32 size : {4u, 8u})
        for (u32 d = 0; d < 16; ++d) same([&](auto& a) { a.emit(id, reg(d, size), imm(v)); });
      same([&](auto& a) { a.emit(id, x86::dword_ptr(x86::rbp, 24), imm(s32(v))); });
      same([&](auto& a) { a.emit(id, x86::byte_ptr(x86::rbp, 300), imm(v & 1)); });
    }
  for (u32 d = 0; d < 16; ++d) same([&](auto& a) { a.test(x86::gpb_lo(d), 0xe0); });
}
TEST_CASE("quick assembler: memory operands of all shapes") {
  Same same;
  for (const u32 size : {1u, 2u, 4u, 8u})
    for (const x86::Mem& m : places(size))
      for (const u32 r : {0u, 3u, 4u, 6u, 8u, 13u}) {
        same([&](auto& a) { a.mov(reg(r, size), m); });
        same([&](auto& a) { a.mov(m, reg(r, size)); });
        same([&](auto& a) { a.emit(x86::Inst::kIdCmp, m, reg(r, size)); });
        same([&](auto& a) { a.emit(x86::Inst::kIdAdd, reg(r, size), m); });
        same([&](auto& a) { a.emit(x86::Inst::kIdTest, m, reg(r, size)); });
        if (size >= 4) same([&](auto& a) { a.lea(reg(r, size), m); });
        if (size <= 2) same([&](auto& a) { a.movzx(reg(r, 4), m); });
        if (size <= 2) same([&](auto& a) { a.movsx(reg(r, 4), m); });
      }
  for (const x86::Mem& m : places(8)) same([&](auto& a) { a.jmp(m); });
  for (const u32 size : {2u, 4u, 8u})
    for (const x86::Mem& m : places(size))
      for (const u32 r : {0u, 6u, 13u}) {
        same([&](auto& a) { a.movbe(reg(r, size), m); });
        same([&](auto& a) { a.movbe(m, reg(r, size)); });
      }
}
TEST_CASE("quick assembler: rotations to another register, and the stack") {
  Same same;
  for (u32 d = 0; d < 16; ++d)
    for (u32 s = 0; s < 16; ++s) same([&](auto& a) { a.rorx(x86::gpd(d), x86::gpd(s), imm(12)); });
  for (u32 r = 0; r < 8; ++r) {
    same([&](auto& a) { a.push(x86::gpq(r)); });
    same([&](auto& a) { a.pop(x86::gpq(r)); });
  }
  same([](auto& a) { a.ret(); });
}
TEST_CASE("quick assembler: conditions, extensions and shifts") {
  Same same;
  for (u32 c = 0; c < 16; ++c) {
    const auto cc = x86::CondCode(c);
    for (u32 d = 0; d < 16; ++d) same([&](auto& a) { a.set(cc, x86::gpb_lo(d)); });
    same([&](auto& a) { a.set(cc, x86::byte_ptr(x86::rbp, 200)); });
    same([&](auto& a) { a.j(cc, imm(reinterpret_cast<std::uintptr_t>(run_at) + 0x12345)); });
  }
  for (u32 d = 0; d < 16; ++d)
    for (u32 s = 0; s < 16; ++s) {
      same([&](auto& a) { a.movzx(x86::gpd(d), x86::gpb_lo(s)); });
      same([&](auto& a) { a.movzx(x86::gpd(d), x86::gpw(s)); });
      same([&](auto& a) { a.movsx(x86::gpd(d), x86::gpb_lo(s)); });
      same([&](auto& a) { a.movsx(x86::gpd(d), x86::gpw(s)); });
    }
  for (u32 d = 0; d < 16; ++d)
    for (const u32 size : {4u, 8u}) {
      same([&](auto& a) { a.bswap(reg(d, size)); });
      for (const u32 n : {1u, 2u, 12u, 31u}) {
        same([&](auto& a) { a.shl(reg(d, size), imm(n)); });
        same([&](auto& a) { a.shr(reg(d, size), imm(n)); });
        same([&](auto& a) { a.sar(reg(d, size), imm(n)); });
      }
    }
}
TEST_CASE("quick assembler: labels, forward and back, near and far, and jumps to thunks") {
  Same same;
  for (const int between : {0, 1, 100, 120, 125, 130, 1000})
    same([&](auto& a) {
      const auto back = a.newLabel(), forward = a.newLabel(), other = a.newLabel();
      a.bind(back);
      a.jnz(forward);
      a.jmp(other);
      a.ja(forward);
      a.call(other);
      a.call(back);
      for (int n = 0; n < between; ++n) a.cmc();
      a.jmp(back);
      a.jz(back);
      a.bind(forward);
      a.bind(other);
      a.call(imm(reinterpret_cast<std::uintptr_t>(run_at) - 0x1000));
      a.jmp(imm(reinterpret_cast<std::uintptr_t>(run_at) - 0x1000));
    });
}
TEST_CASE("quick assembler: long code, ours and asmjit's mixed, finds room") {
  Same same;
  same([&](auto& a) {
    for (int n = 0; n < 20'000; ++n) {
      a.mov(x86::gpd(n % 16), x86::dword_ptr(x86::rbp, 4 * n));
      if (n % 3 == 0) a.shlx(x86::eax, x86::ecx, x86::edx);
      if (n % 7 == 0) a.add(x86::qword_ptr(x86::rbp, 12345), imm(99999));
    }
  });
}
}  // namespace tcg::x86_64
#endif
