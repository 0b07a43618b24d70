#include "cpus/mips/cp0.hpp"

#include "cpus/mips/mmu.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/watch.hpp"

#include "core/log.hpp"

namespace mips {
namespace {
constexpr u32 at(u32 number, u32 select = 0) { return number << 3 | select; }

constexpr u32 page_mask_bits = 0x1fff'e000, entry_lo_bits = 0x03ff'ffff, context_base = 0xff80'0000;
constexpr u32 hwrena_bits = 0xf;
constexpr u32 ebase_bits = 0x3fff'f000, ebase_fixed = 0x8000'0000;
constexpr u32 config0_big = 1u << 15, config0_k0 = 7, config3_vint = 1u << 5;
constexpr u32 config1_watch = 1u << 3;
constexpr u32 cause_written = cause_dc | cause_iv | cause_wp | cause_ip_soft;
constexpr u32 watch_more = 1u << 31;
constexpr u32 int_ctl_reset = 0xe000'0000;  // IPTI = 7: the timer is IP7
constexpr u32 count_resolution = 2;         // Count runs at half the CPU's clock
constexpr u32 synci_step = 16;              // bytes; the line of the caches in Config1

bool release2(const CpuState& s) { return s.model->release2; }

// ---- Count

bool counting(const CpuState& s) { return s.clock_hz && !(s.cp0.cause & cause_dc); }

// Ticks since count_since.
u64 ticks(const CpuState& s) { return ns_to_ticks(s.machine->now() - s.cp0.count_since, s.clock_hz / count_resolution); }

void arm_timer(CpuState& s) {
  if (!s.clock_hz) return;
  if (!counting(s)) return s.machine->disarm_timer(s.timer);
  const u64 now = s.machine->now(), passed = ticks(s);
  const u32 left = s.cp0.compare - (s.cp0.count_base + u32(passed));
  const u64 due = s.cp0.count_since + ticks_to_ns(passed + (left ? left : u64(1) << 32), s.clock_hz / count_resolution);
  s.machine->arm_timer(s.timer, due > now ? due - now : 0);
}

void write_count(CpuState& s, u32 v) {
  s.cp0.count_base = v;
  if (s.clock_hz) s.cp0.count_since = s.machine->now();
  arm_timer(s);
}

void write_compare(CpuState& s, u32 v) {
  s.cp0.compare = v;
  s.cp0.cause &= ~cause_ti;
  update_interrupt_request(s);
  arm_timer(s);
}

// ---- others with an effect

void write_status(CpuState& s, u32 v) {
  const u32 mask = s.model->status_writable;
  s.cp0.status = (s.cp0.status & ~mask) | (v & mask);
  settle_status(s);
}

// WP can be cleared; what a 1 does there is UNPREDICTABLE.
void write_cause(CpuState& s, u32 v) {
  const u32 mask = release2(s) ? cause_written : cause_written & ~cause_dc;
  const u32 count = read_count(s), before = s.cp0.cause;
  if (!(before & cause_wp)) v &= ~cause_wp;
  s.cp0.cause = (before & ~mask) | (v & mask);
  if ((before ^ s.cp0.cause) & cause_dc) write_count(s, count);
  update_interrupt_request(s);
}

void write_debug(CpuState& s, u32 v) {
  s.cp0.debug = v & debug_dm;
  update_interrupt_request(s);
}

void write_wired(CpuState& s, u32 v) { s.cp0.wired = v & (s.model->tlb - 1); }
}  // namespace

u32 read_cause(const CpuState& s) { return release2(s) ? s.cp0.cause : s.cp0.cause & ~cause_ti; }

u32 read_count(const CpuState& s) { return s.cp0.count_base + (counting(s) ? u32(ticks(s)) : 0); }

void timer_expired(CpuState& s) noexcept {
  s.cp0.cause |= cause_ti;
  update_interrupt_request(s);
  if (unmasked_interrupts(s)) s.halted = 0;
  arm_timer(s);
}

u32 cp0_read(CpuState& s, u32 which) noexcept {
  Cp0& c = s.cp0;
  switch (which) {
    case at(0): return c.index;
    case at(1): return random_index(s);
    case at(2): return c.entry_lo[0];
    case at(3): return c.entry_lo[1];
    case at(4): return c.context;
    case at(5): return c.page_mask;
    case at(5, 1): return c.page_grain;
    case at(6): return c.wired;
    case at(7): return c.hwrena;
    case at(8): return c.bad_vaddr;
    case at(9): return read_count(s);
    case at(10): return c.entry_hi;
    case at(11): return c.compare;
    case at(12): return c.status;
    case at(12, 1): return release2(s) ? c.int_ctl : 0;
    case at(12, 2): return c.srs_ctl;
    case at(12, 3): return c.srs_map;
    case at(13): return read_cause(s);
    case at(14): return c.epc;
    case at(15): return s.model->prid;
    case at(15, 1): return release2(s) ? c.ebase : 0;
    case at(16): return c.config0;
    case at(16, 1): case at(16, 2): case at(16, 3): return s.model->config[which & 7];
    case at(17): return c.ll_address;
    case at(23): return c.debug;
    case at(24): return c.depc;
    case at(26): return c.err_ctl;
    case at(27): return c.cache_err;
    case at(28): case at(28, 2): case at(28, 4): case at(28, 6): return c.tag_lo[(which & 7) / 2];
    case at(29): case at(29, 2): case at(29, 4): case at(29, 6): return c.tag_hi[(which & 7) / 2];
    case at(28, 1): case at(28, 3): case at(29, 1): case at(29, 3): return 0;  // DataLo, DataHi
    case at(30): return c.error_epc;
    case at(31): return c.desave;
    default: break;
  }
  const u32 pair = which & 7;
  if (which >> 3 == 18 && s.model->config[1] & config1_watch) return c.watch_lo[pair];
  if (which >> 3 == 19 && s.model->config[1] & config1_watch) return c.watch_hi[pair] | (pair < watch_pairs - 1 ? watch_more : 0);
  log_guest("cpu", "read of a CP0 register that is not there, number * 8 + select:", which);
  return 0;
}

void cp0_write(CpuState& s, u32 which, u32 v) noexcept {
  Cp0& c = s.cp0;
  switch (which) {
    case at(0): c.index = (c.index & 1u << 31) | (v & (s.model->tlb - 1)); return;
    case at(2): c.entry_lo[0] = v & entry_lo_bits; return;
    case at(3): c.entry_lo[1] = v & entry_lo_bits; return;
    case at(4): c.context = (c.context & ~context_base) | (v & context_base); return;
    case at(5): c.page_mask = v & page_mask_bits; return;
    case at(5, 1): return;
    case at(6): return write_wired(s, v);
    case at(7): c.hwrena = v & hwrena_bits; return;
    case at(9): return write_count(s, v);
    case at(10): return set_entry_hi(s, v);
    case at(11): return write_compare(s, v);
    case at(12): return write_status(s, v);
    case at(12, 1):
      if (s.model->config[3] & config3_vint) c.int_ctl = (c.int_ctl & ~int_ctl_vs) | (v & int_ctl_vs);
      return;
    case at(12, 2): case at(12, 3): return;  // one set of general registers
    case at(13): return write_cause(s, v);
    case at(14): c.epc = v; return;
    case at(15, 1):
      if (release2(s)) c.ebase = (c.ebase & ~ebase_bits) | (v & ebase_bits);
      return;
    case at(16): c.config0 = (c.config0 & ~config0_k0) | (v & config0_k0); return;
    case at(23): return write_debug(s, v);
    case at(24): c.depc = v; return;
    case at(26): return;  // no parity: what Linux writes to test for it must not read back
    case at(28): case at(28, 2): case at(28, 4): case at(28, 6): c.tag_lo[(which & 7) / 2] = v; return;
    case at(29): case at(29, 2): case at(29, 4): case at(29, 6): c.tag_hi[(which & 7) / 2] = v; return;
    case at(30): c.error_epc = v; return;
    case at(31): c.desave = v; return;
    default: break;
  }
  const bool has_watch = s.model->config[1] & config1_watch;
  if (which >> 3 == 18 && has_watch) write_watch_lo(s, which & 7, v);
  else if (which >> 3 == 19 && has_watch) write_watch_hi(s, which & 7, v);
  else if (which >> 3 < 8 || which >> 3 > 17) log_guest("cpu", "write to a CP0 register that is not there, number * 8 + select:", which);
}

// MD00086 RDHWR.  The kernel may read all, others those of HWREna.
bool read_hardware_register(CpuState& s, u32 number, u32& v) noexcept {
  const bool allowed = kernel_mode(s) || (s.cp0.status & status_cu0) || (s.cp0.hwrena >> number & 1);
  if (!allowed || !release2(s)) return false;
  switch (number) {
    case 0: v = s.cp0.ebase & 0x3ff; return true;
    case 1: v = synci_step; return true;
    case 2: v = read_count(s); return true;
    case last_hardware_register: v = count_resolution; return true;
    default: return false;
  }
}

void reset_cp0(CpuState& s) noexcept {
  s.cp0 = {};
  s.cp0.status = status_bev | status_erl;
  s.cp0.int_ctl = int_ctl_reset;
  s.cp0.ebase = ebase_fixed;
  s.cp0.config0 = s.model->config[0] | (s.big_endian ? config0_big : 0);
  if (s.clock_hz) s.cp0.count_since = s.machine->now();
  arm_timer(s);
}
}  // namespace mips
