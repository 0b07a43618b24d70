#include "tests/isa/fuzz_machine.hpp"

#include "cpus/arm/models.hpp"
#include "cpus/arm/vfp.hpp"
#include "core/log.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace fuzz {
std::string register_name(unsigned p) {
  static constexpr const char* banks[] = {"usr", "fiq", "irq", "svc", "abt", "und"};
  static constexpr const char* system[] = {"control", "ttbr", "dacr", "fcse", "dfsr", "ifsr", "far"};
  const auto banked = [&](const char* what, unsigned n) { return std::string(what) + "_" + banks[n]; };
  const auto numbered = [&](const char* what, unsigned n) { return what + std::to_string(n); };
  if (p < at::pc) return numbered("r", p);
  if (p == at::pc) return "pc";
  if (p == at::cpsr) return "cpsr";
  if (p < at::fiq8) return numbered("r", p - at::usr8 + 8) + "_usr";
  if (p < at::r13) return numbered("r", p - at::fiq8 + 8) + "_fiq";
  if (p < at::r14) return banked("r13", p - at::r13);
  if (p < at::spsr) return banked("r14", p - at::r14);
  if (p < at::control) return banked("spsr", p - at::spsr);
  if (p < at::s0) return system[p - at::control];
  if (p < at::fpscr) return numbered("s", p - at::s0);
  return p == at::fpscr ? "fpscr" : "fpexc";
}

Registers registers_of(const CpuState& s) {
  Registers r{};
  const unsigned bank = arm::bank_of(s.cpsr_low);
  std::copy_n(s.r, 15, r.begin());
  r[at::pc] = s.pc;
  r[at::cpsr] = arm::read_cpsr(s);
  const bool fiq = bank == CpuState::bank_fiq;
  for (unsigned i = 0; i < 5; ++i) {
    r[at::usr8 + i] = fiq ? s.usr_r8_12[i] : s.r[8 + i];
    r[at::fiq8 + i] = fiq ? s.r[8 + i] : s.fiq_r8_12[i];
  }
  for (unsigned b = 0; b < CpuState::bank_count; ++b) {
    r[at::r13 + b] = b == bank ? s.r[13] : s.bank_r13[b];
    r[at::r14 + b] = b == bank ? s.r[14] : s.bank_r14[b];
    r[at::spsr + b] = b == bank ? s.spsr : s.bank_spsr[b];
  }
  const u32 system[] = {s.cp15.control, s.cp15.ttbr, s.cp15.dacr, s.cp15.fcse, s.cp15.dfsr, s.cp15.ifsr, s.cp15.far};
  std::copy_n(system, std::size(system), r.begin() + at::control);
  std::copy_n(s.vfp.s, 32, r.begin() + at::s0);
  r[at::fpscr] = arm::read_fpscr(s);
  r[at::fpexc] = s.vfp.fpexc;
  return r;
}

Cpu::Cpu(const accel::EngineOptions& options, u64 memory) : state_(new (mapping_.base()) CpuState) {
  check(machine.add_ram("ram", GuestPhys{0}, memory, false));
  state_->machine = &machine;
  state_->model = arm::find_model("arm926");
  machine.cpu.state = state_;
  machine.request = &state_->exit_request;
  auto made = accel::Engine::create(*state_, front_, accel::BoardPort<TestMachine>::make(), options);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().text.c_str());
    std::exit(2);
  }
  engine_ = std::move(*made);
  machine.engine_context = state_;
  machine.memory_written = [](void* s, GuestPhys from, u64 size) {
    accel::code_written(*static_cast<CpuState*>(s), from, size);
  };
  arm::reset(*state_);
}

void Cpu::load(const Memory& image, const Registers& r) {
  std::memcpy(memory(), image.data(), image.size());
  accel::code_written(*state_, GuestPhys{0}, ram_size);
  CpuState& s = *state_;
  const unsigned bank = arm::bank_of(r[at::cpsr]);
  const bool fiq = bank == CpuState::bank_fiq;
  s.cpsr_low = r[at::cpsr] & (arm::cpsr_i | arm::cpsr_f | arm::cpsr_mode);
  for (unsigned b = 0; b < CpuState::bank_count; ++b) {
    s.bank_r13[b] = r[at::r13 + b];
    s.bank_r14[b] = r[at::r14 + b];
    s.bank_spsr[b] = r[at::spsr + b];
  }
  std::copy_n(r.begin() + at::usr8, 5, s.usr_r8_12);
  std::copy_n(r.begin() + at::fiq8, 5, s.fiq_r8_12);
  std::copy_n(r.begin(), 15, s.r);
  if (fiq) std::copy_n(r.begin() + at::fiq8, 5, s.r + 8);
  s.spsr = s.bank_spsr[bank];
  arm::write_cpsr(s, r[at::cpsr]);
  s.pc = r[at::pc];
  s.halted = 0;
  s.exit_request = 0;
  s.cp15 = {};
  s.cp15.control = r[at::control];
  s.cp15.ttbr = r[at::ttbr];
  s.cp15.dacr = r[at::dacr];
  s.cp15.fcse = r[at::fcse];
  s.cp15.dfsr = r[at::dfsr];
  s.cp15.ifsr = r[at::ifsr];
  s.cp15.far = r[at::far];
  std::copy_n(r.begin() + at::s0, 32, s.vfp.s);
  arm::write_fpscr(s, r[at::fpscr]);
  s.vfp.fpexc = r[at::fpexc];
  s.vfp.fpinst = s.vfp.fpinst2 = 0;
  accel::flush_tlb(s);
  machine.accesses.clear();
  machine.fetches = 0;
}

void Cpu::poke(u32 at, u32 value, unsigned size) {
  check(machine.dma_write(GuestPhys{at}, {reinterpret_cast<const u8*>(&value), size}));
}

bool Cpu::run() {
  guard_run([](void* request) { static_cast<std::atomic<u32>*>(request)->fetch_or(request_kick); }, &state_->exit_request);
  const auto stop = engine_->run();
  guard_run(nullptr, nullptr);
  if (stop != accel::Engine::Stop::request) return true;
  state_->exit_request = 0;
  return false;
}

void stop_at_vectors_and_end(accel::Engine& engine) {
  for (u32 v = 0; v < 0x20; v += 4) {
    engine.set_breakpoint(v, true);
    engine.set_breakpoint(0xffff'0000 + v, true);
  }
  engine.set_breakpoint(end_at, true);
}

// By MiB of modified virtual address; domains 0 client, 1 none, 2 manager, 3 reserved.
//   0 all of memory, small pages, full access       7 tiny pages of memory, AP by page
//   1 section, AP = 01                              8 section, AP = 00, manager domain
//   2 section, AP = 10                              9 second-level table that is not memory
//   3 section, AP = 00                              a section of device space
//   4 section, domain 1                             b small pages, domain 1
//   5 nothing                                       c section, domain 3
//   6 small pages with sub-pages, large pages, holes
void write_page_tables(Memory& image) {
  const auto put = [&](u32 at, u32 v) { store_le(image.data() + at, v); };
  const auto section = [](u32 ap, u32 domain, u32 phys) { return phys | ap << 10 | domain << 5 | 0x12; };
  const auto coarse = [](u32 at, u32 domain) { return at | domain << 5 | 0x11; };
  const u32 first_level[] = {coarse(l2_at, 0), section(1, 0, 0), section(2, 0, 0), section(0, 0, 0), section(3, 1, 0),
                             0, coarse(l2_at + 0x400, 0), (l2_at + 0x1000) | 0x13, section(0, 2, 0),
                             coarse(0x4000'0000, 0), section(3, 0, 0x1000'0000), coarse(l2_at + 0x800, 1),
                             section(3, 3, 0)};
  for (u32 i = 0; i < std::size(first_level); ++i) {
    put(l1_at + 4 * i, first_level[i]);
    put(l1_at + 4 * (i + 32), first_level[i]);  // for FCSE process 1
  }
  for (u32 page = 0; page < ram_size >> 12; ++page) {
    put(l2_at + 4 * page, page << 12 | 0xff2);
    put(l2_at + 0x800 + 4 * page, page << 12 | 0xff2);
  }
  for (u32 page = 0; page < 256; ++page) {
    const u32 at = l2_at + 0x400 + 4 * page;
    if (page == 2) put(at, 0x2000 | 0b11'10'01'00 << 4 | 2);       // each sub-page its own
    else if (page == 3) put(at, 0);                                // LDM runs into a hole
    else if (page >= 16 && page < 32) put(at, 0b01'11'10'11 << 4 | 1);  // large
    else if (page < 16) put(at, page << 12 | 0x552);
    else put(at, 3);  // reserved here
  }
  for (u32 tiny = 0; tiny < 1024; ++tiny)
    put(l2_at + 0x1000 + 4 * tiny, tiny < 64 ? tiny << 10 | (3 - (tiny & 3)) << 4 | 3 : 0);
}
}  // namespace fuzz
