// What translated ARM, Thumb and VFP code does, run by the interpreter of the intermediate code, and the shape of
// blocks.  Sections without a document are those of DDI 0100I.  Long because every case runs on the one Guest below.

#include "cpus/arm/front_end.hpp"

#include "cpus/arm/models.hpp"

#include "accel/engine.hpp"
#include "accel/tcg/interp.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <bit>
#include <cstring>
#include <new>

namespace arm {
namespace {
// One CPU with a mebibyte of memory at 0, run by the interpreter of the intermediate code.  The page at `hole` is
// not there: accesses to it abort.
class Guest {
 public:
  static constexpr u32 size = 0x10'0000, code = 0x1000, hole = 0x8000, data_abort_vector = 0x10;

  Guest() {
    s.machine = &board;
    s.model = &model;
    arm::reset(s);
    for (u32 page = 0; page < size; page += 0x1000)
      for (unsigned privilege = 0; privilege < 2; ++privilege)
        for (bool store : {false, true})
          if (page != hole)
            accel::page_table(&s, privilege, store)[page >> accel::page_bits] = reinterpret_cast<u64>(memory.data());
    fill_port(std::make_index_sequence<32>());
    s.engine = this;
  }
  ~Guest() { munmap(&s, accel::vcpu_mapping_size); }

  MachineBase board;
  CpuState& s = *new (map()) CpuState;
  std::vector<u8> memory = std::vector<u8>(size);
  std::set<u32> breakpoints;
  unsigned blocks = 0;  // executed by the last run

  u32 word(u32 at) const { return load_le<u32>(&memory[at]); }
  void set_word(u32 at, u32 v) { store_le<u32>(&memory[at], v); }
  u32 flags() const { return read_cpsr(s) >> 28; }
  void set_flags(u32 nzcv) { s.n = nzcv >> 3, s.z = nzcv >> 2 & 1, s.c = nzcv >> 1 & 1, s.v = nzcv & 1; }
  void user_mode() { write_cpsr(s, (read_cpsr(s) & ~cpsr_mode) | usr); }

  // Runs instructions placed at `code` until the pc leaves them, or `stop` is reached.
  void arm(std::initializer_list<u32> words) { run(words, 0); }
  void thumb(std::initializer_list<u16> halves) { run(halves, 1); }
  // The optimised intermediate code of these instructions and how they end.
  std::string ir(std::initializer_list<u32> words) {
    put(code, words);
    tcg::Block b;
    translate(code, b, unsigned(words.size()));
    tcg::optimise(b);
    return tcg::to_text(b, front.layout());
  }
  tcg::Request translate(u32 pc, tcg::Block& b, unsigned limit) {
    const u32 at = pc & ~1u;
    tcg::Request r{.pc = pc,
                   .mode = front.mode(s),
                   .code = &memory[at],
                   .bytes = 0x1000 - (at & 0xfff),
                   .limit = limit,
                   .breakpoints = &breakpoints,
                   .out = &b};
    front.translate(r);
    return r;
  }
  template <class T>
  void put(u32 at, std::initializer_list<T> words) {
    for (T w : words) {
      store_le<T>(&memory[at], w);
      at += sizeof(T);
    }
  }
  // Executes blocks until the pc is outside [first, last).
  void execute(u32 first, u32 last, unsigned limit = 64) {
    tcg::Interpreter interpreter(s, front, port);
    for (blocks = 0; s.pc >= first && s.pc < last && blocks < 1000; ++blocks) {
      tcg::Block b;
      translate(front.pc(s), b, limit);
      tcg::optimise(b);
      interpreter.run(b);
    }
  }

  ArmFrontEnd front;

 private:
  template <class T>
  void run(std::initializer_list<T> words, u32 thumb) {
    put(code, words);
    front.set_pc(s, code | thumb);
    execute(code, code + u32(words.size() * sizeof(T)));
  }
  static void* map() {
    return mmap(nullptr, accel::vcpu_mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0);
  }
  static u8* place(tcg::VcpuHeader* c, u32 va) {
    Guest& g = *static_cast<Guest*>(c->engine);
    if (va < size && va / 0x1000 != hole / 0x1000) return &g.memory[va];
    take_exception(g.s, Exception::data_abort, g.s.pc + 8);
    return nullptr;
  }
  // As without alignment checking: words are rotated, but those of mem_plain, and low address bits ignored.
  template <std::size_t aux>
  static u64 slow_load(tcg::VcpuHeader* c, u32 va) noexcept {
    const u32 bytes = 1u << (aux & tcg::mem_size);
    const u8* p = place(c, va & ~(bytes - 1));
    if (!p) return accel::outcome_leave;
    const u32 v = bytes == 4 ? load_le<u32>(p) : bytes == 2 ? load_le<u16>(p) : *p;
    if (aux & tcg::mem_signed) return bytes == 2 ? u32(s32(s16(v))) : u32(s32(s8(v)));
    return bytes == 4 && !(aux & tcg::mem_plain) ? std::rotr(v, int(va % 4 * 8)) : v;
  }
  template <std::size_t aux>
  static u64 slow_store(tcg::VcpuHeader* c, u32 va, u32 v) noexcept {
    const u32 bytes = 1u << (aux & tcg::mem_size);
    u8* p = place(c, va & ~(bytes - 1));
    if (!p) return accel::outcome_leave;
    if (bytes == 4)
      store_le<u32>(p, v);
    else if (bytes == 2)
      store_le<u16>(p, u16(v));
    else
      *p = u8(v);
    return 0;
  }
  template <std::size_t... aux>
  void fill_port(std::index_sequence<aux...>) {
    ((port.load[aux] = slow_load<aux>, port.store[aux] = slow_store<aux>), ...);
  }

  static constexpr CpuModel model{"test", "", 0x4106'9265, 0, 0, true};
  accel::Port port;
};

u32 count(const std::string& text, const char* what) {
  u32 n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++n;
  return n;
}
constexpr u32 n = 8, z = 4, c = 2, v = 1;  // Guest::flags()

// ---- conditions ----

TEST_CASE("arm: instructions under one condition share a branch until one writes the flags (§A3.2)") {
  Guest g;
  const std::string text = g.ir({0x02800001, 0x03a01002, 0x02922001, 0x03a03003});  // addeq moveq addseq moveq
  CHECK(count(text, "br_cond.ne") == 2);
  CHECK(count(text, "label") == 2);
  g.set_flags(z);
  g.s.r[2] = 1;
  g.arm({0x02800001, 0x03a01002, 0x02922001, 0x03a03003});
  CHECK(g.s.r[0] == 1);
  CHECK(g.s.r[1] == 2);
  CHECK(g.s.r[2] == 2);
  CHECK(g.s.r[3] == 0);
}

TEST_CASE("arm: flags that are written again before anyone reads them are not computed") {
  Guest g;
  const std::string text = g.ir({0xe29102ff, 0xe29102ff});  // adds r0, r1, #0xf000000f, twice
  CHECK(count(text, "{nzcv}") == 1);
}

// ---- data processing ----

TEST_CASE("arm: shifts by 32 and rrx, encoded as shifts by 0 (§A5.1.8, §A5.1.10, §A5.1.13)") {
  Guest g;
  g.s.r[1] = 0x8000'0001;
  g.arm({0xe1b00021});  // lsrs r0, r1, #32
  CHECK(g.s.r[0] == 0);
  CHECK(g.flags() == (z | c));
  g.arm({0xe1b00041});  // asrs r0, r1, #32
  CHECK(g.s.r[0] == 0xffff'ffff);
  CHECK(g.flags() == (n | c));
  g.set_flags(v);
  g.arm({0xe1b00061});  // rrxs r0, r1
  CHECK(g.s.r[0] == 0x4000'0000);
  CHECK(g.flags() == (c | v));
}

TEST_CASE("arm: carry out of shifts by a register (§A5.1.6 to §A5.1.12)") {
  struct {
    u32 insn, amount, result, carry;
  } const cases[] = {
      {0xe1b00211, 0, 0x8000'0001, 1},
      {0xe1b00211, 1, 2, 1},
      {0xe1b00211, 32, 0, 1},
      {0xe1b00211, 33, 0, 0},
      {0xe1b00211, 256, 0x8000'0001, 1},
      {0xe1b00231, 1, 0x4000'0000, 1},
      {0xe1b00231, 32, 0, 1},
      {0xe1b00231, 33, 0, 0},
      {0xe1b00251, 40, 0xffff'ffff, 1},
      {0xe1b00251, 2, 0xe000'0000, 0},
      {0xe1b00271, 32, 0x8000'0001, 1},
      {0xe1b00271, 33, 0xc000'0000, 1},
  };
  for (const auto& i : cases) {
    CAPTURE(i.insn);
    CAPTURE(i.amount);
    Guest g;
    g.s.r[1] = 0x8000'0001;
    g.s.r[2] = i.amount;
    g.set_flags(c);
    g.arm({i.insn});
    CHECK(g.s.r[0] == i.result);
    CHECK(g.s.c == i.carry);
  }
}

TEST_CASE("arm: a rotated immediate is a carry for logical operations only (§A5.1.3)") {
  Guest g;
  g.s.r[1] = 0x10;
  g.arm({0xe21102ff});  // ands r0, r1, #0xf000000f
  CHECK(g.s.r[0] == 0);
  CHECK(g.flags() == (z | c));
  g.arm({0xe29102ff});  // adds
  CHECK(g.s.r[0] == 0xf000'001f);
  CHECK(g.flags() == n);
}

TEST_CASE("arm: the pc reads 8 ahead, and writing it keeps the instruction set (§A2.4.3)") {
  Guest g;
  g.arm({0xe28f0004});  // add r0, pc, #4
  CHECK(g.s.r[0] == Guest::code + 12);
  g.s.r[0] = 0;
  g.arm({0xe28ff004, 0xe2800001, 0xe2800001, 0xe2800001});  // add pc, pc, #4 over two of three add r0, r0, #1
  CHECK(g.s.r[0] == 1);
}

TEST_CASE("arm: S with the pc as destination restores the CPSR (§A4.1.35)") {
  Guest g;
  g.s.spsr = cpsr_c | cpsr_t | usr;
  g.s.r[14] = 0x2345;
  g.arm({0xe1b0f00e});  // movs pc, lr
  CHECK(g.s.pc == 0x2344);
  CHECK(read_cpsr(g.s) == (cpsr_c | cpsr_t | usr));
  CHECK(g.front.mode(g.s) == 1);
}

TEST_CASE("arm: in user mode, which has no SPSR, it is a branch") {
  Guest g;
  g.user_mode();
  g.s.spsr = svc;
  g.s.r[14] = 0x2345;
  g.arm({0xe1b0f00e});
  CHECK(g.s.pc == 0x2344);
  CHECK(g.s.privilege == 1);
}

TEST_CASE("arm: long multiplies add 64 bits and leave C and V alone (§A4.1.132)") {
  Guest g;
  g.set_flags(c | v);
  g.s.r[0] = 0xffff'ffff;
  g.s.r[1] = 1;
  g.s.r[2] = 0x8000'0000;
  g.s.r[3] = 2;
  g.arm({0xe0a10392});  // umlal r0, r1, r2, r3
  CHECK(g.s.r[0] == 0xffff'ffff);
  CHECK(g.s.r[1] == 2);
  g.s.r[2] = g.s.r[3] = 1;
  g.arm({0xe0a10392});
  CHECK(g.s.r[0] == 0);
  CHECK(g.s.r[1] == 3);
  g.s.r[2] = 0;
  g.arm({0xe0910392});  // umulls
  CHECK(g.flags() == (z | c | v));
}

TEST_CASE("arm: saturation sets Q, and Q stays (§A4.1.46, §A2.5.1)") {
  Guest g;
  g.s.r[1] = 0x7fff'ffff;
  g.s.r[2] = 1;
  g.arm({0xe1020051});  // qadd r0, r1, r2
  CHECK(g.s.r[0] == 0x7fff'ffff);
  CHECK(g.s.q == 1);
  g.s.r[1] = 0;
  g.arm({0xe1020051});
  CHECK(g.s.r[0] == 1);
  CHECK(g.s.q == 1);
  g.s.q = 0;
  g.s.r[1] = 0xffff'ffff;
  g.s.r[2] = 0x4000'0000;
  g.arm({0xe1620051});  // qdsub r0, r1, r2: the doubling saturates
  CHECK(g.s.r[0] == 0x8000'0000);
  CHECK(g.s.q == 1);
}

TEST_CASE("arm: an accumulation that overflows wraps and sets Q (§A4.1.75)") {
  Guest g;
  g.s.r[1] = g.s.r[2] = 0x7fff;
  g.s.r[3] = 0x7fff'ffff;
  g.arm({0xe1003281});  // smlabb r0, r1, r2, r3
  CHECK(g.s.r[0] == 0x7fff * 0x7fff + 0x7fff'ffffu);
  CHECK(g.s.q == 1);
}

// ---- loads and stores ----

TEST_CASE("arm: after an abort the base is what it was (DDI 0198E §1.1)") {
  for (u32 insn : {0xe5b10004u, 0xe8b10005u, 0xe12120f3u, 0xe8a10005u}) {  // ldr !, ldm !, strd !, stm !
    CAPTURE(insn);
    Guest g;
    g.s.r[1] = Guest::hole - 4;
    g.s.r[3] = u32(-4);
    g.arm({insn});
    CHECK(g.s.pc == Guest::data_abort_vector);
    CHECK(g.s.r[14] == Guest::code + 8);
    CHECK(g.s.r[1] == Guest::hole - 4);
  }
}

TEST_CASE("arm: a base in the list of ldm is loaded, but not when a later word aborts") {
  Guest g;
  g.put<u32>(0x4000, {10, 11, 12});
  g.s.r[1] = 0x4000;
  g.arm({0xe8b10007});  // ldm r1!, {r0, r1, r2}
  CHECK(g.s.r[0] == 10);
  CHECK(g.s.r[1] == 11);
  CHECK(g.s.r[2] == 12);
  g.s.r[1] = Guest::hole - 8;
  g.arm({0xe8b10007});
  CHECK(g.s.pc == Guest::data_abort_vector);
  CHECK(g.s.r[1] == Guest::hole - 8);
}

TEST_CASE("arm: stm stores the old base wherever it stands in the list") {
  Guest g;
  g.s.r[1] = 0x4000;
  g.arm({0xe8a10007});  // stm r1!, {r0, r1, r2}
  CHECK(g.word(0x4004) == 0x4000);
  CHECK(g.s.r[1] == 0x400c);
}

TEST_CASE("arm: the four directions of block transfers (§A5.4)") {
  Guest g;
  g.put<u32>(0x4000, {1, 2, 3, 4, 5});
  g.s.r[1] = 0x4008;
  g.arm({0xe9910005});  // ldmib r1, {r0, r2}
  CHECK(g.s.r[0] == 4);
  CHECK(g.s.r[2] == 5);
  g.arm({0xe9310005});  // ldmdb r1!, {r0, r2}
  CHECK(g.s.r[0] == 1);
  CHECK(g.s.r[2] == 2);
  CHECK(g.s.r[1] == 0x4000);
  g.s.r[1] = 0x4010;
  g.arm({0xe8210005});  // stmda r1!, {r0, r2}
  CHECK(g.word(0x400c) == 1);
  CHECK(g.word(0x4010) == 2);
  CHECK(g.s.r[1] == 0x4008);
}

TEST_CASE("arm: an empty list moves the base by 16 words and nothing else") {
  Guest g;
  g.s.r[1] = 0x4000;
  g.arm({0xe8b10000});  // ldmia r1!, {}
  CHECK(g.s.r[1] == 0x4040);
  g.arm({0xe9210000});  // stmdb r1!, {}
  CHECK(g.s.r[1] == 0x4000);
}

TEST_CASE("arm: stored, the pc is 12 ahead; loaded, its bit 0 selects Thumb (§A2.4.3, §A4.1.23)") {
  Guest g;
  g.s.r[1] = 0x4000;
  g.arm({0xe581f000});  // str pc, [r1]
  CHECK(g.word(0x4000) == Guest::code + 12);
  g.set_word(0x4000, 0x2345);
  g.arm({0xe591f000});  // ldr pc, [r1]
  CHECK(g.front.pc(g.s) == 0x2345);
}

TEST_CASE("arm: ldm with the pc changes the instruction set (§A4.1.20)") {
  Guest g;
  g.put<u32>(0x4000, {7, 0x2345});
  g.s.r[1] = 0x4000;
  g.arm({0xe8918001});  // ldm r1, {r0, pc}
  CHECK(g.s.r[0] == 7);
  CHECK(g.front.pc(g.s) == 0x2345);
}

TEST_CASE("arm: doubleword loads may load their base (§A4.1.26)") {
  Guest g;
  g.put<u32>(0x4000, {7, 8});
  g.s.r[0] = 0x4000;
  g.arm({0xe1c000d0});  // ldrd r0, [r0]
  CHECK(g.s.r[0] == 7);
  CHECK(g.s.r[1] == 8);
}

TEST_CASE("arm: a post-indexed load may load its offset") {
  Guest g;
  g.set_word(0x4000, 7);
  g.s.r[0] = 0x10;
  g.s.r[1] = 0x4000;
  g.arm({0xe6910000});  // ldr r0, [r1], r0
  CHECK(g.s.r[0] == 7);
  CHECK(g.s.r[1] == 0x4010);
}

TEST_CASE("arm: swp of an unaligned word loads it rotated (§A4.1.108)") {
  Guest g;
  g.set_word(0x4000, 0x4433'2211);
  g.s.r[1] = 0x4001;
  g.s.r[2] = 5;
  g.arm({0xe1010092});  // swp r0, r2, [r1]
  CHECK(g.s.r[0] == 0x1144'3322);
  CHECK(g.word(0x4000) == 5);
}

TEST_CASE("arm: ^ without the pc moves the user mode registers (§A4.1.21, §A4.1.98)") {
  Guest g;
  g.s.bank_r13[CpuState::bank_usr] = 0x111;
  g.s.bank_r14[CpuState::bank_usr] = 0x222;
  g.s.r[13] = 0x333;
  g.s.r[1] = 0x4000;
  g.arm({0xe8c16001});  // stm r1, {r0, sp, lr}^
  CHECK(g.word(0x4004) == 0x111);
  CHECK(g.word(0x4008) == 0x222);
  g.put<u32>(0x4000, {4, 5, 6});
  g.arm({0xe8d16001});  // ldm
  CHECK(g.s.r[0] == 4);
  CHECK(g.s.bank_r13[CpuState::bank_usr] == 5);
  CHECK(g.s.bank_r14[CpuState::bank_usr] == 6);
  CHECK(g.s.r[13] == 0x333);
}

TEST_CASE("arm: ^ with the pc returns from an exception (§A4.1.22)") {
  Guest g;
  g.s.spsr = cpsr_t | usr;
  g.s.r[13] = 0x4000;
  g.put<u32>(0x4000, {9, 0x2346});
  g.arm({0xe8fd8001});  // ldm sp!, {r0, pc}^
  CHECK(g.s.r[0] == 9);
  CHECK(g.front.pc(g.s) == 0x2347);
  CHECK(g.s.bank_r13[CpuState::bank_svc] == 0x4008);
}

// ---- status registers, exceptions, coprocessors ----

TEST_CASE("arm: msr in user mode changes flags only (§A4.1.38)") {
  Guest g;
  g.user_mode();
  g.s.r[0] = 0xf800'00d3;
  g.arm({0xe129f000});  // msr cpsr_fc, r0
  CHECK(read_cpsr(g.s) == (0xf800'0000 | (read_cpsr(g.s) & (cpsr_i | cpsr_f)) | usr));
  CHECK(g.s.privilege == 1);
}

TEST_CASE("arm: msr leaves the block only when the next instruction depends on it") {
  Guest g;
  g.s.r[0] = svc | cpsr_i;
  g.arm({0xe121f000, 0xe2811001});  // msr cpsr_c, r0; add r1, r1, #1
  CHECK(g.blocks == 1);
  g.s.r[0] = usr;
  g.arm({0xe121f000, 0xe2811001});
  CHECK(g.blocks == 2);
  CHECK(g.s.r[1] == 2);
  CHECK(g.s.privilege == 1);
}

TEST_CASE("arm: msr changes what write_cpsr() does, in line or not, and mrs reads what read_cpsr() does (§A4.1.38, §A4.1.39)") {
  constexpr u32 control = 0xdf, all = 0xf800'00df;
  for (const u32 before : {svc | cpsr_i, u32(svc), irq | cpsr_i | cpsr_f, fiq | cpsr_f, sys | 1u << 8})
    for (const u32 to : {svc | cpsr_i, u32(svc), irq | cpsr_i, 0xa800'0000 | svc | cpsr_f, 0x5000'0000 | svc | cpsr_i, u32(sys), 0x1fu << 27 | fiq})
      for (const u32 lines : {0u, 1u, 2u})
        for (const bool kicked : {false, true})
          for (const auto& [msr, mask] : {std::pair{0xe121f000u, control}, std::pair{0xe129f000u, all}}) {
            CAPTURE(before);
            CAPTURE(to);
            Guest g, expected;
            for (Guest* one : {&g, &expected}) {
              one->s.irq_lines = lines;
              one->s.bank_r13[CpuState::bank_fiq] = 0x6000;
              write_cpsr(one->s, 0x3000'0000 | before);
              one->s.r[0] = to;
              one->s.r[13] += 0x100;
            }
            if (kicked) g.s.exit_request |= request_kick;
            g.arm({msr});
            write_cpsr(expected.s, (read_cpsr(expected.s) & ~mask) | (to & mask));
            CHECK(read_cpsr(g.s) == read_cpsr(expected.s));
            CHECK((g.s.r[13] == expected.s.r[13] && g.s.privilege == expected.s.privilege));
            CHECK((g.s.exit_request & request_interrupt) == (expected.s.exit_request & request_interrupt));
            g.arm({0xe10f1000});  // mrs r1, cpsr
            CHECK(g.s.r[1] == read_cpsr(expected.s));
          }
}

TEST_CASE("arm: exceptions leave the state of the instruction that raised them (§A2.6)") {
  struct {
    u32 insn, vector, link;
  } const cases[] = {
      {0xef000005, 0x08, 4},  // svc #5
      {0xe1200073, 0x0c, 4},  // bkpt
      {0xe7f000f0, 0x04, 4},  // undefined
      {0xee100710, 0x04, 4},  // mrc p7
  };
  for (const auto& i : cases) {
    CAPTURE(i.insn);
    Guest g;
    g.arm({0xe3a01002, i.insn, 0xe3a01003});  // mov r1, #2; …; mov r1, #3
    CHECK(g.s.pc == i.vector);
    CHECK(g.s.r[14] == Guest::code + 4 + i.link);
    CHECK(g.s.r[1] == 2);
  }
}

TEST_CASE("arm: CP15 is privileged, and register 15 of a read is the flags (§B3.3, §A4.1.37)") {
  Guest g;
  g.arm({0xee100f10});  // mrc p15, 0, r0, c0, c0, 0
  CHECK(g.s.r[0] == 0x4106'9265);
  g.arm({0xee17ff7a});  // mrc p15, 0, r15, c7, c10, 3
  CHECK(g.flags() == z);
  g.user_mode();
  g.arm({0xee100f10});
  CHECK(g.s.pc == 0x04);
}

// ---- Thumb ----

TEST_CASE("thumb: both halves of bl are one instruction, unless a page ends between them (§A7.1.12)") {
  Guest g;
  g.thumb({0xf000, 0xf880});  // bl .+0x104
  CHECK(g.front.pc(g.s) == Guest::code + 0x105);
  CHECK(g.s.r[14] == Guest::code + 5);
  g.put<u16>(0x1ffe, {0xf000, 0xe880});  // blx .+0x104
  g.front.set_pc(g.s, 0x1fff);
  g.execute(0x1ffe, 0x2002);
  CHECK(g.front.pc(g.s) == 0x2100);
  CHECK(g.s.r[14] == 0x2003);
  g.breakpoints = {Guest::code + 2};
  g.thumb({0xf000, 0xf880});
  CHECK(g.blocks == 2);
  CHECK(g.front.pc(g.s) == Guest::code + 0x105);
}

TEST_CASE("thumb: pop of the pc changes the instruction set, mov does not (§A7.1.50, §A7.1.42)") {
  Guest g;
  g.put<u32>(0x4000, {1, 0x2340});
  g.s.r[13] = 0x4000;
  g.thumb({0xbd01});  // pop {r0, pc}
  CHECK(g.front.pc(g.s) == 0x2340);
  CHECK(g.s.r[13] == 0x4008);
  g.s.r[0] = 0x2340;
  g.thumb({0x4687});  // mov pc, r0
  CHECK(g.front.pc(g.s) == 0x2341);
}

TEST_CASE("thumb: the pc as a base is a multiple of 4 (§A7.1.7, §A7.1.30)") {
  Guest g;
  g.set_word(Guest::code + 8, 77);
  g.thumb({0x46c0, 0xa002, 0x4900});  // nop; add r0, pc, #8; ldr r1, [pc]
  CHECK(g.s.r[0] == Guest::code + 12);
  CHECK(g.s.r[1] == 77);
}

TEST_CASE("thumb: ldmia of its base loads it (§A7.1.28)") {
  Guest g;
  g.put<u32>(0x4000, {5, 6});
  g.s.r[0] = 0x4000;
  g.thumb({0xc803});  // ldmia r0, {r0, r1}
  CHECK(g.s.r[0] == 5);
  g.s.r[0] = 0x4000;
  g.thumb({0xc806});  // ldmia r0!, {r1, r2}
  CHECK(g.s.r[0] == 0x4008);
  CHECK(g.s.r[2] == 6);
}

TEST_CASE("thumb: exceptions return behind a halfword (§A2.6.3, §A2.6.4)") {
  Guest g;
  g.thumb({0xdf03});  // svc 3
  CHECK(g.s.pc == 0x08);
  CHECK(g.s.r[14] == Guest::code + 2);
  CHECK((g.s.spsr & cpsr_t) != 0);
  CHECK(g.s.thumb == 0);
}

TEST_CASE("bx to a halfword in ARM state goes to the word (§A4.1.10)") {
  Guest g;
  g.s.r[0] = Guest::code + 6;
  g.arm({0xe12fff10, 0xe2811001, 0xe2811001});  // bx r0; add r1, r1, #1; add r1, r1, #1
  CHECK(g.s.r[1] == 2);
}

// ---- VFP ----

TEST_CASE("vfp: Undefined while FPEXC.EN is clear, and only when the condition holds (§C2.7)") {
  Guest g;
  g.set_flags(0);
  g.arm({0x1e310b02, 0xee310b02});  // vaddne.f64; vadd.f64
  CHECK(g.s.pc == 0x04);
  CHECK(g.s.r[14] == Guest::code + 4);
  g.set_flags(z);
  g.arm({0x1e310b02, 0xee310b02});
  CHECK(g.s.r[14] == Guest::code + 8);
}

TEST_CASE("vfp: EN is checked once in a block") {
  Guest g;
  CHECK(count(g.ir({0xee310b02, 0xed901b02, 0xee010a90}), "call undefined") == 1);
  CHECK(count(g.ir({0x1e310b02, 0xee310b02}), "call undefined") == 2);  // the first under a condition
}

TEST_CASE("vfp: loads, stores and transfers move words (§C4.1)") {
  Guest g;
  g.s.r[0] = 1u << 30;
  g.arm({0xeee80a10});  // fmxr fpexc, r0
  g.put<u32>(0x4000, {1, 2, 3, 4, 5, 6});
  g.s.r[0] = 0x4000;
  g.arm({0xecb00b06});  // fldmiad r0!, {d0-d2}
  CHECK(g.s.r[0] == 0x4018);
  CHECK(g.s.vfp.s[5] == 6);
  g.arm({0xed600a03});  // fstmdbs r0!, {s1-s3}
  CHECK(g.s.r[0] == 0x400c);
  CHECK(g.word(0x400c) == 2);
  CHECK(g.word(0x4014) == 4);
  g.arm({0xec510b11});  // fmrrd r0, r1, d1
  CHECK(g.s.r[0] == 3);
  CHECK(g.s.r[1] == 4);
  g.s.r[0] = 0x4000;
  g.arm({0xecb00b07});  // fldmiax: one word more
  CHECK(g.s.r[0] == 0x401c);
  g.arm({0xeeb40b40, 0xeef1fa10});  // fcmpd d0, d0; fmstat
  CHECK(g.flags() == (z | c));
}

// ---- blocks ----

TEST_CASE("blocks go on behind conditional branches and end at unconditional ones") {
  Guest g;
  const std::string text = g.ir({0x0a000002, 0xe3a01001, 0xea000002, 0xe3a01002});  // beq, mov, b, mov
  CHECK(count(text, "exit_jump") == 2);
  CHECK(count(text, "mov r1") == 1);
}

TEST_CASE("blocks poll where code goes backwards") {
  Guest g;
  CHECK(count(g.ir({0xeafffffe}), "poll") == 1);  // b .
  CHECK(count(g.ir({0xea000002}), "poll") == 0);
}

TEST_CASE("blocks end with their page, at the limit, and in front of a breakpoint") {
  Guest g;
  tcg::Block b;
  const tcg::Request to_page_end = g.translate(0x1ff8, b, 64);
  CHECK(to_page_end.used == 8);
  CHECK(to_page_end.instructions == 2);
  CHECK(g.translate(0x1ff8, b, 1).used == 4);
  g.breakpoints = {0x1000, 0x1008};
  CHECK(g.translate(0x1000, b, 64).used == 8);
}

TEST_CASE("both halves of bl are disassembled as one") {
  Guest g;
  const u8 code[] = {0x00, 0xf0, 0x80, 0xf8};
  unsigned length = 0;
  CHECK(g.front.disassemble(0x1001, code, length) == "bl 0x1104");
  CHECK(length == 4);
}
}  // namespace
}  // namespace arm
