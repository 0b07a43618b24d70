#include "toy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <new>

namespace toy {
using accel::outcome_leave;
namespace {
u32 mix(u32 a, u32 b = 0, u32 c = 0) {
  u32 h = a * 0x9e37'79b1u ^ b * 0x85eb'ca77u ^ c * 0xc2b2'ae3du;
  h ^= h >> 15;
  h *= 0x2c1b'3c6du;
  return h ^ h >> 13;
}
// The fault every access and fetch takes.
u64 take_fault(VcpuHeader& c) {
  ++machine(c).fault_count;
  c.pc = fault_vector;
  c.slot = 0;
  state(c).odd = 0;
  return outcome_leave;
}

u64 pure(u32 a, u32 b, u32 c) noexcept { return mix(a, b, c); }
u64 change(VcpuHeader* c, u32 a, u32 b, u32 x) noexcept {
  State& s = state(*c);
  record(*c, 2, a, b ^ x);
  for (unsigned i = 0; i < 16; i += 3) s.r[i] = mix(s.r[i], a, i);
  s.n = mix(a, s.n) & 1;
  s.c = mix(b, s.c) & 1;
  return mix(a, b, x);
}
u64 maybe_leave(VcpuHeader* c, u32 a, u32 b, u32 x) noexcept {
  record(*c, 3, a, b ^ x);
  if (machine(*c).leave_at_random && mix(a, b, x) & 1) return take_fault(*c);
  state(*c).r[5] ^= a;
  return mix(x, b, a);
}
u64 jump_to(VcpuHeader* c, u32 a, u32, u32) noexcept {
  c->pc = a & ~1u;
  state(*c).odd = a & 1;
  return 0;
}
u64 do_trap(VcpuHeader* c, u32 n, u32, u32) noexcept {
  c->pc += 4;
  if (machine(*c).on_trap) machine(*c).on_trap(*c, n);
  return 0;
}
u64 do_halt(VcpuHeader* c, u32, u32, u32) noexcept {
  c->halted = 1;
  c->pc += 4;
  return outcome_leave;
}

// Round to nearest; integers saturate.
template <class F>
F fp_value(tcg::Fp op, F d, F a, F b) {
  using tcg::Fp;
  const F product = a * b;
  switch (op) {
    case Fp::mac: return d + product;
    case Fp::nmac: return d - product;
    case Fp::msc: return -d + product;
    case Fp::nmsc: return -d - product;
    case Fp::mul: return product;
    case Fp::nmul: return -product;
    case Fp::add: return a + b;
    case Fp::sub: return a - b;
    case Fp::div: return a / b;
    case Fp::abs: return std::fabs(a);
    case Fp::neg: return -a;
    case Fp::sqrt: return std::sqrt(a);
    default: return a;
  }
}
template <class F>
u32 to_integer(F a, bool is_signed) {
  const F least = is_signed ? F(-2147483648.0) : F(0), limit = is_signed ? F(2147483648.0) : F(4294967296.0);
  if (std::isnan(a)) return 0;
  if (a < least) return is_signed ? 0x8000'0000 : 0;
  if (a >= limit) return is_signed ? 0x7fff'ffff : ~0u;
  return u32(s64(a));
}
template <class F>
void fp_as(State& s, tcg::Fp op, u32* d, const u32* a, const u32* b) {
  using tcg::Fp;
  const F x = load_le<F>(a);
  switch (op) {
    case Fp::compare: case Fp::compare_zero: {
      const F l = load_le<F>(d), r = op == Fp::compare ? x : F(0);
      s.fp_flags = (l < r ? 8u : l == r ? 6u : l > r ? 2u : 3u) << 28;
      break;
    }
    case Fp::widen: store_le(d, double(load_le<float>(a))); break;
    case Fp::narrow: store_le(d, float(load_le<double>(a))); break;
    case Fp::from_u32: store_le(d, F(*a)); break;
    case Fp::from_s32: store_le(d, F(s32(*a))); break;
    case Fp::to_u32: case Fp::to_s32: *d = to_integer(std::nearbyint(x), op == Fp::to_s32); break;
    case Fp::to_u32_trunc: case Fp::to_s32_trunc: *d = to_integer(std::trunc(x), op == Fp::to_s32_trunc); break;
    default: store_le(d, fp_value<F>(op, load_le<F>(d), x, load_le<F>(b)));
  }
}
u64 do_fp(VcpuHeader* c, u32 imm, u32, u32) noexcept {
  State& s = state(*c);
  ++machine(*c).fp_calls;
  const auto op = tcg::Fp(imm & 0x7f);
  u32 *d = s.r + (imm >> 8 & 15), *a = s.r + (imm >> 12 & 15), *b = s.r + (imm >> 16 & 15);
  imm & tcg::fp_double ? fp_as<double>(s, op, d, a, b) : fp_as<float>(s, op, d, a, b);
  return 0;
}

u32 phys_of(VcpuHeader& c, u32 va) {
  const auto& pages = machine(c).pages;
  const auto p = pages.find(va >> 12);
  return p == pages.end() ? va : p->second << 12 | (va & 0xfff);
}
// The host address of a byte, or null for the device.
u8* place(VcpuHeader& c, u32 va, bool user, bool is_store) {
  Machine& m = machine(c);
  const GuestPhys page{phys_of(c, va) & ~0xfffu};
  u8* host = m.map ? accel::map_page(c, va, page, user, is_store, m.single_pages) : accel::ram_page(c, page, is_store);
  return host ? host + (va & 0xfff) : nullptr;
}
u32 answer(VcpuHeader& c, u32 va) {
  const auto& words = machine(c).device_words;
  const auto w = words.find(va);
  return w != words.end() ? w->second : mix(va, 1);
}

template <unsigned size>
u32 swapped(u32 v) {
  return size == 4 ? __builtin_bswap32(v) : size == 2 ? __builtin_bswap16(u16(v)) : v;
}

// A device that accel::map_device made known is asked without the state; as any function, it uses the host's registers.
void use_registers() {
#if PINSTRAP_HOST_X86_64
  asm volatile(
      "mov $-1, %%rcx\n mov %%rcx, %%rdx\n mov %%rcx, %%rsi\n mov %%rcx, %%rdi\n mov %%rcx, %%r8\n mov %%rcx, %%r9\n"
      "mov %%rcx, %%r10\n mov %%rcx, %%r11\n movq %%rcx, %%xmm4\n movq %%rcx, %%xmm5\n movq %%rcx, %%xmm15\n cmp $0, %%rcx" ::
          : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm4", "xmm5", "xmm15", "cc");
#endif
}
u64 device_read(MachineBase* base, u64 at, unsigned size) noexcept {
  Machine& m = *static_cast<Machine*>(base);
  reach_device(m, u32(at));
  const u64 v = mix(u32(at), size) * 0x1'0000'0001u;
  if (m.record) m.events.push_back({0x1'0000 | size, u32(at), u32(v), 0, 0, {}});
  use_registers();
  return v;
}
void device_write(MachineBase* base, u64 at, unsigned size, u64 v) noexcept {
  Machine& m = *static_cast<Machine*>(base);
  reach_device(m, u32(at));
  if (m.record) m.events.push_back({0x2'0000 | size, u32(at), u32(v & ((u64(1) << 8 * size) - 1)), 0, 0, {}});
  use_registers();
}
template <unsigned aux>
const accel::DevicePage* known_device(VcpuHeader* c, u32 va, bool is_store) {
  const bool user = (aux & tcg::mem_user) || c->privilege;
  return va & ((1u << (aux & tcg::mem_size)) - 1) ? nullptr : accel::device_page(*c, va, user, is_store);
}

template <unsigned aux>
u64 slow_load(VcpuHeader* c, u32 va) noexcept {
  Machine& m = machine(*c);
  if (const accel::DevicePage* page = known_device<aux>(c, va, false)) {
    constexpr unsigned size = 1u << (aux & tcg::mem_size);
    u32 v = u32(page->reader.read(&m, page->reader.at + (va & 0xfff), size));
    if (aux & tcg::mem_big) v = swapped<size>(v);
    if (aux & tcg::mem_signed) return size == 2 ? u32(s32(s16(v))) : u32(s32(s8(v)));
    return size == 4 ? v : size == 2 ? u16(v) : u8(v);
  }
  ++m.slow_loads;
  if (m.faults.contains(va >> 12)) return take_fault(*c);
  constexpr unsigned size = 1u << (aux & tcg::mem_size);
  const u32 aligned = va & ~(size - 1);
  const bool user = (aux & tcg::mem_user) || c->privilege;
  u32 v;
  if (const u8* p = place(*c, aligned, user, false)) {
    v = size == 4 ? load_le<u32>(p) : size == 2 ? load_le<u16>(p) : *p;
    if (aux & tcg::mem_big) v = swapped<size>(v);
  } else {
    reach_device(m, va);
    v = answer(*c, va) & (size == 4 ? ~0u : (1u << size % 4 * 8) - 1);
    record(*c, (aux | (user ? tcg::mem_user : 0)) << 8, va, v);
    if (m.leave_at_random && mix(va) & 1) return take_fault(*c);
  }
  if (aux & tcg::mem_signed) v = size == 2 ? u32(s32(s16(v))) : u32(s32(s8(v)));
  return v;
}
template <unsigned aux>
u64 slow_store(VcpuHeader* c, u32 va, u32 value) noexcept {
  Machine& m = machine(*c);
  if (const accel::DevicePage* page = known_device<aux>(c, va, true)) {
    constexpr unsigned size = 1u << (aux & tcg::mem_size);
    page->writer.write(&m, page->writer.at + (va & 0xfff), size, aux & tcg::mem_big ? swapped<size>(value) : value);
    return 0;
  }
  ++m.slow_stores;
  if (m.faults.contains(va >> 12)) return take_fault(*c);
  constexpr unsigned size = 1u << (aux & tcg::mem_size);
  const u32 aligned = va & ~(size - 1);
  const bool user = (aux & tcg::mem_user) || c->privilege;
  if (u8* p = place(*c, aligned, user, true))
    return accel::store_memory(*c, GuestPhys{phys_of(*c, aligned)}, p, size, aux & tcg::mem_big ? swapped<size>(value) : value);
  reach_device(m, va);
  record(*c, (aux | (user ? tcg::mem_user : 0)) << 8 | 1, va, value);
  if (m.leave_at_random && mix(va) & 1) return take_fault(*c);
  m.device_words[va] = value;
  return 0;
}
template <unsigned... aux>
void fill(accel::Port& p, std::integer_sequence<unsigned, aux...>) {
  constexpr auto valid = [](unsigned a, bool is_load) {
    return (a & 3) < 3 && !((a & tcg::mem_signed) && ((a & 3) == 2 || !is_load));
  };
  ((valid(aux, true) ? void(p.load[aux] = slow_load<aux>) : void()), ...);
  ((valid(aux, false) ? void(p.store[aux] = slow_store<aux>) : void()), ...);
}

const tcg::Helper helpers[] = {
    {"pure", reinterpret_cast<const void*>(pure), false, false},
    {"change", reinterpret_cast<const void*>(change), true, false},
    {"maybe_leave", reinterpret_cast<const void*>(maybe_leave), true, true},
    {"jump_to", reinterpret_cast<const void*>(jump_to), true, false},
    {"trap", reinterpret_cast<const void*>(do_trap), true, false},
    {"halt", reinterpret_cast<const void*>(do_halt), true, true},
    {"fp", reinterpret_cast<const void*>(do_fp), true, false},
};
constexpr u8 pin_order[] = {3, 0, 1, 9, 2, 4, 8, 5, 7, 6};
#define R(i) {"r" #i, u16(offsetof(State, r) + 4 * i)}
constexpr tcg::GuestSlot slots[] = {R(0), R(1), R(2),  R(3),  R(4),  R(5),  R(6),  R(7),
                                    R(8), R(9), R(10), R(11), R(12), R(13), R(14), R(15), {"limit", u16(offsetof(State, limit))}};
#undef R
const tcg::GuestLayout the_layout{slots, pin_order, offsetof(State, n), offsetof(State, z), offsetof(State, c), offsetof(State, v),
                                  helpers, offsetof(State, fp_fast), offsetof(State, fp_flags), help_fp, 1,
                                  0, 0, 0, 10, 6, 17};
}  // namespace

void record(VcpuHeader& c, u32 kind, u32 at, u32 value) {
  Machine& m = machine(c);
  if (!m.record) return;
  const State& s = state(c);
  Event e{kind, at, value, c.pc + c.slot, s.flags(), {}};
  std::copy(std::begin(s.r), std::end(s.r), e.r.begin());
  m.events.push_back(e);
}

void reach_device(Machine& m, u32 at) {
  m.polls.accessed();
  if (m.on_device) m.on_device(at);
}

const tcg::GuestLayout& FrontEnd::layout() const { return the_layout; }

tcg::CodePlace FrontEnd::fetch_address(VcpuHeader& c, u32 pc) const {
  if (machine(c).faults.contains(pc >> 12)) return take_fault(c), tcg::CodePlace{};
  return {GuestPhys{phys_of(c, pc & ~1u)}, 0x1000 - (pc & 0xffe)};
}

void FrontEnd::deliver_interrupt(VcpuHeader& c) const {
  Machine& m = machine(c);
  if (!m.interrupt_line) return;
  m.interrupt_line = false;
  ++m.interrupts_taken;
  c.halted = 0;
}

void FrontEnd::translate(tcg::Request& q) const {
  using tcg::Op, tcg::Ref;
  translated.push_back(q.pc);
  tcg::Block& b = *q.out;
  const auto g = [](u32 n) { return Ref::guest(n & 15); };
  u32 pc = q.pc;
  for (bool more = true; more; ++q.instructions, q.used += 4, pc += 4) {
    if (q.instructions == q.limit || q.used + 4 > q.bytes ||
        (q.instructions && q.breakpoints && q.breakpoints->contains(pc & ~1u)))
      return b.exit_jump(pc, false);
    const u32 w = load_le<u32>(q.code + q.used), d = w >> 8 & 0xff, a = w >> 16 & 0xff, i = u32(s32(w) >> 24);
    const auto number = [&](u32 v) { return b.value(Op::mov, v); };
    b.insn(pc, 4);
    switch (w & 0xff) {
      case 1: b.emit(Op::add, g(d), g(a), i, tcg::flags_all); break;
      case 2: b.exit_jump(pc + 4 * i, true), more = false; break;
      case 3: b.exit_indirect(g(a)), more = false; break;
      case 4: {
        const unsigned skip = b.label();
        b.br_zero(g(a), skip);
        b.exit_jump(pc + 4 * i, true);
        b.place(skip);
        b.exit_jump(pc + 4, false);
        more = false;
        break;
      }
      case 5: b.load(g(d), g(a), i, 2); break;
      case 6: b.store(g(d), g(a), i, 2); break;
      case 7: b.mov(g(d), i); break;
      case 8: b.emit(Op::shl, g(d), g(a), i & 31); break;
      case 9: b.emit(Op::add, g(d), g(d), g(a)); break;
      case 10: b.call({}, help_halt), b.exit_state(), more = false; break;
      case 11: b.call({}, help_trap, number(w >> 24)), b.exit_state(), more = false; break;
      case 12: b.exit_jump((w >> 8) << 2 | (q.pc & 1), true), more = false; break;
      default: break;
    }
  }
}

accel::Port port() {
  accel::Port p;
  fill(p, std::make_integer_sequence<unsigned, 64>());
  p.reader = [](VcpuHeader*, GuestPhys page) noexcept { return DeviceReader{raw(page), device_read}; };
  p.writer = [](VcpuHeader*, GuestPhys page) noexcept { return DeviceWriter{raw(page), device_write}; };
  return p;
}

Guest::Guest(bool with_rom) : s(*new (vcpu.base()) State), c(s.header) {
  c.machine = &board;
  board.request = &c.exit_request;
  REQUIRE(board.add_ram("ram", GuestPhys{0}, MiB, false));
  if (with_rom) REQUIRE(board.add_ram("rom", GuestPhys{rom_at}, 64 * KiB, true));
}
void Guest::with_engine(bool interpret, std::size_t buffer_mib, unsigned block_limit, unsigned region_after) {
  accel::EngineOptions o;
  o.interpret = interpret || !has_translator;
  o.buffer_mib = buffer_mib;
  o.block_limit = block_limit;
  o.region_after = region_after;
  engine = *accel::Engine::create(c, front, port(), o);
}
void Guest::run(u32 pc) {
  front.set_pc(c, pc);
  c.halted = 0;
  CHECK(engine->run() == accel::Engine::Stop::halted);
  c.halted = 0;
}
}  // namespace toy
