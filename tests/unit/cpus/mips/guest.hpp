#pragma once
// A MIPS CPU with a mebibyte of memory at 0, a clock that the test moves, and a device that records stores, run by the
// interpreter or the translator.  Encoders for the instructions tests are made of.

#include "accel/board_port.hpp"
#include "cpus/mips/front_end.hpp"
#include "cpus/mips/mips32.hpp"
#include "cpus/mips/models.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <memory>
#include <new>
#include <vector>

namespace mips::test {
using namespace core;

// ---- encodings (MD00086)
enum Reg : u32 { zero, at, v0, v1, a0, a1, a2, a3, t0, t1, t2, t3, t4, t5, t6, t7, s0, s1, s2, s3, s4, s5, s6, s7, t8, t9, k0, k1, gp, sp, s8, ra };
constexpr u32 r_type(u32 function, u32 d, u32 s, u32 t, u32 k = 0) { return s << 21 | t << 16 | d << 11 | k << 6 | function; }
constexpr u32 i_type(u32 op, u32 t, u32 s, u32 i) { return op << 26 | s << 21 | t << 16 | (i & 0xffff); }
constexpr u32 nop = 0, syscall = 0xc, eret = 0x4200'0018, wait = 0x4200'0020, tlbwi = 0x4200'0002, tlbwr = 0x4200'0006, tlbp = 0x4200'0008,
              tlbr = 0x4200'0001, sdbbp = 0x7000'003f;
constexpr u32 addu(u32 d, u32 s, u32 t) { return r_type(0x21, d, s, t); }
constexpr u32 addiu(u32 t, u32 s, u32 i) { return i_type(9, t, s, i); }
constexpr u32 ori(u32 t, u32 s, u32 i) { return i_type(0xd, t, s, i); }
constexpr u32 lui(u32 t, u32 i) { return i_type(0xf, t, 0, i); }
constexpr u32 lw(u32 t, u32 s, u32 i) { return i_type(0x23, t, s, i); }
constexpr u32 sw(u32 t, u32 s, u32 i) { return i_type(0x2b, t, s, i); }
constexpr u32 beq(u32 s, u32 t, u32 words) { return i_type(4, t, s, words); }
constexpr u32 bne(u32 s, u32 t, u32 words) { return i_type(5, t, s, words); }
constexpr u32 beql(u32 s, u32 t, u32 words) { return i_type(0x14, t, s, words); }
constexpr u32 jr(u32 s) { return r_type(8, 0, s, 0); }
constexpr u32 jalr(u32 d, u32 s) { return r_type(9, d, s, 0); }
constexpr u32 j(u32 target) { return 2u << 26 | (target >> 2 & 0x3ff'ffff); }
constexpr u32 jal(u32 target) { return 3u << 26 | (target >> 2 & 0x3ff'ffff); }
constexpr u32 mfc0(u32 t, u32 d, u32 select = 0) { return 0x4000'0000 | t << 16 | d << 11 | select; }
constexpr u32 mtc0(u32 t, u32 d, u32 select = 0) { return 0x4080'0000 | t << 16 | d << 11 | select; }

struct LittleFacts {
  static constexpr bool big_endian = false;
};
struct BigFacts {
  static constexpr bool big_endian = true;
};

inline constexpr u64 clock_hz = 200'000'000;  // a tick of Count is 10 ns
inline constexpr u32 memory_size = 1 << 20, device_at = 0x1000'0000, bus_errors_from = 0x2000'0000;

template <class Facts>
struct TestMachine : MachineBase {
  Mips32<TestMachine, Facts> cpu{*this};
  struct Access {
    u32 at;
    unsigned size;
    u64 value;
  };
  std::vector<Access> stores;
  // Drives all lanes, whatever the size.
  u64 read(GuestPhys at, unsigned) { return raw(at) * 0x0101'0101; }
  void write(GuestPhys at, unsigned size, u64 v) { stores.push_back({u32(raw(at)), size, v & (~u64(0) >> (64 - 8 * size))}); }
};

struct StoppedClock : Clock {
  u64 time = 0;
  u64 now() const noexcept override { return time; }
  void pause() override {}
  void resume() override {}
};

// What all guests have, whatever their byte order.
class AnyGuest {
  accel::VcpuMemory mapping_;  // what `s` is in

 public:
  static constexpr u32 code = 0x8000'1000, general = 0x8000'0180, refill = 0x8000'0000, interrupt = 0x8000'0200;
  virtual ~AnyGuest() = default;
  CpuState& s;

  u32 word(u32 phys) const { return ordered(load_le<u32>(memory() + phys)); }
  void set_word(u32 phys, u32 v) {
    store_le(memory() + phys, ordered(v));
    accel::code_written(s, GuestPhys{phys}, 4);
  }
  void put(u32 va, std::initializer_list<u32> words) {
    for (const u32 w : words) set_word(va & 0x1fff'ffff, w), va += 4;
  }
  // Runs these at `code` until the address after them, or an exception vector, is reached.
  void run(std::initializer_list<u32> words) { run_at(code, words); }
  void run_at(u32 va, std::initializer_list<u32> words) {
    put(va, words);
    go(va, va + 4 * u32(words.size()));
  }
  // From `from` until `end` or an exception vector.
  void go(u32 from, u32 end) {
    front.set_pc(s, from);
    resume(end);
  }
  void resume(u32 end) {
    engine->set_breakpoint(end, true);
    for (unsigned n = 0; n < 100; ++n) {  // a small run loop
      stop = engine->run();
      if (stop != accel::Engine::Stop::request) break;
      s.exit_request &= request_interrupt;
      front.deliver_interrupt(s);
    }
    engine->set_breakpoint(end, false);
  }
  void step() { engine->step(); }
  u32 code_of_exception() const { return s.cp0.cause >> 2 & 31; }
  // An entry of the TLB: two pages of 4 KiB, valid, dirty and not global.
  void map(unsigned index, u32 va, u32 even, u32 odd, u32 flags = 6, u32 asid = 0) {
    const u32 hi = s.cp0.entry_hi;
    s.cp0.entry_hi = (va & 0xffff'e000) | asid;
    s.cp0.page_mask = 0;
    s.cp0.entry_lo[0] = even >> 6 | flags;
    s.cp0.entry_lo[1] = odd >> 6 | flags;
    tlb_write(s, index, false);
    s.cp0.entry_hi = hi;
  }
  void user_mode() {
    s.cp0.status |= 2 << 3;
    settle_status(s);
  }

  StoppedClock clock;
  MipsFrontEnd front{s};
  accel::Engine::Stop stop = accel::Engine::Stop::request;
  std::unique_ptr<accel::Engine> engine;

 protected:
  AnyGuest() : s(*new (mapping_.base()) CpuState) {}
  u32 ordered(u32 v) const { return s.big_endian ? __builtin_bswap32(v) : v; }
  u8* memory() const { return s.machine->ram[0].host; }
  void start(MachineBase& machine, const accel::Port& port, bool interpret, const char* model) {
    machine.clock = &clock;
    machine.timers.resize(1);
    REQUIRE(machine.add_ram("ram", GuestPhys{0}, memory_size, false));
    machine.request = &s.exit_request;
    s.machine = &machine;
    s.model = find_model(model);
    s.clock_hz = clock_hz;
    s.bus_error_from = bus_errors_from;
    accel::EngineOptions options;
    options.interpret = interpret;
    engine = *accel::Engine::create(s, front, port, options);
    machine.engine_context = &s;
    reset(s);
    s.cp0.status = 0;
    settle_status(s);
    for (const u32 v : {general, refill, interrupt}) engine->set_breakpoint(v, true);
  }
};

template <class Facts>
class Guest final : public AnyGuest {
 public:
  explicit Guest(bool interpret, const char* model = "24Kf") {
    s.big_endian = Facts::big_endian;
    machine.cpu.state = &s;
    start(machine, accel::BoardPort<TestMachine<Facts>>::make(), interpret, model);
  }
  ~Guest() override { engine.reset(); }
  TestMachine<Facts> machine;
};
using LittleGuest = Guest<LittleFacts>;
using BigGuest = Guest<BigFacts>;

// Runs the test with the interpreter and with the translator.
template <class F>
void both(F f) {
  for (const bool interpret : {true, false}) {
    CAPTURE(interpret);
    LittleGuest g(interpret);
    f(g);
  }
}
template <class F>
void all_four(F f) {
  both(f);
  for (const bool interpret : {true, false}) {
    CAPTURE(interpret);
    BigGuest g(interpret);
    f(g);
  }
}
}  // namespace mips::test
