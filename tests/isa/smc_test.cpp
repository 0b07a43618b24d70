// Code that changes under the CPU: by its own stores, through another mapping, by DMA, in the next instruction, the
// next block, another page; and translated code that does not fit its buffer.  The interpreter and the translator,
// with blocks of 64 and of one instruction, must end with the same registers and memory, which each case states.

#include "tests/isa/fuzz_machine.hpp"

#include <cstdio>
#include <cstring>
#include <initializer_list>

using namespace fuzz;

namespace {
unsigned failures = 0;

struct Setup {
  const char* name;
  accel::EngineOptions options;
};
accel::EngineOptions options(bool interpret, std::size_t mib = 16, unsigned limit = 64) {
  accel::EngineOptions o;
  o.interpret = interpret;
  o.buffer_mib = mib;
  o.block_limit = limit;
  return o;
}
accel::EngineOptions without(accel::Layer layer) {
  accel::EngineOptions o;
  o.layers = o.layers.without(layer);
  return o;
}
const Setup setups[] = {{"interp", options(true)}, {"jit", options(false)}, {"interp, one instruction per block", options(true, 16, 1)},
                        {"jit, one instruction per block", options(false, 16, 1)}, {"jit, tb-size=1", options(false, 1)},
                        {"jit, opt=-chain", without(accel::Layer::chain)}, {"jit, opt=-probe", without(accel::Layer::probe)},
                        {"jit, opt=-tables", without(accel::Layer::tables)}, {"jit, opt=-fixed", without(accel::Layer::fixed)}};

void expect(bool good, const char* test, const char* setup, const char* what, u64 is, u64 should) {
  if (good) return;
  ++failures;
  std::printf("FAIL %s (%s): %s is %llx, not %llx\n", test, setup, what, static_cast<unsigned long long>(is), static_cast<unsigned long long>(should));
}

// A32 words.
constexpr u32 nop = 0xe1a0'0000;
constexpr u32 mov(u32 d, u32 byte) { return 0xe3a0'0000 | d << 12 | byte; }
constexpr u32 add(u32 d, u32 n, u32 byte) { return 0xe280'0000 | n << 16 | d << 12 | byte; }
constexpr u32 subs(u32 d, u32 n, u32 byte) { return 0xe250'0000 | n << 16 | d << 12 | byte; }
constexpr u32 str(u32 t, u32 n, u32 offset = 0) { return 0xe580'0000 | n << 16 | t << 12 | offset; }
constexpr u32 ldr(u32 t, u32 n, u32 offset = 0) { return 0xe590'0000 | n << 16 | t << 12 | offset; }
constexpr u32 branch(u32 from, u32 to, u32 condition = 14) { return condition << 28 | 0x0a00'0000 | ((to - from - 8) / 4 & 0xff'ffff); }
constexpr u32 bl(u32 from, u32 to) { return branch(from, to) | 0x0100'0000; }
constexpr u32 bx(u32 m) { return 0xe12f'ff10 | m; }
constexpr u32 ne = 1;

struct Program {
  Memory image{};
  Registers r{};
  Program() {
    r[at::cpsr] = arm::svc | 0xc0;
    r[at::control] = 0x0005'0078;
    r[at::pc] = code_at;
    r[at::ttbr] = l1_at;
    r[at::dacr] = 1;
  }
  void mmu() {
    write_page_tables(image);
    r[at::control] |= arm::ctl_m;
  }
  void put(u32 at, std::initializer_list<u32> words) {
    for (const u32 w : words) {
      store_le(image.data() + at, w);
      at += 4;
    }
  }
};

using Check = void (*)(Cpu& cpu, const char* test, const char* setup);
// Runs the program in every setup; `between` changes the machine after load().
void run(const char* test, const Program& p, std::initializer_list<std::pair<unsigned, u32>> registers,
         void (*prepare)(Cpu&) = nullptr, Check after = nullptr) {
  Memory first{};
  for (const Setup& s : setups) {
    Cpu cpu(s.options);
    stop_at_vectors_and_end(cpu.engine());
    cpu.load(p.image, p.r);
    if (prepare) prepare(cpu);
    const bool ended = cpu.run();
    expect(ended, test, s.name, "end", ended, 1);
    expect(cpu.state().pc == end_at, test, s.name, "pc", cpu.state().pc, end_at);
    const Registers r = registers_of(cpu.state());
    for (const auto& [place, value] : registers) expect(r[place] == value, test, s.name, register_name(place).c_str(), r[place], value);
    if (&s == setups) std::memcpy(first.data(), cpu.memory(), ram_size);
    else expect(!std::memcmp(first.data(), cpu.memory(), ram_size), test, s.name, "memory", 1, 0);
    if (after) after(cpu, test, s.name);
  }
}

// The store's own block: the very next instruction.
void next_instruction() {
  Program p;
  p.r[1] = code_at + 8;
  p.r[2] = mov(0, 2);
  p.put(code_at, {str(2, 1), nop, mov(0, 1), branch(code_at + 12, end_at)});
  run("the instruction after the next", p, {{0, 2}});
  p.r[1] = code_at + 4;
  p.put(code_at, {str(2, 1), mov(0, 1), nop, branch(code_at + 12, end_at)});
  run("the next instruction", p, {{0, 2}});
}

// A loop whose store patches an earlier instruction of the same block: the second turn sees it.
void earlier_in_loop() {
  Program p;
  p.r[1] = code_at;
  p.r[2] = add(0, 0, 0x10);
  p.r[3] = 3;
  p.put(code_at, {add(0, 0, 1), nop, str(2, 1), subs(3, 3, 1), branch(code_at + 16, code_at, ne), branch(code_at + 20, end_at)});
  run("earlier in the loop", p, {{0, 0x21}});
}

// A counter in the instruction itself: every turn writes new code.
void every_turn() {
  Program p;
  p.r[1] = code_at + 12;
  p.r[3] = 200;
  p.put(code_at, {ldr(2, 1), add(2, 2, 1), str(2, 1), mov(4, 0), 0xe080'0004 /* add r0, r0, r4 */, subs(3, 3, 1),
                  branch(code_at + 24, code_at, ne), branch(code_at + 28, end_at)});
  run("a new instruction every turn", p, {{0, 200 * 201 / 2}});
}

// A function in another block, page or both is patched between calls.
void other_block(const char* name, u32 function) {
  Program p;
  p.r[1] = function;
  p.r[2] = add(0, 0, 0x10);
  p.r[3] = 4;
  u32 at = code_at;
  p.put(at, {bl(at, function), str(2, 1), subs(3, 3, 1), branch(at + 12, at, ne), branch(at + 16, end_at)});
  p.put(function, {add(0, 0, 1), bx(14)});
  run(name, p, {{0, 0x31}});
}

// The same through another virtual address of the page.
void alias() {
  Program p;
  p.mmu();
  const u32 function = 0x2100;
  p.r[1] = 0x0020'0000 + function;  // a section on the same memory
  p.r[2] = add(0, 0, 0x10);
  p.r[3] = 4;
  p.put(code_at, {bl(code_at, function), str(2, 1), subs(3, 3, 1), branch(code_at + 12, code_at, ne), branch(code_at + 16, end_at)});
  p.put(function, {add(0, 0, 1), bx(14)});
  run("through another mapping", p, {{0, 0x31}});
  // First open both mappings for stores, then make code of the page, then store through either.
  p.r[at::dacr] = 0b11'00'01;
  p.r[5] = 0x2f00;
  p.r[6] = 0x0020'2f00;
  p.r[7] = 0x0080'2f00;
  p.put(code_at, {str(2, 5), str(2, 6), str(2, 7), bl(code_at + 12, function), str(2, 1), bl(code_at + 20, function),
                  mov(2, 0), str(2, 5), branch(code_at + 32, end_at)});
  run("pages open for stores before they held code", p, {{0, 0x11}});
  // The code itself runs at both addresses.
  p.r[4] = 0x0020'0000 + function;
  p.r[3] = 2;
  p.put(code_at, {bl(code_at, function), 0xe1a0'e00f /* mov lr, pc */, bx(4), str(2, 1), subs(3, 3, 1),
                  branch(code_at + 20, code_at, ne), branch(code_at + 24, end_at)});
  run("code at two addresses", p, {{0, 0x22}});
  // … and its own block is overwritten through the other address.
  Program own;
  own.mmu();
  own.r[1] = 0x0020'0000 + code_at + 4;
  own.r[2] = mov(0, 2);
  own.put(code_at, {str(2, 1), mov(0, 1), branch(code_at + 8, end_at)});
  run("the own block through another mapping", own, {{0, 2}});
}

// LDM and STM that run across the code being executed; the STM rewrites what follows it and itself.
void block_transfers() {
  Program p;
  p.r[1] = code_at - 4;
  const u32 words[] = {0, 0xe881'00fc, mov(0, 9), add(0, 0, 1), branch(code_at + 12, end_at), 0x55};
  for (u32 i = 0; i < 6; ++i) p.r[2 + i] = words[i];
  p.put(code_at, {0xe881'00fc /* stmia r1, {r2-r7} */, mov(0, 1), mov(0, 1), mov(0, 1), mov(0, 1), branch(code_at + 20, end_at)});
  run("stm over itself", p, {{0, 10}});
  p.r[1] = code_at - 8;
  p.put(code_at, {0xe891'00fc /* ldmia r1, {r2-r7} */, mov(0, 1), branch(code_at + 8, end_at), 7, 8, 9});
  run("ldm over itself", p, {{2, 0}, {4, 0xe891'00fc}, {5, mov(0, 1)}, {7, 7}});
  // STM across a page boundary into code of the next page.
  const u32 function = 0x3000;
  p.r[1] = function - 8;
  p.r[2] = 1, p.r[3] = 2, p.r[4] = add(0, 0, 5), p.r[5] = bx(14);
  p.put(code_at, {bl(code_at, function), 0xe881'003c /* stmia r1, {r2-r5} */, bl(code_at + 8, function), branch(code_at + 12, end_at)});
  p.put(function, {add(0, 0, 1), bx(14)});
  run("stm across a page into code", p, {{0, 6}});
}

// Bytes and halfwords, Thumb.
void narrow_stores() {
  Program p;
  p.r[1] = code_at + 4;
  p.r[2] = 0x77;
  p.put(code_at, {0xe5c1'2000 /* strb r2, [r1] */, mov(0, 1), branch(code_at + 8, end_at)});
  run("strb into the next instruction", p, {{0, 0x77}});
  Program t;
  t.r[at::cpsr] |= arm::cpsr_t;
  t.r[1] = code_at + 2;
  t.r[2] = 0x2042;  // movs r0, #0x42
  const u16 code[] = {0x800a /* strh r2, [r1] */, 0x2001 /* movs r0, #1 */, u16(0xe000 | ((end_at - code_at - 8) / 2))};
  std::memcpy(t.image.data() + code_at, code, sizeof code);
  run("strh into the next Thumb instruction", t, {{0, 0x42}});
}

// A store that faults in the middle of an STM that also hits code: the instruction is undone as a whole in registers.
void store_then_fault() {
  Program p;
  p.mmu();
  p.r[1] = 0x0060'2ff8;  // page 3 there is a hole
  p.r[2] = 1, p.r[3] = 2, p.r[4] = 3;
  p.put(code_at, {0xe8a1'001c /* stmia r1!, {r2-r4} */, branch(code_at + 4, end_at)});
  for (const Setup& s : setups) {
    Cpu cpu(s.options);
    stop_at_vectors_and_end(cpu.engine());
    cpu.load(p.image, p.r);
    cpu.run();
    const Registers r = registers_of(cpu.state());
    expect(r[at::pc] == 0x10, "stm into a hole", s.name, "pc", r[at::pc], 0x10);
    expect(r[at::far] == 0x0060'3000, "stm into a hole", s.name, "far", r[at::far], 0x0060'3000);
    expect(r[1] == 0x0060'2ff8, "stm into a hole", s.name, "base", r[1], 0x0060'2ff8);
    expect(r[14] == code_at + 8, "stm into a hole", s.name, "lr", r[14], code_at + 8);
  }
}

// A device writes code: between runs, and while the guest's store to it has not returned.
void dma() {
  Program p;
  const u32 function = 0x2100;
  p.put(code_at, {bl(code_at, function), branch(code_at + 4, end_at)});
  p.put(function, {mov(0, 1), bx(14)});
  for (const Setup& s : setups) {
    Cpu cpu(s.options);
    stop_at_vectors_and_end(cpu.engine());
    cpu.load(p.image, p.r);
    for (u32 turn = 0; turn < 5; ++turn) {
      cpu.poke(function, mov(0, 0x20 + turn), 4);
      cpu.state().pc = code_at;
      cpu.run();
      expect(cpu.state().r[0] == 0x20 + turn, "dma between runs", s.name, "r0", cpu.state().r[0], 0x20 + turn);
    }
  }
  const auto device = [](Cpu& cpu) {
    cpu.machine.on_store = [](TestBus& m, u32, u32 value) {
      const u32 word = mov(0, value & 0xff);
      m.dma_write(GuestPhys{value >> 8}, {reinterpret_cast<const u8*>(&word), 4});
    };
  };
  Program q;
  q.r[1] = 0x1000'0000;
  q.r[2] = function << 8 | 0x33;
  q.r[3] = 3;
  q.put(code_at, {bl(code_at, function), str(2, 1), bl(code_at + 8, function), subs(3, 3, 1), branch(code_at + 16, code_at, ne), branch(code_at + 20, end_at)});
  q.put(function, {mov(0, 1), bx(14)});
  run("dma of a function while the guest stores to the device", q, {{0, 0x33}}, device);
}

// The same code changed under another process: the mapping moves, the memory does not.
void remapped() {
  Program p;
  p.mmu();
  const u32 function = 0x2100;
  // Page 2 of MiB 0 goes to physical page 3, then the TLB is flushed.
  p.r[1] = l2_at + 4 * 2;
  p.r[2] = 0x3ff2;
  p.put(code_at, {bl(code_at, function), str(2, 1), 0xee08'0f17 /* mcr p15,0,r0,c8,c7,0 */, bl(code_at + 12, function),
                  0xe1a0'4000 /* mov r4, r0 */, 0xe3c2'2a01 /* bic r2, r2, #0x1000 */, str(2, 1)});
  // The second time only the page is flushed.
  p.put(code_at + 28, {0xe3a0'5a02 /* mov r5, #0x2000 */, 0xee08'5f37 /* mcr p15,0,r5,c8,c7,1 */, bl(code_at + 36, function), branch(code_at + 40, end_at)});
  p.put(0x2100, {mov(0, 0x22), bx(14)});
  p.put(0x3100, {mov(0, 0x33), bx(14)});
  run("code remapped", p, {{4, 0x33}, {0, 0x22}});
}

// More translated code than fits 1 MiB, run twice, changed in between: tb-size=1 flushes under load.
void buffer_full() {
  constexpr u32 from = 0x1'0000, words = 160 * 1024, memory = 1 << 20;
  u64 flushes[std::size(setups)] = {};
  u32 results[std::size(setups)] = {};
  unsigned n = 0;
  for (const Setup& s : setups) {
    Cpu cpu(s.options, memory);
    Program p;
    stop_at_vectors_and_end(cpu.engine());
    cpu.load(p.image, p.r);
    // eor r0, r0, r0 ror #k; add; a branch every 16 instructions.
    u8* code = cpu.memory() + from;
    u32 x = 12345;
    for (u32 i = 0; i < words - 1; ++i) {
      x = x * 1664525 + 1013904223;
      u32 w = x & 1 ? 0xe080'0000 | 0x060 | (x >> 8 & 0xf80) : 0xe220'0000 | (x >> 10 & 0xfff);
      if (i % 16 == 15) w = 0xeaff'ffff;  // b to the next word
      if (i % 64 == 33) w = 0x1281'1001;  // addne r1, r1, #1
      store_le(code + 4 * i, w);
    }
    store_le(code + 4 * (words - 1), branch(from + 4 * (words - 1), end_at));
    const u64 before = cpu.engine().stats().flushes;
    for (unsigned turn = 0; turn < 3; ++turn) {
      cpu.state().pc = from;
      const bool ended = cpu.run();
      expect(ended && cpu.state().pc == end_at, "more code than buffer", s.name, "pc", cpu.state().pc, end_at);
      cpu.poke(from + 0x8000, add(0, 0, turn + 1), 4);
    }
    flushes[n] = cpu.engine().stats().flushes - before;
    results[n] = cpu.state().r[0];
    expect(results[n] == results[0], "more code than buffer", s.name, "r0", results[n], results[0]);
    ++n;
  }
  expect(flushes[4] > 0, "more code than buffer", setups[4].name, "flushes", flushes[4], 1);
}
}  // namespace

int main() {
  next_instruction();
  earlier_in_loop();
  every_turn();
  other_block("the next block", code_at + 0x40);
  other_block("another page", 0x2100);
  other_block("the end of a page", 0x1ff8);
  alias();
  block_transfers();
  narrow_stores();
  store_then_fault();
  dma();
  remapped();
  buffer_full();
  std::printf(failures ? "%u failures\n" : "all pass\n", failures);
  return failures != 0;
}
