#include "tests/isa/mips_machine.hpp"

#include "cpus/mips/fpu.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/print.hpp"

#include "core/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>

namespace mips_fuzz {
namespace {
template <bool big>
struct Machine : TestBus {
  struct Facts {
    static constexpr bool big_endian = big;
  };
  mips::Mips32<Machine, Facts> cpu{*this};
};

template <bool big>
std::unique_ptr<TestBus> make_bus(CpuState* s, accel::Port& port) {
  auto made = std::make_unique<Machine<big>>();
  made->cpu.state = s;
  port = accel::BoardPort<Machine<big>>::make();
  return made;
}

constexpr u32 vectors[] = {0xbfc0'0200, 0xbfc0'0300, 0xbfc0'0380, 0xbfc0'0400, 0x8000'0000, 0x8000'0180, 0x8000'0200};
constexpr u32 segments[] = {0, 0x8000'0000, 0xa000'0000};
}  // namespace

std::span<const Cp0Place> cp0_places() {
  static constexpr Cp0Place all[] = {{at::bad_vaddr, 8}, {at::index, 0},     {at::entry_lo0, 2}, {at::entry_lo1, 3},
                                     {at::context, 4},   {at::page_mask, 5}, {at::wired, 6},     {at::hwrena, 7},
                                     {at::entry_hi, 10}, {at::compare, 11},  {at::epc, 14},      {at::error_epc, 30},
                                     {at::desave, 31}};
  return all;
}

// The rest are invalid, so that all have been written.
std::span<const TlbImage> tlb_image() {
  constexpr u32 mask_64k = 0x0001'e000, valid = 2, dirty = 4, global = 1;
  static constexpr auto all = [] {
    std::array<TlbImage, 16> t{};
    t[0] = {0, mask_64k, {valid | dirty | global, global}};
    t[1] = {0x0002'0000, mask_64k, {valid | global, global}};
    for (u32 n = 2; n < t.size(); ++n) t[n] = {0x0010'0000 * n, 0, {global | n << 6, global}};
    return t;
  }();
  return all;
}

std::string register_name(unsigned p) {
  static constexpr const char* system[] = {"fcsr",     "status",   "cause",    "epc",      "badvaddr",  "index",
                                           "entrylo0", "entrylo1", "context",  "pagemask", "wired",     "hwrena",
                                           "entryhi",  "compare",  "errorepc", "desave",   "hi1",       "lo1",
                                           "hi2",      "lo2",      "hi3",      "lo3",      "dspcontrol"};
  if (p < 32) return mips::print::reg(p);
  if (p < at::f) return p == at::lo ? "lo" : p == at::hi ? "hi" : "pc";
  if (p < at::fcsr) return "f" + std::to_string((p - at::f) / 2) + ((p - at::f) % 2 ? "h" : "");
  return system[p - at::fcsr];
}

Cpu::Cpu(const accel::EngineOptions& options, bool big_endian, const char* model)
    : state_(new (mapping_.base()) CpuState), front_(*state_) {
  accel::Port port;
  bus_ = big_endian ? make_bus<true>(state_, port) : make_bus<false>(state_, port);
  check(bus_->add_ram("ram", GuestPhys{0}, ram_size, false));
  state_->machine = bus_.get();
  state_->model = mips::find_model(model);
  state_->big_endian = big_endian;
  bus_->request = &state_->exit_request;
  auto made = accel::Engine::create(*state_, front_, port, options);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().text.c_str());
    std::exit(2);
  }
  engine_ = std::move(*made);
  bus_->engine_context = state_;
  bus_->memory_written = [](void* s, GuestPhys from, u64 size) {
    accel::code_written(*static_cast<CpuState*>(s), from, size);
  };
  mips::reset(*state_);
  for (const u32 v : vectors) engine_->set_breakpoint(v, true);
  for (const u32 s : segments) engine_->set_breakpoint(s + end_at, true);
}

u32 Cpu::word(u32 at) {
  const u32 w = load_le<u32>(memory() + at);
  return state_->big_endian ? __builtin_bswap32(w) : w;
}

void Cpu::load(const Memory& image, const Registers& r) {
  std::memcpy(memory(), image.data(), image.size());
  accel::code_written(*state_, GuestPhys{0}, ram_size);
  CpuState& s = *state_;
  mips::reset(s);
  for (const TlbImage& e : tlb_image()) {
    s.cp0.entry_hi = e.hi;
    s.cp0.page_mask = e.mask;
    s.cp0.entry_lo[0] = e.lo[0];
    s.cp0.entry_lo[1] = e.lo[1];
    mips::tlb_write(s, unsigned(&e - tlb_image().data()), false);
  }
  std::copy_n(r.begin(), 32, s.r);
  s.lo[0] = r[at::lo];
  s.hi[0] = r[at::hi];
  for (unsigned n = 0; n < 3; ++n) s.hi[n + 1] = r[at::hi1 + 2 * n], s.lo[n + 1] = r[at::lo1 + 2 * n];
  s.dsp_control = r[at::dsp_control];
  std::copy_n(r.begin() + at::f, 64, s.f);
  mips::fp_write_fcsr(s, r[at::fcsr]);
  for (const Cp0Place& p : cp0_places())
    if (p.number != 8) mips::cp0_write(s, p.number << 3, r[p.place]);
  s.cp0.bad_vaddr = 0;
  mips::cp0_write(s, 12 << 3, r[at::status]);
  mips::cp0_write(s, 13 << 3, r[at::cause]);
  s.pc = r[at::pc];
  s.slot = s.isa16 = s.halted = 0;
  s.exit_request = 0;
  accel::flush_tlb(s);
  bus_->accesses.clear();
  bus_->fetches = 0;
}

Registers Cpu::registers() const {
  CpuState& s = *state_;
  Registers r{};
  std::copy_n(s.r, 32, r.begin());
  r[at::lo] = s.lo[0];
  r[at::hi] = s.hi[0];
  for (unsigned n = 0; n < 3; ++n) r[at::hi1 + 2 * n] = s.hi[n + 1], r[at::lo1 + 2 * n] = s.lo[n + 1];
  r[at::dsp_control] = s.dsp_control;
  r[at::pc] = s.pc | s.isa16;
  std::copy_n(s.f, 64, r.begin() + at::f);
  r[at::fcsr] = mips::fp_read_fcsr(s);
  r[at::status] = s.cp0.status;
  r[at::cause] = mips::read_cause(s);
  for (const Cp0Place& p : cp0_places()) r[p.place] = mips::cp0_read(s, p.number << 3);
  return r;
}

bool Cpu::run() {
  guard_run([](void* request) { static_cast<std::atomic<u32>*>(request)->fetch_or(request_kick); },
            &state_->exit_request);
  auto stop = engine_->run();
  while (stop == accel::Engine::Stop::request && state_->exit_request == request_interrupt) {
    front_.deliver_interrupt(*state_);
    stop = engine_->run();
  }
  guard_run(nullptr, nullptr);
  if (stop != accel::Engine::Stop::request) return true;
  state_->exit_request = 0;
  return false;
}

bool is_vector(u32 pc) {
  for (const u32 v : vectors)
    if (pc == v) return true;
  return false;
}
}  // namespace mips_fuzz
