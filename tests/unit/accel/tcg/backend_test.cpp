// The x86-64 back end against the interpreter of the intermediate code, on random blocks and on blocks made by hand.
// IR_SEED and IR_BLOCKS in the environment choose the first seed and the number of random blocks.

#if PINSTRAP_HOST_X86_64
#include "accel/tcg/x86_64/backend.hpp"

#include "../toy.hpp"
#include "accel/tcg/interp.hpp"
#include "random_ir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace tcg {
namespace {
using toy::Event;

// Both executors over one guest; dispatch ends the run.
struct Bench : toy::Guest {
  accel::Port port = toy::port();
  CodeBuffer buffer = *CodeBuffer::create(4 * MiB);
  BlockStore store{c, &buffer};
  std::unique_ptr<HostBackend> host;
  Interpreter interpreter{c, front, toy::port()};
  bool chain = true, is_region = false;
  unsigned entry = 0;

  explicit Bench(accel::Layers layers = {}) {
    c.blocks = &store;
    c.engine = this;
    host = make_x86_64_backend(buffer, front.layout(), toy::port(), {on_jump, on_chain, on_state, on_jump}, layers);
  }
  static const void* on_jump(VcpuHeader* c, u32 pc) noexcept {
    auto& b = *static_cast<Bench*>(c->engine);
    b.front.set_pc(*c, pc);
    return b.host->exit_code();
  }
  static const void* on_chain(VcpuHeader* c, u32 slot) noexcept { return on_jump(c, static_cast<Bench*>(c->engine)->store.target_of(slot)); }
  static const void* on_state(VcpuHeader* c) noexcept { return static_cast<Bench*>(c->engine)->host->exit_code(); }

  // Regions begin where they say.
  void interpret(const Block& b) {
    if (!is_region) return interpreter.run(b);
    Block from_entry = b;
    from_entry.code.insert(from_entry.code.begin(), {Op::br, 0, 0, 0, {}, {}, {}, Ref{u16(entry)}, 0});
    interpreter.run(from_entry);
  }
  void run_host(const Block& b, std::string* listing = nullptr) {
    const CompileRequest q{.block = &b, .pc = 0x1000, .mode = c.privilege, .chain = chain, .listing = listing, .region = is_region, .entry = entry,
                           .plain = static_cast<const u8*>(host->exit_code())};
    const u8* code = host->compile(q, store);
    if (!code) {
      host->flush();
      store.clear();
      code = host->compile(q, store);
    }
    REQUIRE(code != nullptr);
    host->enter(c, code);
  }
};

// What a run may change.
struct Outcome {
  std::array<u32, 16> r;
  u32 flags, pc, fp_flags;
  std::vector<u8> memory;
  std::vector<Event> events;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Pages 0 and 1 are open for everything, 2 (rom) for loads; all else is a device's: one that is known in the pages from 3 on,
// to privileged loads and the user's stores, and one that faults for half of the addresses.
struct Differential : Bench {
  static constexpr u32 memory_bytes = 0x2000;
  std::mt19937 random;
  std::array<u32, 16> r{};
  std::array<u8, 4> flags{};
  u32 request = 0, limit = 0;
  u8 fp_fast = 0;
  std::vector<u8> memory = std::vector<u8>(memory_bytes);

  explicit Differential(accel::Layers layers = {}) : Bench(layers) {
    board.record = board.leave_at_random = true;
    board.map = false;
    for (u32 page = 3; page < 256; ++page) board.pages[page] = 0x90000 + page;
    board.pages[2] = toy::rom_at >> 12;
    board.pages[toy::rom_at >> 12] = 0x91000;
    store.port = &port;
    u8* rom = board.ram[1].host;
    for (u32 i = 0; i < 0x1000; i += 4) store_le<u32>(rom + i, i * 0x9e37'79b9u);
    for (unsigned privilege = 0; privilege < 2; ++privilege) {
      for (u32 page = 0; page < 2; ++page)
        for (bool is_store : {false, true}) accel::page_table(&c, privilege, is_store)[page] = reinterpret_cast<u64>(board.ram[0].host);
      accel::page_table(&c, privilege, false)[2] = reinterpret_cast<u64>(rom - 0x2000);
      for (u32 page = 3; page < 6; ++page)
        accel::map_device(c, page << 12, GuestPhys{u64(0x90000 + page) << 12}, privilege, privilege == 1);
    }
  }
  static u32 likely(std::mt19937& g) {
    static constexpr u32 values[] = {0, 1, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, 31, 32, 0xff, 0x100, 0xffff'0000};
    return g() % 3 ? g() : values[g() % std::size(values)];
  }
  void new_state() {
    for (u32& v : r) v = likely(random);
    for (u8& f : flags) f = random() & 1;
    if (random() % 2) {  // floating point of moderate size: singles, or the high halves of doubles
      for (unsigned i = 10; i < 16; ++i) r[i] = (random() & 0x807f'ffff) | (random() % 2 ? 0x3f80'0000 + (random() % 32 << 20) : 0x4000'0000);
      for (unsigned i = 10; i < 16; ++i)
        if (random() % 8 == 0) r[i] = 0;
    }
    fp_fast = random() % 4 != 0;
    request = random() % 8 == 0;
    c.privilege = random() & 1;
    chain = random() % 4 != 0;
    for (u32 i = 0; i < memory_bytes; i += 4) store_le<u32>(&memory[i], u32(random()));
  }
  void reset() {
    std::copy(r.begin(), r.end(), s.r);
    s.n = flags[0], s.z = flags[1], s.c = flags[2], s.v = flags[3];
    s.odd = 0;
    s.fp_flags = 0x1234'5678;
    s.fp_fast = fp_fast;
    s.limit = limit;
    c.pc = c.slot = 0;
    c.exit_request = request;
    std::memcpy(board.ram[0].host, memory.data(), memory_bytes);
    board.events.clear();
    board.device_words.clear();
  }
  Outcome outcome() {
    Outcome o{{}, s.flags(), front.pc(c), s.fp_flags, {board.ram[0].host, board.ram[0].host + memory_bytes}, std::move(board.events)};
    std::copy(std::begin(s.r), std::end(s.r), o.r.begin());
    return o;
  }
  Outcome interpreted(const Block& b) { return reset(), interpret(b), outcome(); }
  Outcome translated(const Block& b) { return reset(), run_host(b), outcome(); }
};

std::string differences(const Outcome& want, const Outcome& got) {
  std::string out;
  char text[160];
  for (unsigned i = 0; i < 16; ++i)
    if (want.r[i] != got.r[i]) std::snprintf(text, sizeof text, "r%u: want %08x, got %08x\n", i, want.r[i], got.r[i]), out += text;
  std::snprintf(text, sizeof text, "flags vczn: %x %x, pc: %08x %08x, memory %s, events %zu %zu %s\n", want.flags, got.flags, want.pc, got.pc,
                want.memory == got.memory ? "same" : "differs", want.events.size(), got.events.size(), want.events == got.events ? "same" : "differ");
  out += text;
  for (std::size_t i = 0; i < std::min(want.events.size(), got.events.size()); ++i) {
    const Event &w = want.events[i], &g = got.events[i];
    if (w == g) continue;
    std::snprintf(text, sizeof text, "event %zu: kind %x %x, at %08x %08x, value %08x %08x, pc %08x %08x, flags %x %x\n", i, w.kind, g.kind, w.at, g.at,
                  w.value, g.value, w.pc, g.pc, w.flags, g.flags);
    out += text;
    for (unsigned n = 0; n < 16; ++n)
      if (w.r[n] != g.r[n]) std::snprintf(text, sizeof text, "  r%u %08x %08x\n", n, w.r[n], g.r[n]), out += text;
    break;
  }
  return out;
}

u64 number_from(const char* variable, u64 otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

// How many ways to run it differ from interpreting `plain`; `lean` is the same, optimised.
unsigned compare_executors(Differential& d, u64 seed, const Block& plain, const Block& lean) {
  unsigned wrong = 0;
  const Outcome want = d.interpreted(plain);
  const auto compare = [&](const char* who, const Block& b, const Outcome& got) {
    if (want == got) return;
    ++wrong;
    FAIL_CHECK("IR_SEED=" << seed << " IR_BLOCKS=1, " << who << "\n" << differences(want, got) << to_text(b, d.front.layout()));
  };
  compare("optimised, interpreted", lean, d.interpreted(lean));
  compare("optimised, translated", lean, d.translated(lean));
  if (seed % 4 == 0) compare("not optimised, translated", plain, d.translated(plain));
  return wrong;
}
}  // namespace

TEST_CASE("back end: random blocks do what the interpreter does, optimised or not") {
  Differential d;
  const u64 first = number_from("IR_SEED", 1), count = number_from("IR_BLOCKS", 100'000);
  Block plain, lean;
  unsigned wrong = 0;
  for (u64 seed = first; seed < first + count && wrong < 3; ++seed) {
    toy::RandomIr source(seed);
    d.random.seed(u32(seed));
    source.make(plain, seed % 5 == 0 ? 120 : 8 + u32(seed % 40));
    lean = plain;
    optimise(lean);
    d.new_state();
    wrong += compare_executors(d, seed, plain, lean);
  }
}

TEST_CASE("back end: random regions do what the interpreter does, optimised or not") {
  Differential d;
  d.is_region = true;
  const u64 first = number_from("IR_SEED", 1), count = number_from("IR_BLOCKS", 30'000);
  Block plain, lean;
  unsigned wrong = 0;
  for (u64 seed = first; seed < first + count && wrong < 3; ++seed) {
    toy::RandomIr source(seed);
    d.random.seed(u32(seed));
    d.entry = source.make_region(plain, 1 + u32(seed % 4), 4 + u32(seed % 20));
    lean = plain;
    optimise(lean);
    d.new_state();
    d.request = 0;  // where a region looks at it differs
    d.fp_fast = 1;  // without, a region begins with leaving for its block
    d.limit = 1 + u32(seed % 40);
    wrong += compare_executors(d, seed, plain, lean);
  }
}

TEST_CASE("back end: random blocks do what the interpreter does without any of its layers") {
  const u64 first = number_from("IR_SEED", 1), count = number_from("IR_BLOCKS", 5'000);
  Block plain;
  for (u32 n = 0; n <= accel::layer_list().size(); ++n) {
    const bool all = n == accel::layer_list().size();
    const accel::Layers layers = all ? accel::Layers{0} : accel::Layers{}.without(accel::Layer(n));
    CAPTURE((all ? "opt=none" : accel::layer_list()[n].name));
    Differential d(layers);
    unsigned wrong = 0;
    for (u64 seed = first; seed < first + count && wrong < 3; ++seed) {
      toy::RandomIr source(seed);
      d.random.seed(u32(seed));
      source.make(plain, 8 + u32(seed % 40));
      d.new_state();
      const Outcome want = d.interpreted(plain);
      optimise(plain, layers);
      if (const Outcome got = d.translated(plain); !(want == got)) {
        ++wrong;
        FAIL_CHECK("IR_SEED=" << seed << " IR_BLOCKS=1\n" << differences(want, got) << to_text(plain, d.front.layout()));
      }
    }
  }
}

TEST_CASE("back end: temporaries beyond the host's four live through loads and stores, fast and slow") {
  for (const u32 address : {0x100u, toy::device}) {
    CAPTURE(address);
    Bench b;
    if (address == 0x100) accel::map_page(b.c, address, GuestPhys{0}, 0, false), accel::map_page(b.c, address, GuestPhys{0}, 0, true);
    b.poke(0x100, 0x1234);
    b.board.device_words[toy::device] = 0x1234;
    Block ir;
    ir.insn(0x1000, 4);
    std::vector<Ref> temps;
    for (u32 i = 0; i < 20; ++i) temps.push_back(ir.value(Op::add, Ref::guest(1), i));
    const Ref at = ir.value(Op::mov, address), loaded = ir.temp();
    ir.load(loaded, at, 0, 2);
    ir.store(temps[19], at, 0, 2);
    Ref sum = loaded;
    for (const Ref t : temps) sum = ir.value(Op::add, sum, t);
    ir.mov(Ref::guest(12), sum);
    ir.exit_jump(0x2000, false);
    b.s.r[1] = 1000;
    b.run_host(ir);
    CHECK(b.s.r[12] == 0x1234 + 20 * 1000 + 190);
    CHECK((address == 0x100 ? b.word(0x100) : b.board.device_words[toy::device]) == 1019);
    CHECK(b.c.pc == 0x2000);
    CHECK(b.board.slow_loads == (address == toy::device));
  }
}

TEST_CASE("back end: an access or helper that leaves the block keeps what came before and does nothing after") {
  enum { by_load, by_store, by_pair, by_helper };
  for (const int how : {by_load, by_store, by_pair, by_helper})
    for (const bool on_host : {false, true}) {
      CAPTURE(how);
      CAPTURE(on_host);
      Bench b;
      b.board.faults.insert(toy::device >> 12);
      b.board.leave_at_random = true;
      Block ir;
      ir.insn(0x1000, 4);
      for (u32 i = 0; i < 16; ++i) ir.mov(Ref::guest(i), 100 + i);
      ir.emit(Op::sub, Ref::none(), Ref::guest(3), Ref::guest(3), flags_all);
      const Ref at = ir.value(Op::mov, toy::device);
      switch (how) {
        case by_load: ir.load(Ref::guest(3), at, 4, 2); break;
        case by_store: ir.store(Ref::guest(3), at, 4, 2); break;
        case by_pair: ir.load(Ref::guest(12), at, 4, 3); break;
        default: ir.call(Ref::guest(3), toy::help_leave, at, at, at);
      }
      for (u32 i = 0; i < 16; ++i) ir.mov(Ref::guest(i), 0u);
      ir.set_flag(flag_z, 0u);
      ir.exit_jump(0x2000, false);
      on_host ? b.run_host(ir) : b.interpret(ir);
      if (how == by_helper && b.c.pc == 0x2000) continue;  // that argument does not leave
      CHECK(b.c.pc == toy::fault_vector);
      for (u32 i = 0; i < 16; ++i) CHECK(b.s.r[i] == 100 + i);
      CHECK(b.s.flags() == (flag_z | flag_c));
    }
}

TEST_CASE("back end: words of several instructions at one base, in any order, are as if accessed one by one") {
  for (const u32 base : {0x100u, 0xff4u, 0x102u, toy::device, toy::device - 8})
    for (const bool is_load : {false, true})
      for (const u32 fault : {0u, 1u, toy::device >> 12, (toy::device >> 12) - 1}) {
        CAPTURE(base);
        CAPTURE(is_load);
        CAPTURE(fault);
        Block ir;
        u32 pc = 0x1000;
        for (const u32 offset : {8u, 12u, 0u, 4u, 24u}) {
          ir.insn(pc, 4, pc == 0x1010 ? 4 : 0);
          const Ref moved = Ref::guest(2 + (pc - 0x1000) / 2);
          is_load ? ir.load(moved, Ref::guest(1), offset, 2) : ir.store(moved, Ref::guest(1), offset, 2);
          pc += 4;
        }
        ir.exit_jump(0x2000, false);
        const auto outcome = [&](bool on_host) {
          Bench b;
          if (fault) b.board.faults.insert(fault);
          accel::map_page(b.c, 0x100, GuestPhys{0}, 0, is_load);
          for (u32 i = 0; i < 16; ++i) b.s.r[i] = 100 + i, b.poke(0xff0 + 4 * i, 200 + i), b.poke(0x100 + 4 * i, 300 + i);
          b.s.r[1] = base;
          on_host ? b.run_host(ir) : b.interpret(ir);
          std::vector<u32> all(std::begin(b.s.r), std::end(b.s.r));
          for (u32 i = 0; i < 16; ++i) all.push_back(b.word(0xff0 + 4 * i)), all.push_back(b.word(0x100 + 4 * i));
          for (const auto& [at, word] : b.board.device_words) all.push_back(at), all.push_back(word);
          all.push_back(b.c.pc), all.push_back(b.c.pc == toy::fault_vector ? b.c.slot : 0), all.push_back(b.board.fault_count);
          return all;
        };
        CHECK(outcome(true) == outcome(false));
      }
}

TEST_CASE("back end: every condition after every kind of flags, for every pair of edge values") {
  static constexpr u32 edges[] = {0, 1, 2, 0x7fff'ffff, 0x8000'0000, 0x8000'0001, 0xffff'ffff};
  struct Setter {
    Op op;
    u8 flags;
  };
  static constexpr Setter setters[] = {{Op::add, 15}, {Op::sub, 15}, {Op::adc, 15}, {Op::sbc, 15}, {Op::and_, 3}, {Op::xor_, 3},
                                       {Op::mul, 3},  {Op::sub, 7},  {Op::add, 12}, {Op::nz64, 3}, {Op::andn, 3}, {Op::rrx, 7}};
  Bench b;
  for (const Setter how : setters) {
    Block ir;
    ir.insn(0x1000, 4);
    ir.emit(how.op, Ref::none(), Ref::guest(0), how.op == Op::rrx ? Ref::none() : Ref::guest(10), how.flags);
    // At once, and again after something that changes the host's flags: bit n of r11 and of r12.
    for (const unsigned out : {11u, 12u}) {
      ir.mov(Ref::guest(out), 0u);
      for (u8 n = 0; n < 14; ++n) {
        const Ref t = ir.temp();
        ir.cond(t, Cond(n));
        ir.emit(Op::or_, Ref::guest(out), Ref::guest(out), ir.value(Op::shl, t, u32(n)));
      }
    }
    ir.exit_jump(0x2000, false);
    // The condition directly behind its flags.
    std::vector<Block> direct(14);
    for (u8 n = 0; n < 14; ++n) {
      Block& d = direct[n];
      const unsigned skip = d.label();
      d.insn(0x1000, 4);
      d.emit(how.op, Ref::none(), Ref::guest(0), how.op == Op::rrx ? Ref::none() : Ref::guest(10), how.flags);
      d.cond(Ref::guest(13), Cond(n));
      d.br_cond(Cond(n), skip);
      d.mov(Ref::guest(14), 0u);
      d.place(skip);
      d.exit_jump(0x2000, false);
    }
    for (const u32 a : edges)
      for (const u32 other : edges)
        for (u32 old = 0; old < 16; ++old) {
          const auto set = [&] {
            b.s.r[0] = a, b.s.r[10] = other, b.s.r[14] = 1;
            b.s.n = old & 1, b.s.z = old >> 1 & 1, b.s.c = old >> 2 & 1, b.s.v = old >> 3;
          };
          set();
          b.interpret(ir);
          const u32 want = b.s.r[11], flags = b.s.flags();
          REQUIRE(b.s.r[12] == want);
          if (old % 5) continue;  // four of the sixteen, on the host
          set();
          b.run_host(ir);
          REQUIRE(b.s.r[11] == want);
          REQUIRE(b.s.r[12] == want);
          REQUIRE(b.s.flags() == flags);
          const u8 n = u8((a ^ other ^ old) % 14);
          set();
          b.run_host(direct[n]);
          REQUIRE(b.s.r[13] == (want >> n & 1));
          REQUIRE(b.s.r[14] == (want >> n & 1));
        }
  }
}

namespace {
// `d = op(a, b)` on doubles, in r10…r15.
struct FpBench : Bench {
  FpBench() { s.fp_fast = 1; }
  void put(unsigned slot, double v) { std::memcpy(&s.r[slot], &v, sizeof v); }
  double get(unsigned slot) const {
    double v;
    std::memcpy(&v, &s.r[slot], sizeof v);
    return v;
  }
  static void emit(Block& b, Fp op, unsigned d, unsigned a, unsigned second) {
    const u8 aux = u8(u8(op) | fp_double);
    b.fp(op, true, Ref::guest(d), Ref::guest(a), op <= Fp::div ? Ref::guest(second) : Ref::none(), toy::fp_imm(aux, d, a, second));
  }
};
}  // namespace

TEST_CASE("back end: a comparison of floating point, its flags and the branch on them, of every order and condition") {
  static constexpr double values[] = {-1.5, 0.0, 2.5, __builtin_inf(), __builtin_nan("")};
  FpBench b;
  for (const bool apart : {false, true})
    for (u8 n = 0; n < 14; ++n) {
      Block ir;
      const unsigned skip = ir.label();
      ir.insn(0x1000, 4);
      FpBench::emit(ir, Fp::compare, 10, 12, 0);
      ir.insn(0x1004, 4);
      ir.fp_flags();
      if (apart) ir.emit(Op::add, Ref::guest(1), Ref::guest(1), 5u);
      ir.insn(0x1008, 4);
      ir.br_cond(Cond(n), skip);
      ir.mov(Ref::guest(2), 0u);
      ir.place(skip);
      ir.cond(Ref::guest(3), Cond(n));
      ir.cond(Ref::guest(4), Cond((n + 6) % 14));
      ir.exit_jump(0x2000, false);
      for (const u8 fast : {0, 1})
        for (const double x : values)
          for (const double y : values) {
            const auto set = [&] {
              b.put(10, x), b.put(12, y);
              b.s.r[1] = 0, b.s.r[2] = 1, b.s.fp_fast = fast;
            };
            set();
            b.interpret(ir);
            const std::array<u32, 16> want = std::to_array(b.s.r);
            const u32 flags = b.s.flags(), fp_flags = b.s.fp_flags;
            set();
            b.run_host(ir);
            REQUIRE(std::to_array(b.s.r) == want);
            REQUIRE(b.s.flags() == flags);
            REQUIRE(b.s.fp_flags == fp_flags);
          }
    }
}

TEST_CASE("back end: products and quotients of 0 are computed in line; results that are tiny or not finite are not") {
  FpBench b;
  const double tiny = 0x1p-1022, infinite = __builtin_inf();
  struct {
    Fp op;
    double d, a, b;
    bool in_line;
  } const cases[] = {
      {Fp::mul, 0, 1.5, 0.0, true},        {Fp::mul, 0, -0.0, 2.5, true},     {Fp::mac, 3.25, 0.0, 2.5, true},
      {Fp::nmsc, 3.25, 2.5, -0.0, true},   {Fp::div, 0, 0.0, 2.5, true},      {Fp::sqrt, 0, -0.0, 0, true},
      {Fp::mul, 0, 1.5, 2.5, true},        {Fp::mac, 1.0, 1.5, 2.5, true},    {Fp::sqrt, 0, 2.25, 0, true},
      {Fp::mul, 0, tiny, 0.25, false},     {Fp::mul, 0, 1e-200, 1e-200, false}, {Fp::mac, 1.0, tiny, 0.25, false},
      {Fp::div, 0, 2.5, 0.0, false},       {Fp::div, 0, 1e-300, 1e300, false}, {Fp::mac, infinite, 0.0, 2.5, false},
      {Fp::mac, 1e308, 1e308, 1.5, false}, {Fp::mul, 0, infinite, 2.5, false}, {Fp::sqrt, 0, 0x1p-1074, 0, false},
      {Fp::add, 0, 1e308, 1e308, false},   {Fp::mul, 0, tiny, 1.0, false},    {Fp::mac, 0, 1e-200, -1e-200, false}};
  for (const auto& x : cases) {
    CAPTURE(int(x.op));
    CAPTURE(x.a);
    CAPTURE(x.b);
    Block ir;
    ir.insn(0x1000, 4);
    FpBench::emit(ir, x.op, 10, 12, 14);
    ir.exit_jump(0x2000, false);
    const auto set = [&] { b.put(10, x.d), b.put(12, x.a), b.put(14, x.b); };
    set();
    b.interpret(ir);
    const u64 want = std::bit_cast<u64>(b.get(10));
    set();
    b.board.fp_calls = 0;
    b.run_host(ir);
    CHECK(std::bit_cast<u64>(b.get(10)) == want);
    CHECK(b.board.fp_calls == (x.in_line ? 0 : 1));
  }
}

TEST_CASE("back end: a full buffer gives no code, and a flush makes room") {
  Bench b;
  Block ir;
  for (u32 i = 0; i < 2000; ++i) ir.emit(Op::add, Ref::guest(10), Ref::guest(11), i);
  ir.exit_jump(0, false);
  const CompileRequest q{&ir, 0, 0, true};
  unsigned made = 0;
  while (b.host->compile(q, b.store) && made < 10'000) ++made;
  CHECK(made > 10);
  CHECK(made < 10'000);
  b.host->flush();
  CHECK(b.host->compile(q, b.store) != nullptr);
}

TEST_CASE("back end: a listing shows the host instructions") {
  Bench b;
  Block ir;
  ir.emit(Op::add, Ref::guest(0), Ref::guest(1), 5u);
  ir.exit_jump(0x2000, false);
  std::string text;
  b.run_host(ir, &text);
  CHECK(text.size() > 20);
  CHECK(std::count(text.begin(), text.end(), '\n') > 1);
}
}  // namespace tcg
#endif
