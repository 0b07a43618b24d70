// Cases in Unicorn's ARM926, user and privileged, without MMU.

#include "tests/isa/arm_fuzz.hpp"

#include <unicorn/unicorn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace fuzz {
namespace {
void require(uc_err e, const char* what) {
  if (e == UC_ERR_OK) return;
  std::fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(e));
  std::exit(2);
}
constexpr u32 bank_modes[] = {arm::sys, arm::fiq, arm::irq, arm::svc, arm::abt, arm::und};
}  // namespace

struct Unicorn::Hidden {
  uc_engine* uc = nullptr;
  u8* memory = nullptr;
  u32 vector = 0;
  std::atomic<bool> stopped{false};
  static void on_interrupt(uc_engine* uc, u32 number, void* self) {
    // QEMU's numbers: 1 undefined, 2 svc, 3 prefetch abort, 4 data abort, 7 bkpt.
    constexpr u32 vectors[] = {0, 4, 8, 0xc, 0x10, 0x18, 0x1c, 0xc};
    static_cast<Hidden*>(self)->vector = number < std::size(vectors) ? vectors[number] : 0xff;
    uc_emu_stop(uc);
  }
  u32 get(int r) {
    u32 v = 0;
    uc_reg_read(uc, r, &v);
    return v;
  }
  void set(int r, u32 v) { uc_reg_write(uc, r, &v); }
};

Unicorn::Unicorn() : x_(std::make_unique<Hidden>()) {
  require(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &x_->uc), "open");
  require(uc_ctl_set_cpu_model(x_->uc, UC_CPU_ARM_926), "model");
  x_->memory = static_cast<u8*>(mmap(nullptr, ram_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  require(uc_mem_map_ptr(x_->uc, 0, ram_size, UC_PROT_ALL, x_->memory), "map");
  uc_hook hook;
  require(uc_hook_add(x_->uc, &hook, UC_HOOK_INTR, reinterpret_cast<void*>(Hidden::on_interrupt), x_.get(), 1, 0), "hook");
}
Unicorn::~Unicorn() {
  uc_close(x_->uc);
  munmap(x_->memory, ram_size);
}

bool Unicorn::run(const Case& c, const Memory& image, Registers& out, Memory& memory, u32& exception, std::string& why) {
  Hidden& x = *x_;
  std::memcpy(x.memory, image.data(), ram_size);
  uc_ctl_remove_cache(x.uc, u64(code_at), u64(end_at));
  const Registers& r = c.in;
  // Banked registers by way of their modes.
  for (unsigned b = 0; b < CpuState::bank_count; ++b) {
    x.set(UC_ARM_REG_CPSR, bank_modes[b] | 0xc0);
    x.set(UC_ARM_REG_R13, r[at::r13 + b]);
    x.set(UC_ARM_REG_R14, r[at::r14 + b]);
    if (b) x.set(UC_ARM_REG_SPSR, r[at::spsr + b]);
    if (b < 2)
      for (unsigned i = 0; i < 5; ++i) x.set(UC_ARM_REG_R8 + int(i), r[(b ? at::fiq8 : at::usr8) + i]);
  }
  x.set(UC_ARM_REG_CPSR, r[at::cpsr]);
  for (unsigned i = 0; i < 13; ++i) x.set(UC_ARM_REG_R0 + int(i), r[i]);
  x.set(UC_ARM_REG_R13, r[13]);
  x.set(UC_ARM_REG_R14, r[14]);
  x.set(UC_ARM_REG_FPEXC, r[at::fpexc]);
  x.set(UC_ARM_REG_FPSCR, r[at::fpscr]);
  for (unsigned i = 0; i < 16; ++i) uc_reg_write(x.uc, UC_ARM_REG_D0 + int(i), &r[at::s0 + 2 * i]);
  x.vector = 0;
  x.stopped = false;
  guard_run([](void* self) {
    static_cast<Hidden*>(self)->stopped = true;
    uc_emu_stop(static_cast<Hidden*>(self)->uc);
  }, &x);
  const uc_err e = uc_emu_start(x.uc, r[at::pc] | (r[at::cpsr] & arm::cpsr_t ? 1 : 0), end_at, 0, 0);
  guard_run(nullptr, nullptr);
  if (x.stopped) x.vector = 0xfe;
  else if (e == UC_ERR_INSN_INVALID) x.vector = 4;
  else if (e != UC_ERR_OK) {
    why = uc_strerror(e);
    return false;
  }
  exception = x.vector;
  out = {};
  for (unsigned i = 0; i < 13; ++i) out[i] = x.get(UC_ARM_REG_R0 + int(i));
  out[13] = x.get(UC_ARM_REG_R13);
  out[14] = x.get(UC_ARM_REG_R14);
  out[at::pc] = x.get(UC_ARM_REG_PC);
  out[at::cpsr] = x.get(UC_ARM_REG_CPSR);
  out[at::fpexc] = x.get(UC_ARM_REG_FPEXC);
  out[at::fpscr] = x.get(UC_ARM_REG_FPSCR);
  for (unsigned i = 0; i < 16; ++i) uc_reg_read(x.uc, UC_ARM_REG_D0 + int(i), &out[at::s0 + 2 * i]);
  for (unsigned b = 0; b < CpuState::bank_count; ++b) {
    x.set(UC_ARM_REG_CPSR, bank_modes[b] | 0xc0);
    out[at::r13 + b] = x.get(UC_ARM_REG_R13);
    out[at::r14 + b] = x.get(UC_ARM_REG_R14);
    if (b) out[at::spsr + b] = x.get(UC_ARM_REG_SPSR);
    if (b < 2)
      for (unsigned i = 0; i < 5; ++i) out[(b ? at::fiq8 : at::usr8) + i] = x.get(UC_ARM_REG_R8 + int(i));
  }
  std::memcpy(memory.data(), x.memory, ram_size);
  return true;
}
}  // namespace fuzz
