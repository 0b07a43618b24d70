// The engine over the toy guest: what is found, translated, chained, dropped and run, by host code and by the interpreter.

#include "accel/engine.hpp"

#include "../toy.hpp"
#include "core/log.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <thread>
#include <unistd.h>

namespace accel {
namespace {
using namespace toy;

struct Bench : Guest {
  explicit Bench(bool interpret, unsigned block_limit = 64) : interpreted(interpret) { with_engine(interpret, 1, block_limit); }
  bool interpreted;
  EngineStats stats() const { return engine->stats(); }
  // Runs `pc` and says how many blocks were translated for it.
  std::size_t translations(u32 pc) {
    front.translated.clear();
    run(pc);
    return front.translated.size();
  }
  // A page of code at `pa` that sets r1 to `mark` and halts.
  void mark_page(u32 pa, int mark) { put(pa, {movi(1, mark), halt()}); }
};
template <class F>
void both(F f) {
  for (const bool interpret : {false, true}) {
    CAPTURE(interpret);
    f(interpret);
  }
}
}  // namespace

TEST_CASE("engine: a loop runs to its halt") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {movi(0, 100), movi(1, 0), add(1, 0), addi(0, 0, -1), bnz(0, -2), halt()});
    b.run(0x1000);
    CHECK(b.s.r[1] == 5050);
    CHECK(b.s.z == 1);
    CHECK(b.c.pc == 0x1018);
    if (interpret || !has_translator) CHECK(b.c.instructions == 303);
  });
}

TEST_CASE("engine: jumps inside a page are chained and cost no lookups") {
  if (!has_translator) return;
  Bench b(false);
  b.put(0x1000, {movi(0, 100), shl(0, 0, 8), addi(0, 0, -1), bnz(0, -1), halt()});
  b.run(0x1000);
  CHECK(b.s.r[0] == 0);
  CHECK(b.stats().chained >= 2);
  CHECK(b.stats().lookups < 10);
  SUBCASE("unless nochain is logged") {
    core::log_mask = u32(core::Log::nochain);
    Bench slow(false);
    slow.put(0x1000, {movi(0, 100), addi(0, 0, -1), bnz(0, -1), halt()});
    slow.run(0x1000);
    core::log_mask = 0;
    CHECK(slow.stats().chained == 0);
    CHECK(slow.stats().lookups >= 100);
  }
}

TEST_CASE("engine: jumps to other pages and indirect jumps go through the probe table") {
  if (!has_translator) return;
  Bench b(false);
  b.put(0x1000, {movi(0, 100), shl(0, 0, 4), movi(2, 0x30), shl(2, 2, 8), far(0x2000)});
  b.put(0x2000, {addi(0, 0, -1), jump_reg(2)});
  b.put(0x3000, {bnz(0, 2), halt(), far(0x2000)});
  b.run(0x1000);
  CHECK(b.s.r[0] == 0);
  CHECK(b.stats().lookups < 12);
  // After a TLB flush each has to be asked for again, but not to be translated.
  flush_tlb(b.c);
  CHECK(b.translations(0x1000) == 0);
}

TEST_CASE("engine: a jump to the last address, whose pc is all ones, is no entry of an empty probe table") {
  both([](bool interpret) {
    Bench b(interpret);
    b.board.faults.insert(0xfffff);
    b.put(fault_vector, {movi(1, 7), halt()});
    b.put(0x1000, {movi(0, -1), jump_reg(0)});
    b.run(0x1000);
    CHECK(b.s.r[1] == 7);
    CHECK(b.board.fault_count == 1);
    // Nor is a jump to 0.
    b.put(0, {movi(1, 9), halt()});
    b.put(0x1100, {movi(0, 0), jump_reg(0)});
    b.run(0x1100);
    CHECK(b.s.r[1] == 9);
    flush_tlb(b.c);
    b.run(0x1000);
    CHECK(b.s.r[1] == 7);
  });
}

TEST_CASE("engine: a remapped page of code runs its new content after a TLB flush") {
  both([](bool interpret) {
    Bench b(interpret);
    b.mark_page(0x8000, 1);
    b.mark_page(0x9000, 2);
    b.put(0x1000, {far(0x4000)});
    b.board.pages[4] = 8;
    b.run(0x1000);
    b.run(0x1000);
    CHECK(b.s.r[1] == 1);
    b.board.pages[4] = 9;
    SUBCASE("of everything") { flush_tlb(b.c); }
    SUBCASE("of that page") { flush_tlb_page(b.c, 0x4ffc); }
    b.run(0x1000);
    CHECK(b.s.r[1] == 2);
    // Both translations are kept.
    b.board.pages[4] = 8;
    flush_tlb(b.c);
    CHECK(b.translations(0x1000) == 0);
    CHECK(b.s.r[1] == 1);
  });
}

TEST_CASE("engine: the same address in two modes is two blocks") {
  both([](bool interpret) {
    Bench b(interpret);
    b.mark_page(0x1000, 1);
    CHECK(b.translations(0x1000) == 1);
    b.c.privilege = 1;
    CHECK(b.translations(0x1000) == 1);
    CHECK(b.translations(0x1000) == 0);
    CHECK(b.translations(0x1001) == 1);  // another pc by its mode bit
  });
}

TEST_CASE("engine: a store to translated code takes effect, also behind a chained jump") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {nop(), jump(0x3f)});  // to 0x1100, in the same page: chained
    b.put(0x1100, {movi(1, 1), halt()});
    b.run(0x1000);
    b.run(0x1000);
    CHECK(b.s.r[1] == 1);
    // Code elsewhere writes over it; r4 holds the instruction.
    b.put(0x3000, {store(4, 5), halt()});
    b.s.r[4] = movi(1, 2), b.s.r[5] = 0x1100;
    b.run(0x3000);
    CHECK(b.stats().invalidated == 1);
    CHECK(b.translations(0x1000) == 1);
    CHECK(b.s.r[1] == 2);
    CHECK(b.translations(0x1000) == 0);
  });
}

TEST_CASE("engine: a store beside translated code in the same page drops nothing") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {store(4, 5), store(4, 5, 4), halt()});
    b.s.r[4] = 77, b.s.r[5] = 0x1800;
    b.run(0x1000);
    CHECK(b.word(0x1800) == 77);
    CHECK(b.word(0x1804) == 77);
    CHECK(b.stats().invalidated == 0);
    CHECK(b.stats().single_steps == 0);
  });
}

TEST_CASE("engine: a block that overwrites its own next instruction runs the new one") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {store(4, 5), movi(1, 1), halt()});
    b.s.r[4] = movi(1, 2), b.s.r[5] = 0x1004;
    b.run(0x1000);
    CHECK(b.s.r[1] == 2);
    CHECK(b.stats().single_steps == 1);
    // … and one that overwrites the instruction it already executed.
    b.put(0x2000, {addi(2, 2, 1), store(4, 5), bnz(6, 2), jump(-3), halt()});
    b.s.r[2] = 0, b.s.r[4] = addi(6, 6, 1), b.s.r[5] = 0x2000, b.s.r[6] = 0;
    b.run(0x2000);
    CHECK(b.s.r[2] == 1);
    CHECK(b.s.r[6] == 1);
  });
}

TEST_CASE("engine: memory written by a device drops the code in it") {
  both([](bool interpret) {
    Bench b(interpret);
    b.mark_page(0x1000, 1);
    b.mark_page(0x2000, 1);
    b.run(0x1000), b.run(0x2000);
    b.poke(0x1000, movi(1, 5));
    b.poke(0x2000, movi(1, 6));
    code_written(b.c, GuestPhys{0x0ffe}, 0x1004);  // a range over three pages that ends in the third
    b.run(0x1000);
    CHECK(b.s.r[1] == 5);
    b.run(0x2000);
    CHECK(b.s.r[1] == 6);
    CHECK(b.stats().invalidated == 2);
  });
}

TEST_CASE("engine: rom that ceases to be readable directly is fetched through the bus, uncached") {
  both([](bool interpret) {
    Bench b(interpret);
    b.board.rom_mapping_changed = [](void* c, GuestPhys at, u64 size) { rom_mapping_changed(*static_cast<VcpuHeader*>(c), at, size); };
    b.board.engine_context = &b.c;
    static u32 answered;
    answered = 0;
    b.board.fetch_device = [](core::MachineBase*, GuestPhys at) -> u64 { return ++answered, raw(at) == rom_at ? movi(1, 2) : halt(); };
    store_le(b.board.ram[1].host, movi(1, 1));
    store_le(b.board.ram[1].host + 4, halt());
    b.run(rom_at);
    CHECK(b.s.r[1] == 1);
    b.board.set_direct(GuestPhys{rom_at}, false);
    b.run(rom_at);
    CHECK(b.s.r[1] == 2);
    CHECK(answered > 0);
    b.board.set_direct(GuestPhys{rom_at}, true);
    b.run(rom_at);
    CHECK(b.s.r[1] == 1);
  });
}

TEST_CASE("engine: a full buffer is flushed and the guest notices nothing") {
  if (!has_translator) return;
  Bench b(false);
  // 128 pages of straight code, three times.
  u32 steps = 0;
  for (u32 page = 0x10; page < 0x90; ++page) {
    for (u32 i = 0; i < 0xffc; i += 4) b.poke(page * 0x1000 + i, i % 8 ? addi(10, 10, 1) : addi(11, 11, 1)), ++steps;
    b.poke(page * 0x1000 + 0xffc, far((page + 1) * 0x1000));
  }
  b.put(0x90 * 0x1000, {addi(0, 0, -1), bnz(0, 2), halt(), far(0x10000)});
  b.s.r[0] = 3, b.s.r[10] = b.s.r[11] = 0;
  b.run(0x10000);
  CHECK(b.s.r[10] + b.s.r[11] == 3 * steps);
  CHECK(b.stats().flushes > 1);
  CHECK(b.stats().host_bytes <= MiB);
}

TEST_CASE("engine: dropped blocks are counted once, whatever is flushed") {
  both([](bool interpret) {
    Bench b(interpret);
    b.mark_page(0x1000, 1);
    b.run(0x1000);
    code_written(b.c, GuestPhys{0x1000}, 4);
    CHECK(b.stats().invalidated == 1);
    b.engine->flush_code();
    b.engine->flush_code();
    CHECK(b.stats().invalidated == 1);
    CHECK(b.stats().flushes == 2);
    CHECK(b.translations(0x1000) == 1);
  });
}

TEST_CASE("engine: a breakpoint stops before its instruction, at and inside a block, until it goes") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {addi(1, 1, 1), addi(2, 2, 1), addi(3, 3, 1), halt()});
    b.run(0x1000);  // already translated as one block
    b.engine->set_breakpoint(0x1008, true);
    b.front.set_pc(b.c, 0x1000);
    CHECK(b.engine->run() == Engine::Stop::breakpoint);
    CHECK(b.c.pc == 0x1008);
    CHECK(b.s.r[2] == 2);
    CHECK(b.s.r[3] == 1);
    CHECK(b.engine->run() == Engine::Stop::breakpoint);
    CHECK(b.s.r[3] == 1);
    b.engine->step();
    CHECK(b.s.r[3] == 2);
    CHECK(b.engine->run() == Engine::Stop::halted);
    b.engine->set_breakpoint(0x1008, false);
    b.run(0x1000);
    CHECK(b.s.r[3] == 3);
  });
}

TEST_CASE("engine: a breakpoint in a loop is reached through chained jumps each time") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {movi(0, 3), nop(), addi(0, 0, -1), bnz(0, -2), halt()});
    b.run(0x1000);
    b.engine->set_breakpoint(0x1008, true);
    b.front.set_pc(b.c, 0x1001);  // mode bits do not hide it
    unsigned hits = 0;
    while (b.engine->run() == Engine::Stop::breakpoint) {
      ++hits;
      CHECK(b.s.odd == 1);
      b.engine->step();
    }
    CHECK(hits == 3);
  });
}

TEST_CASE("engine: step runs exactly one instruction and caches nothing") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(0x1000, {addi(1, 1, 1), jump(3), nop(), nop(), addi(1, 1, 1)});
    b.front.set_pc(b.c, 0x1000);
    for (const u32 pc : {0x1004u, 0x1010u, 0x1014u}) {
      b.engine->step();
      CHECK(b.c.pc == pc);
    }
    CHECK(b.s.r[1] == 2);
    CHECK(b.stats().blocks == 0);
    CHECK(b.stats().single_steps == 3);
    // An instruction that faults steps to the handler.
    b.board.faults.insert(0x50000);
    b.put(0x1014, {load(1, 2)});
    b.s.r[2] = 0x5000'0000;
    b.engine->step();
    CHECK(b.c.pc == fault_vector);
    CHECK(b.s.r[1] == 2);
  });
}

TEST_CASE("engine: one instruction per block gives the same result") {
  both([](bool interpret) {
    Bench b(interpret, 1);
    b.put(0x1000, {movi(0, 10), movi(1, 0), add(1, 0), addi(0, 0, -1), bnz(0, -2), halt()});
    b.run(0x1000);
    CHECK(b.s.r[1] == 55);
    CHECK(b.stats().blocks == 6);
  });
}

TEST_CASE("engine: a request from another thread ends a guest that spins, chained or across pages") {
  both([](bool interpret) {
    for (const u32 start : {0x1000u, 0x2000u, 0x4000u}) {
      Bench b(interpret);
      b.put(0x1000, {jump(0)});
      b.put(0x2000, {far(0x3000)});
      b.put(0x3000, {far(0x2000)});
      b.put(0x4000, {jump_reg(2)});
      b.s.r[2] = 0x4000;
      b.front.set_pc(b.c, start);
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        b.board.raise(request_kick);
      });
      while (!(b.c.exit_request & request_kick)) {
        b.c.exit_request &= ~u32(request_spin);
        REQUIRE(b.engine->run() == Engine::Stop::request);
      }
      other.join();
    }
  });
}

TEST_CASE("engine: a fault is taken with everything before it done and nothing after") {
  both([](bool interpret) {
    Bench b(interpret);
    b.put(fault_vector, {halt()});
    b.board.faults.insert(0x50000);
    b.s.r[2] = 0x5000'0000;
    SUBCASE("a load") { b.put(0x1000, {addi(1, 1, 1), load(1, 2), addi(1, 1, 5), halt()}); }
    SUBCASE("a store") { b.put(0x1000, {addi(1, 1, 1), store(1, 2), addi(1, 1, 5), halt()}); }
    SUBCASE("a fetch") { b.put(0x1000, {addi(1, 1, 1), jump_reg(2)}); }
    b.run(0x1000);
    CHECK(b.s.r[1] == 1);
    CHECK(b.board.fault_count == 1);
    CHECK(b.c.pc == fault_vector + 4);
  });
}

TEST_CASE("engine: a helper may change the CPU's state and where it goes on") {
  both([](bool interpret) {
    Bench b(interpret);
    b.board.on_trap = [](VcpuHeader& c, u32 n) {
      state(c).r[3] += n;
      c.pc = 0x2000;
    };
    b.put(0x1000, {movi(3, 1), trap(9), halt()});
    b.put(0x2000, {addi(3, 3, 1), halt()});
    b.run(0x1000);
    CHECK(b.s.r[3] == 11);
    CHECK(b.c.pc == 0x2008);
  });
}

TEST_CASE("engine: exec and cpu logging show every block and change nothing") {
  char path[] = "/tmp/engine_test_XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0);
  REQUIRE(core::log_to_file(path));
  both([](bool interpret) {
    Bench b(interpret);
    core::log_mask = u32(core::Log::exec) | u32(core::Log::cpu) | u32(core::Log::in_asm) | u32(core::Log::op) | u32(core::Log::op_opt) |
                     u32(core::Log::out_asm);
    b.put(0x1000, {movi(0, 10), addi(0, 0, -1), bnz(0, -1), halt()});
    b.run(0x1000);
    core::log_mask = 0;
    CHECK(b.s.r[0] == 0);
  });
  core::log_flush();
  std::string text(1 << 20, 0);
  text.resize(std::size_t(std::max<ssize_t>(0, pread(fd, text.data(), text.size(), 0))));
  core::log_to_file("/dev/null");
  close(fd);
  unlink(path);
  unsigned traces = 0;
  for (std::size_t at = 0; (at = text.find("Trace 0: [00001004/00000000]", at)) != text.npos; ++at) ++traces;
  CHECK(traces == 2 * 9);
  for (const char* part : {"IN:\n0x00001000:  ", "\nOP:\n", "OP after optimization:"}) CHECK(text.find(part) != text.npos);
  CHECK((text.find("OUT:\n") != text.npos) == has_translator);
}

TEST_CASE("engine: the statistics are text") {
  Bench b(true);
  b.mark_page(0x1000, 1);
  b.run(0x1000);
  CHECK(b.engine->stats_text().find("blocks translated     1\n") == 0);
  CHECK(b.engine->stats_text().find("guest instructions    2 (2.0 per block)") != std::string::npos);
}

TEST_CASE("engine: host code, memory and CPU time are counted") {
  for (const bool interpret : {false, true}) {
    Bench b(interpret);
    b.mark_page(0x1000, 1);
    b.run(0x1000);
    const EngineStats s = b.engine->stats();
    CHECK(s.memory > 0);
    CHECK(s.cpu_ns > 0);
    CHECK((s.host_bytes_made > 0) == (has_translator && !interpret));
  }
}
}  // namespace accel
