// Compares vfp_data_processing with the ARM926 of Unicorn, an independent implementation of the same architecture:
// random operations, registers and FPSCR, special values favoured.  All registers and FPSCR must agree.
//     vfp_unicorn [operations] [seed]
// Exit status 0: no difference.  Not compared: UNPREDICTABLE vectors (DDI 0100I §C5.1.3), and FPSCR bits 27:26,
// which do not exist in VFPv2 but are kept by Unicorn.
//
// Unicorn 2.0.1 departs from the manual in two kinds of vectors: STRIDE = 0b11 steps single registers by 4 instead of
// 2, and operations with one operand do not step that operand.  Those are given to it as the scalar operations they
// stand for (§C5.1.2).

#include "cpus/arm/vfp.hpp"

#include <unicorn/unicorn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace arm;

namespace {
constexpr u32 code_at = 0x10000, input_at = 0x20000, output_at = 0x30000;
constexpr unsigned batch = 128;

struct Record {  // what guest code loads and stores per operation
  u32 s[32];
  u32 fpscr;
};
static_assert(sizeof(Record) == 132);

struct Operation {
  const char* name;
  u32 word;       // with zero registers, single form
  enum Kind { vector, compare, to_double, to_single, from_integer, to_integer } kind;
};
constexpr Operation operations[] = {
    {"fmac", 0xee00'0a00, Operation::vector},      {"fnmac", 0xee00'0a40, Operation::vector},
    {"fmsc", 0xee10'0a00, Operation::vector},      {"fnmsc", 0xee10'0a40, Operation::vector},
    {"fmul", 0xee20'0a00, Operation::vector},      {"fnmul", 0xee20'0a40, Operation::vector},
    {"fadd", 0xee30'0a00, Operation::vector},      {"fsub", 0xee30'0a40, Operation::vector},
    {"fdiv", 0xee80'0a00, Operation::vector},      {"fcpy", 0xeeb0'0a40, Operation::vector},
    {"fabs", 0xeeb0'0ac0, Operation::vector},      {"fneg", 0xeeb1'0a40, Operation::vector},
    {"fsqrt", 0xeeb1'0ac0, Operation::vector},     {"fcmp", 0xeeb4'0a40, Operation::compare},
    {"fcmpe", 0xeeb4'0ac0, Operation::compare},    {"fcmpz", 0xeeb5'0a40, Operation::compare},
    {"fcmpez", 0xeeb5'0ac0, Operation::compare},   {"fcvtds", 0xeeb7'0ac0, Operation::to_double},
    {"fcvtsd", 0xeeb7'0bc0, Operation::to_single}, {"fuito", 0xeeb8'0a40, Operation::from_integer},
    {"fsito", 0xeeb8'0ac0, Operation::from_integer}, {"ftoui", 0xeebc'0a40, Operation::to_integer},
    {"ftouiz", 0xeebc'0ac0, Operation::to_integer}, {"ftosi", 0xeebd'0a40, Operation::to_integer},
    {"ftosiz", 0xeebd'0ac0, Operation::to_integer},
};

std::mt19937_64 rng;
u32 below(u32 n) { return u32(rng() % n); }

// Floating-point bits of `Exponent` and `Fraction` bits, from the places where rules change.
template <class Bits, unsigned Exponent, unsigned Fraction>
Bits interesting() {
  constexpr Bits top = (Bits(1) << Exponent) - 1, bias = top >> 1, fraction_mask = (Bits(1) << Fraction) - 1;
  const Bits sign = Bits(rng() & 1) << (Exponent + Fraction);
  Bits fraction = Bits(rng()) & fraction_mask;
  switch (below(5)) {
    case 0: fraction = 0; break;
    case 1: fraction = fraction_mask - below(3); break;
    case 2: fraction = below(4); break;
    case 3: fraction = Bits(rng() & 0xff) << (Fraction - 8); break;
    default: break;
  }
  Bits exponent;
  switch (below(8)) {
    case 0: exponent = 0; break;
    case 1: exponent = below(4); break;
    case 2: exponent = top - (below(2) ? 0 : below(3)); break;
    case 3: exponent = bias + below(40) - 4; break;
    case 4: exponent = bias / 2 + below(6); break;                    // products and squares near the least
    case 5: exponent = bias - (Fraction + 2) + below(2 * Fraction); break;
    case 6: exponent = bias + bias / 2 + below(4); break;
    default: exponent = Bits(rng()) & top; break;
  }
  return sign | exponent << Fraction | fraction;
}
u32 single() { return interesting<u32, 8, 23>(); }
u64 dbl() { return interesting<u64, 11, 52>(); }
// Doubles around the range of singles, where FCVTSD rounds, overflows and underflows.
u64 double_near_single() {
  const u64 exponent = below(2) ? 1023 + 120 + below(16) : 1023 - 155 + below(32);
  u64 fraction = rng() & ((u64(1) << 52) - 1);
  if (below(3) == 0) fraction &= ~((u64(1) << 28) - 1);
  if (below(3) == 0) fraction |= ((u64(1) << 23) - 1) << 29;
  return (rng() & (u64(1) << 63)) | exponent << 52 | fraction;
}

bool fits_bank(u32 fpscr, bool is_double) {
  const unsigned length = 1 + (fpscr >> 16 & 7), stride = fpscr & fpscr_stride ? 2 : 1;
  return length * stride <= (is_double ? 4 : 8);
}
// Vector registers that overlap without being equal: UNPREDICTABLE (§C5.1.3).
bool overlap(unsigned a, unsigned b, u32 fpscr, unsigned bank) {
  if (a == b || a / bank != b / bank) return false;
  const unsigned length = 1 + (fpscr >> 16 & 7), stride = fpscr & fpscr_stride ? 2 : 1;
  u32 in_a = 0, in_b = 0;
  for (unsigned i = 0; i < length; ++i) {
    in_a |= 1u << ((a + i * stride) % bank);
    in_b |= 1u << ((b + i * stride) % bank);
  }
  return (in_a & in_b) != 0;
}

struct Case {
  const Operation* op;
  u32 word;
  bool is_double;
  Record in;
  bool one_operand() const { return (word & 0x00b0'0000) == 0x00b0'0000; }
  bool is_vector() const { return op->kind == Operation::vector && (in.fpscr & fpscr_len); }
  bool expand() const {
    return is_vector() && (one_operand() || (!is_double && (in.fpscr & fpscr_stride) == fpscr_stride));
  }
};

// The scalar operations a vector operation stands for.
std::vector<u32> scalars(const Case& c) {
  const unsigned bank = c.is_double ? 4 : 8, stride = c.in.fpscr & fpscr_stride ? 2 : 1;
  struct Field { unsigned high, low; };  // bit positions of the four bit part and of the single bit
  const auto get = [&](Field f) {
    const u32 four = c.word >> f.high & 15;
    return c.is_double ? four : four * 2 + (c.word >> f.low & 1);
  };
  const auto put = [&](Field f, u32 n) { return c.is_double ? n << f.high : n / 2 << f.high | n % 2 << f.low; };
  constexpr Field fd{12, 22}, fn{16, 7}, fm{0, 5};
  const u32 d = get(fd), n = get(fn), m = get(fm);
  const unsigned length = d < bank ? 1 : 1 + (c.in.fpscr >> 16 & 7);
  std::vector<u32> words;
  for (unsigned i = 0; i < length; ++i) {
    const auto element = [&](u32 r) { return r / bank * bank + (r % bank + i * stride) % bank; };
    u32 w = c.op->word | (c.is_double ? 0x100 : 0) | put(fd, element(d)) | put(fm, m < bank ? m : element(m));
    if (!c.one_operand()) w |= put(fn, element(n));
    words.push_back(w);
  }
  return words;
}

Case random_case() {
  Case c;
  for (;;) {
    c.op = &operations[below(std::size(operations))];
    c.is_double = c.op->kind == Operation::to_single || (c.op->kind != Operation::to_double && below(2));
    c.in.fpscr = u32(rng()) & (fpscr_dn | fpscr_fz | fpscr_rmode | fpscr_nzcv | 0x9f);
    if (below(2)) c.in.fpscr &= ~0x9fu;
    if (below(3) == 0) c.in.fpscr = (c.in.fpscr & ~(fpscr_dn | fpscr_fz | fpscr_rmode)) | fpscr_ixc;
    if (c.op->kind == Operation::vector && below(2)) {
      c.in.fpscr |= (rng() & fpscr_len) | (below(2) ? fpscr_stride : 0);
      if (!fits_bank(c.in.fpscr, c.is_double)) continue;
    }
    const bool double_d = c.is_double ? c.op->kind <= Operation::compare || c.op->kind == Operation::from_integer
                                      : c.op->kind == Operation::to_double;
    const bool double_m = c.is_double && c.op->kind != Operation::from_integer;
    u32 d = below(double_d ? 16 : 32), n = below(c.is_double ? 16 : 32), m = below(double_m ? 16 : 32);
    c.word = c.op->word | (c.is_double ? 0x100 : 0);
    const bool extension = (c.word & 0x00b0'0000) == 0x00b0'0000;
    const bool with_zero = (c.word & 0x00bf'0000) == 0x00b5'0000;
    if (c.in.fpscr & fpscr_len) {
      const unsigned bank = c.is_double ? 4 : 8;
      if (d >= bank && (overlap(d, m, c.in.fpscr, bank) || (!extension && overlap(d, n, c.in.fpscr, bank)))) continue;
    }
    c.word |= double_d ? d << 12 : (d >> 1) << 12 | (d & 1) << 22;
    if (!extension) c.word |= c.is_double ? n << 16 : (n >> 1) << 16 | (n & 1) << 7;
    if (!with_zero) c.word |= double_m ? m : m >> 1 | (m & 1) << 5;
    break;
  }
  for (unsigned i = 0; i < 32; i += 2) {
    if (c.is_double && c.op->kind != Operation::from_integer) {
      const u64 v = c.op->kind == Operation::to_single && below(2) ? double_near_single() : dbl();
      std::memcpy(&c.in.s[i], &v, 8);
    } else {
      c.in.s[i] = c.op->kind == Operation::from_integer && below(2) ? u32(rng()) >> below(32) : single();
      c.in.s[i + 1] = c.op->kind == Operation::from_integer && below(2) ? u32(rng()) : single();
    }
  }
  // Equal operands, and sums that nearly cancel.
  if (below(4) == 0) {
    const u32 step = c.is_double ? 2 : 1;
    for (unsigned i = 0; i + step < 32; i += step)
      if (below(3) == 0) {
        std::memcpy(&c.in.s[i + step], &c.in.s[i], 4 * step);
        c.in.s[i + 2 * step - 1] ^= (below(2) << 31);
        c.in.s[i + step] ^= below(3);
      }
  }
  return c;
}

void require(uc_err e, const char* what) {
  if (e == UC_ERR_OK) return;
  std::fprintf(stderr, "vfp_unicorn: %s: %s\n", what, uc_strerror(e));
  std::exit(2);
}

uc_engine* open_unicorn() {
  uc_engine* uc = nullptr;
  require(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc), "open");
  require(uc_ctl_set_cpu_model(uc, UC_CPU_ARM_926), "model");
  require(uc_mem_map(uc, code_at, 0x30000, UC_PROT_ALL), "map");
  const u32 enable = 0xeee8'0a10;  // fmxr fpexc, r0
  u32 r0 = fpexc_en;
  uc_reg_write(uc, UC_ARM_REG_R0, &r0);
  uc_mem_write(uc, code_at, &enable, 4);
  require(uc_emu_start(uc, code_at, code_at + 4, 0, 0), "enable");
  return uc;
}
}  // namespace

int main(int argc, char** argv) {
  const u64 total = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1'000'000;
  rng.seed(argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 1);

  uc_engine* uc = open_unicorn();
  CpuState s;
  s.vfp.fpexc = fpexc_en;
  u64 done = 0, differences = 0, with_vectors = 0, expanded = 0;
  std::map<std::string, u64> counts, failures;
  // Unicorn 2.0.1 crashes when its code buffer fills up, so it gets a new one now and then.
  constexpr u64 reopen_after = 64 * batch;
  while (done < total) {
    if (done % reopen_after == 0 && done) {
      uc_close(uc);
      uc = open_unicorn();
    }
    std::vector<Case> cases(batch);
    std::vector<Record> in(batch), out(batch);
    std::vector<u32> code;
    for (unsigned i = 0; i < batch; ++i) {
      cases[i] = random_case();
      in[i] = cases[i].in;
      std::vector<u32> words{cases[i].word};
      if (cases[i].expand()) {
        words = scalars(cases[i]);
        in[i].fpscr &= ~(fpscr_len | fpscr_stride);
        ++expanded;
      }
      code.insert(code.end(), {0xecb0'0b20,         // fldmiad r0!, {d0-d15}
                               0xe490'1004,         // ldr r1, [r0], #4
                               0xeee1'1a10});       // fmxr fpscr, r1
      code.insert(code.end(), words.begin(), words.end());
      code.insert(code.end(), {0xeef1'1a10,         // fmrx r1, fpscr
                               0xeca2'0b20,         // fstmiad r2!, {d0-d15}
                               0xe482'1004});       // str r1, [r2], #4
    }
    u32 from = input_at, to = output_at;
    uc_reg_write(uc, UC_ARM_REG_R0, &from);
    uc_reg_write(uc, UC_ARM_REG_R2, &to);
    uc_mem_write(uc, code_at, code.data(), 4 * code.size());
    uc_mem_write(uc, input_at, in.data(), sizeof(Record) * batch);
    uc_ctl_remove_cache(uc, u64(code_at), u64(code_at + 4 * code.size()));
    require(uc_emu_start(uc, code_at, code_at + 4 * code.size(), 0, 0), "run");
    uc_mem_read(uc, output_at, out.data(), sizeof(Record) * batch);
    for (unsigned i = 0; i < batch; ++i, ++done) {
      const Case& c = cases[i];
      std::memcpy(s.vfp.s, c.in.s, sizeof s.vfp.s);
      write_fpscr(s, c.in.fpscr);
      vfp_data_processing(s, c.word);
      const std::string name = std::string(c.op->name) + (c.is_double ? "d" : "s");
      ++counts[name];
      with_vectors += c.is_vector();
      const u32 fpscr = (out[i].fpscr & fpscr_writable) | (c.in.fpscr & (fpscr_len | fpscr_stride));
      if (fpscr == read_fpscr(s) && !std::memcmp(s.vfp.s, out[i].s, sizeof s.vfp.s)) continue;
      ++failures[name];
      if (++differences > 20) continue;
      std::printf("%s %08x fpscr in %08x: fpscr %08x, unicorn %08x\n", name.c_str(), c.word, c.in.fpscr, read_fpscr(s),
                  fpscr);
      for (unsigned r = 0; r < 32; ++r)
        if (s.vfp.s[r] != out[i].s[r])
          std::printf("   s%u was %08x: %08x, unicorn %08x\n", r, c.in.s[r], s.vfp.s[r], out[i].s[r]);
    }
  }
  std::printf("%llu operations, %llu with vectors (%llu given as scalars), %zu kinds, %llu differences\n",
              (unsigned long long)done, (unsigned long long)with_vectors, (unsigned long long)expanded, counts.size(),
              (unsigned long long)differences);
  for (const auto& [name, n] : failures)
    std::printf("   %s: %llu of %llu\n", name.c_str(), (unsigned long long)n, (unsigned long long)counts[name]);
  uc_close(uc);
  return differences != 0;
}
