// Cases in Unicorn's 24Kf, or its 74Kf for the DSP.  It has no access to FPRs, HI, LO and most of CP0, so code of our
// own in the case's memory puts them in place, and takes them out, with Status.FR set.  With FR = 0 Unicorn has an odd
// single in the low half of the odd register, and nothing is in the storage of the others.

#include "tests/isa/mips_fuzz.hpp"

#include <unicorn/unicorn.h>

#include <sys/mman.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace mips_fuzz {
namespace {
constexpr u32 before_at = 0x8000'c000, after_at = 0x8000'd000, nop_at = 0x8000'dff0, table_at = 0x8000'e000;
constexpr u32 k0 = 26, k1 = 27;
constexpr u32 config_k0 = 2;  // as reset leaves it
constexpr u32 ram_of(u32 va) { return va & 0x1fff'ffff; }

void require(uc_err e, const char* what) {
  if (e == UC_ERR_OK) return;
  std::fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(e));
  std::exit(2);
}

constexpr u32 i_type(u32 op, u32 s, u32 t, u32 i) { return op << 26 | s << 21 | t << 16 | (i & 0xffff); }
constexpr u32 lw(u32 t, u32 i) { return i_type(0x23, k0, t, i); }
constexpr u32 sw(u32 t, u32 i) { return i_type(0x2b, k0, t, i); }
constexpr u32 ldc1(u32 t, u32 i) { return i_type(0x35, k0, t, i); }
constexpr u32 sdc1(u32 t, u32 i) { return i_type(0x3d, k0, t, i); }
constexpr u32 mfc0(u32 t, u32 d) { return 0x10u << 26 | t << 16 | d << 11; }
constexpr u32 mtc0(u32 t, u32 d) { return 0x10u << 26 | 4u << 21 | t << 16 | d << 11; }
constexpr u32 tlbwi = 0x4200'0002, tlbp = 0x4200'0008, syscall = 0xc,
              kernel_with_fpu = 0x2440'0004;  // CU1, FR, BEV, ERL
constexpr u32 mthi(u32 s, u32 ac) { return s << 21 | ac << 11 | 0x11; }
constexpr u32 mtlo(u32 s, u32 ac) { return s << 21 | ac << 11 | 0x13; }
constexpr u32 mfhi(u32 d, u32 ac) { return ac << 21 | d << 11 | 0x10; }
constexpr u32 mflo(u32 d, u32 ac) { return ac << 21 | d << 11 | 0x12; }
constexpr u32 wrdsp(u32 s) { return 0x7c01'fcf8 | s << 21; }
constexpr u32 rddsp(u32 d) { return 0x7c3f'04b8 | d << 11; }

// Words of the table.
enum : u32 {
  t_f = 0,
  t_fcsr = 256,
  t_hi = 260,
  t_lo = 264,
  t_status = 268,
  t_cause = 272,
  t_cp0 = 276,
  t_tlb = 400,
  t_dsp = 720
};
}  // namespace

struct Unicorn::Hidden {
  uc_engine* uc = nullptr;
  bool big = false, dsp = false;
  u8* memory = nullptr;
  u32 exception = none, last_pc = 0;
  std::atomic<bool> stopped{false};
  std::vector<u32> before, after;

  static void on_interrupt(uc_engine* uc, u32 number, void* self) {
    static_cast<Hidden*>(self)->exception = number;
    uc_emu_stop(uc);
  }
  static void on_code(uc_engine*, u64 address, u32, void* self) { static_cast<Hidden*>(self)->last_pc = u32(address); }
  u32 get(int r) {
    u32 v = 0;
    uc_reg_read(uc, r, &v);
    return v;
  }
  void set(int r, u32 v) { uc_reg_write(uc, r, &v); }
  void put(u32 at, u32 v) { store_le(memory + at, big ? __builtin_bswap32(v) : v); }
  u32 take(u32 at) {
    const u32 v = load_le<u32>(memory + at);
    return big ? __builtin_bswap32(v) : v;
  }
  bool run_own(u32 at, const std::vector<u32>& code) {
    for (std::size_t n = 0; n < code.size(); ++n) put(ram_of(at) + 4 * u32(n), code[n]);
    set(UC_MIPS_REG_K0, table_at);
    exception = none;
    return uc_emu_start(uc, at, at + 4 * code.size(), 0, 0) == UC_ERR_OK && exception == none;
  }
  void open();
  void make_code();
  void make_dsp_code();
  u32 own_status() const { return kernel_with_fpu | (dsp ? u32(mips::status_mx) : 0); }
  bool enter(const Registers& r);
  bool leave(Registers& out);
};

// In the order of the places from hi1 on.
void Unicorn::Hidden::make_dsp_code() {
  for (u32 ac = 1; ac < 4; ++ac) {
    const u32 hi = t_dsp + 8 * (ac - 1), lo = hi + 4;
    before.insert(before.end(), {lw(k1, hi), mthi(k1, ac), lw(k1, lo), mtlo(k1, ac)});
    after.insert(after.end(), {mfhi(k1, ac), sw(k1, hi), mflo(k1, ac), sw(k1, lo)});
  }
  before.insert(before.end(), {lw(k1, t_dsp + 24), wrdsp(k1)});
  after.insert(after.end(), {rddsp(k1), sw(k1, t_dsp + 24)});
}

void Unicorn::Hidden::make_code() {
  const u32 words = u32(cp0_places().size());
  for (u32 n = 0; n < tlb_image().size(); ++n) {
    const u32 from = t_tlb + 20 * n;
    for (const auto& [offset, reg] : {std::pair{0u, 10u}, {4u, 5u}, {8u, 2u}, {12u, 3u}, {16u, 0u}}) {
      before.push_back(lw(k1, from + offset));
      before.push_back(mtc0(k1, reg));
    }
    before.push_back(tlbwi);
  }
  before.push_back(tlbp);  // finds the entry: Index.P is clear
  before.insert(before.end(), {i_type(9, 0, k1, config_k0), mtc0(k1, 16)});
  for (u32 n = 0; n < 32; ++n) {
    before.push_back(ldc1(n, t_f + 8 * n));
    after.push_back(sdc1(n, t_f + 8 * n));
  }
  for (u32 n = 0; n < words; ++n) {
    const u32 number = cp0_places()[n].number;
    before.push_back(lw(k1, t_cp0 + 4 * n));
    if (number != 8) before.push_back(mtc0(k1, number));
    after.push_back(mfc0(k1, number));
    after.push_back(sw(k1, t_cp0 + 4 * n));
  }
  if (dsp) make_dsp_code();
  before.insert(before.end(), {lw(k1, t_fcsr), 0x44c0'f800 | k1 << 16, lw(k1, t_hi), k1 << 21 | 0x11, lw(k1, t_lo),
                               k1 << 21 | 0x13, lw(k1, t_cause), mtc0(k1, 13), lw(k1, t_status), mtc0(k1, 12), 0, 0});
  after.insert(after.end(), {0x4440'f800 | k1 << 16, sw(k1, t_fcsr), k1 << 11 | 0x10, sw(k1, t_hi), k1 << 11 | 0x12,
                             sw(k1, t_lo), mfc0(k1, 13), sw(k1, t_cause), 0, 0});
}

bool Unicorn::Hidden::enter(const Registers& r) {
  const u32 t = ram_of(table_at);
  const bool fr = r[at::status] & mips::status_fr;
  for (u32 n = 0; n < 32; ++n) {
    put(t + t_f + 8 * n + (big ? 4 : 0), r[at::f + (fr || n % 2 == 0 ? 2 * n : 2 * n - 1)]);
    put(t + t_f + 8 * n + (big ? 0 : 4), fr ? r[at::f + 2 * n + 1] : 0);
  }
  put(t + t_fcsr, r[at::fcsr]);
  put(t + t_hi, r[at::hi]);
  put(t + t_lo, r[at::lo]);
  put(t + t_status, r[at::status]);
  put(t + t_cause, r[at::cause]);
  for (u32 n = 0; n < cp0_places().size(); ++n) put(t + t_cp0 + 4 * n, r[cp0_places()[n].place]);
  for (u32 n = 0; n < tlb_image().size(); ++n) {
    const TlbImage& e = tlb_image()[n];
    const u32 words[] = {e.hi, e.mask, e.lo[0], e.lo[1], n};
    for (u32 i = 0; i < 5; ++i) put(t + t_tlb + 20 * n + 4 * i, words[i]);
  }
  for (u32 p = at::hi1; p <= at::dsp_control; ++p) put(t + t_dsp + 4 * (p - at::hi1), r[p]);
  set(UC_MIPS_REG_CP0_STATUS, own_status());
  // Entering user mode ends in an exception, right behind the last instruction that matters.
  const bool user = r[at::status] & mips::status_ksu;
  if (!run_own(before_at, before) && !user) return false;
  for (unsigned n = 0; n < 32; ++n) set(UC_MIPS_REG_0 + int(n), r[n]);
  return true;
}

bool Unicorn::Hidden::leave(Registers& out) {
  for (unsigned n = 0; n < 32; ++n) out[n] = get(UC_MIPS_REG_0 + int(n));
  out[at::pc] = get(UC_MIPS_REG_PC);
  out[at::status] = get(UC_MIPS_REG_CP0_STATUS);
  set(UC_MIPS_REG_CP0_STATUS, own_status());
  if ((out[at::pc] & 0xffff) != end_at) {
    // A branch whose slot raised an exception, or waits, is still pending: a no-operation takes it, to another
    // exception.
    for (u32 at = code_at; at < window_at; at += 4) put(at, syscall);
    uc_ctl_remove_cache(uc, u64(0x8000'0000u + code_at), u64(0x8000'0000u + window_at));
    put(ram_of(nop_at), 0);
    uc_emu_start(uc, nop_at, nop_at + 4, 0, 0);
  }
  if (!run_own(after_at, after)) return false;
  const u32 t = ram_of(table_at);
  const bool fr = out[at::status] & mips::status_fr;
  for (u32 n = 0; n < 32; ++n) {
    if (!fr) {
      out[at::f + (n % 2 ? 2 * n - 1 : 2 * n)] = take(t + t_f + 8 * n + (big ? 4 : 0));
      continue;
    }
    out[at::f + 2 * n] = take(t + t_f + 8 * n + (big ? 4 : 0));
    out[at::f + 2 * n + 1] = take(t + t_f + 8 * n + (big ? 0 : 4));
  }
  out[at::fcsr] = take(t + t_fcsr);
  out[at::hi] = take(t + t_hi);
  out[at::lo] = take(t + t_lo);
  out[at::cause] = take(t + t_cause);
  for (u32 p = at::hi1; dsp && p <= at::dsp_control; ++p) out[p] = take(t + t_dsp + 4 * (p - at::hi1));
  for (u32 n = 0; n < cp0_places().size(); ++n) out[cp0_places()[n].place] = take(t + t_cp0 + 4 * n);
  return true;
}

void Unicorn::Hidden::open() {
  if (uc) uc_close(uc);
  require(uc_open(UC_ARCH_MIPS, uc_mode(UC_MODE_MIPS32 | (big ? UC_MODE_BIG_ENDIAN : 0)), &uc), "open");
  require(uc_ctl_set_cpu_model(uc, dsp ? UC_CPU_MIPS32_74KF : UC_CPU_MIPS32_24KF), "model");
  require(uc_mem_map_ptr(uc, 0, ram_size, UC_PROT_ALL, memory), "map");
  uc_hook hook;
  require(uc_hook_add(uc, &hook, UC_HOOK_INTR, reinterpret_cast<void*>(on_interrupt), this, 1, 0), "hook");
}

Unicorn::Unicorn(bool big_endian, bool dsp) : x_(std::make_unique<Hidden>()) {
  x_->big = big_endian;
  x_->dsp = dsp;
  x_->memory = static_cast<u8*>(mmap(nullptr, ram_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  x_->open();
  x_->make_code();
}
Unicorn::~Unicorn() {
  uc_close(x_->uc);
  munmap(x_->memory, ram_size);
}

bool Unicorn::run(const Case& c, const Memory& image, Registers& out, Memory& memory, u32& exception, u32& fault_pc,
                  std::string& why) {
  Hidden& x = *x_;
  const u32 pc = c.in[at::pc], base = pc & 0xe000'0000;
  fault_pc = 0;
  // With every instruction reported only when there was an exception, whose place Unicorn does not tell otherwise.
  for (bool reported = false;; reported = true) {
    std::memcpy(x.memory, image.data(), ram_size);
    // By physical address, once the CPU is in kernel mode.
    x.set(UC_MIPS_REG_CP0_STATUS, x.own_status());
    uc_ctl_remove_cache(x.uc, u64(0x8000'0000u + code_at), u64(0x8000'0000u + window_at));
    if (!x.enter(c.in)) {
      x.open();
      why = "it has lost its way";
      return false;
    }
    std::memcpy(x.memory, image.data(), ram_size);
    uc_hook hook = 0;
    if (reported) uc_hook_add(x.uc, &hook, UC_HOOK_CODE, reinterpret_cast<void*>(Hidden::on_code), x_.get(), 1, 0);
    x.exception = none;
    x.stopped = false;
    guard_run(
        [](void* self) {
          static_cast<Hidden*>(self)->stopped = true;
          uc_emu_stop(static_cast<Hidden*>(self)->uc);
        },
        &x);
    const uc_err e = uc_emu_start(x.uc, pc, base + end_at, 0, 0);
    guard_run(nullptr, nullptr);
    if (reported) uc_hook_del(x.uc, hook);
    if (e != UC_ERR_OK && x.exception == none) why = uc_strerror(e);
    else why.clear();
    exception = x.stopped ? 0xfe : x.exception;
    std::memcpy(memory.data(), x.memory, ram_size);
    if (!x.leave(out)) {
      x.open();
      why = "it has lost its way";
    }
    if (!why.empty()) return false;
    if (reported) fault_pc = x.last_pc;
    if (reported || exception == none) return true;
  }
}
}  // namespace mips_fuzz
