// Random MIPS16e code in the interpreter, the translator and Unicorn: all must agree.
//     mips16_fuzz little|big CASES [COVERAGE FILE]...
// Up to ten instructions and what they need before them, in one line up to the end; branches and jumps lead forward.
// Addresses are aligned and in the window, so nothing raises an exception.  Exit status 0: no difference, nothing left
// out.

#include "cpus/mips/mips16.hpp"
#include "tests/isa/mips_machine.hpp"

#include "mips16_decode.hpp"
#include "mips16_extended_decode.hpp"

#include <unicorn/unicorn.h>

#include <cstdio>
#include <cstdlib>

namespace mips_fuzz {
namespace {
enum class Isa : u8 { mips16, mips16_extended };
struct Encoding : Line {
  Isa isa;
};

void read_short(u32 w, OperandBytes& to) { mips::mips16::decode(w, ReadOperands{to}); }
void read_extended(u32 w, OperandBytes& to) { mips::mips16_extended::decode(w, ReadOperands{to}); }
unsigned op_short(u32 w) { return unsigned(mips::mips16::op_of(w)); }
unsigned op_extended(u32 w) { return unsigned(mips::mips16_extended::op_of(w)); }

struct Tables {
  std::vector<Encoding> all;
  std::vector<u32> of[2];
  Tables() {
    add_lines(all, of[0], Isa::mips16, std::span<const mips::mips16::OpInfo>(mips::mips16::op_info),
              {op_short, read_short, 16});
    add_lines(all, of[1], Isa::mips16_extended,
              std::span<const mips::mips16_extended::OpInfo>(mips::mips16_extended::op_info),
              {op_extended, read_extended, 32});
  }
};

constexpr u32 base = 0x8000'0000, middle = base + window_at + window_size / 2, nop = 0x6500, sp = 29;
// Unicorn changes to MIPS16e code and back by jumps only: from a place before the code, and to another behind it.
constexpr u32 enter_at = 0x900, exit_at = 0x800, k0 = 26, v0 = 2;
constexpr u32 pointers = 8;  // t0 to t3, which no instruction writes

class Maker {
 public:
  Maker(Tables& tables, u64 seed) : tables_(tables) { rng_.seed(seed * 0x9e37'79b9'7f4a'7c15 + 1); }
  std::vector<u32> make();
  Registers registers();
  std::vector<u32> used;  // lines of the tables

 private:
  friend class Fuzzer;
  u32 below(u32 n) { return u32(rng_() % n); }
  static u32 extend(u32 w, u32 i) { return (w & ~0x07ff'001fu) | (i & 0x7e0) << 16 | (i >> 11 & 31) << 16 | (i & 31); }
  void put(u32 w) {
    if (w > 0xffff) code_.push_back(w >> 16);
    code_.push_back(w & 0xffff);
  }
  u32 address() const { return base + code_at + 2 * u32(code_.size()); }
  void one(bool slot);
  u32 memory(const Encoding& e, u32 w);
  void jump(const Encoding& e, u32 w);
  void go_over(const Encoding& e, u32 w);

  Tables& tables_;
  Random rng_;
  std::vector<u32> code_;
};

Registers Maker::registers() {
  Registers r{};
  for (unsigned n = 1; n < 32; ++n) r[n] = below(3) ? u32(rng_()) : special_words[below(std::size(special_words))];
  for (u32 n = 0; n < 4; ++n) r[pointers + n] = middle + 4 * (below(256) - 128);
  r[sp] = middle;
  r[at::pc] = base + code_at;
  r[at::status] = mips::status_bev | mips::status_erl;
  return r;
}

// A pointer goes to rx before; the extended offset is a multiple of four.
u32 Maker::memory(const Encoding& e, u32 w) {
  const bool extended = e.isa == Isa::mips16_extended;
  if (!named("*_sp *_pc sw_ra", e.name)) put(0x6700 | (w >> 8 & 7) << 5 | (pointers + below(4)));
  return extended ? extend(w, 4 * (below(512) - 256)) : w;
}

// Over the next instruction, which lies behind in full.
void Maker::go_over(const Encoding& e, u32 w) {
  const std::size_t from = code_.size();
  put(w);
  const std::size_t next = code_.size();
  one(true);
  const u32 halfwords = u32(code_.size() - next);
  if (e.isa == Isa::mips16) code_[from] = (w & ~(e.name == "b" ? 0x7ffu : 0xffu)) | halfwords;
  else code_[from] = extend(w, halfwords) >> 16, code_[from + 1] = extend(w, halfwords) & 0xffff;
}

// rx gets the address behind the slot, or JAL goes there when that is a multiple of four.
void Maker::jump(const Encoding& e, u32 w) {
  const bool compact = named("jrc jrc_ra jalrc", e.name), is_jal = e.name == "jal";
  if (!is_jal) {
    const u32 x = named("jr_ra jrc_ra", e.name) ? 2 : w >> 8 & 7;
    const u32 to_ra = named("jr_ra jrc_ra", e.name) ? 1 : 0, behind = (compact ? 2 : 4) + 2 * to_ra;
    const u32 here = address(), target = (here + 4 + behind) | 1;
    put(extend(0xf000'0800 | x << 8, target - (here & ~3u)));
    if (to_ra) put(0x6500 | 7 << 5 | 3 << 3 | x);
    put(w);
  } else {
    if (address() & 2) put(nop);
    const u32 target = (address() + 8) >> 2 & 0x3ff'ffff;
    put((0x1800 | (target >> 16 & 31) << 5 | target >> 21) << 16 | (target & 0xffff));
  }
  if (!compact) one(true);
  if (is_jal) put(nop);
}

void Maker::one(bool slot) {
  for (;;) {
    const u32 isa = slot ? 0 : below(2);
    const u32 n = tables_.of[isa][below(u32(tables_.of[isa].size()))];
    const Encoding& e = tables_.all[n];
    u32 w = (u32(rng_()) & ~e.fixed & (isa ? ~0u : 0xffffu)) | e.should_be;
    if ((isa ? op_extended(w) : op_short(w)) != n - tables_.of[isa][0] + 1) continue;
    const bool branch = named("b beqz bnez bteqz btnez", e.name), jumps = named("j*", e.name);
    if (named("jalx sdbbp break_", e.name) || (slot && (branch || jumps))) continue;
    const bool is_frame = named("save restore addiu_adjust", e.name);
    const bool is_memory = named("lb lbu lh lhu lw lw_sp lw_pc sb sh sw sw_sp sw_ra", e.name);
    if (slot && is_memory && !named("*_sp *_pc sw_ra", e.name)) continue;
    if (e.name == "move_to" && ((w >> 5 & 7) | (w & 0x18)) - 8 < 4) continue;
    if (e.name == "move_to" && (((w >> 5 & 7) | (w & 0x18)) == sp || ((w >> 5 & 7) | (w & 0x18)) == k0)) continue;
    if (e.name == "move_from" && (w & 31) == k0) continue;
    if (e.name == "addiu_adjust" && isa) w = extend(w, 8 * (below(128) - 64));
    if (is_frame && slot) continue;
    if (is_frame) put(0x6740 | (pointers + below(4))), put(0x65ba);  // move v0,t0; move sp,v0
    used.push_back(n);
    if (branch) return go_over(e, w);
    if (jumps) return jump(e, w);
    return put(is_memory ? memory(e, w) : w);
  }
}

// What they leave in HI and LO is seen at the end.
std::vector<u32> Maker::make() {
  put(0xe800 | 3 << 8 | 4 << 5 | 0x18);
  for (u32 left = 1 + below(10); left; --left) one(false);
  for (const u32 w : {0xe810u /* mfhi s0 */, 0xe912u /* mflo s1 */}) put(w);
  while (address() < base + end_at) put(nop);
  return std::move(code_);
}

void require(uc_err e, const char* what) {
  if (e == UC_ERR_OK) return;
  std::fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(e));
  std::exit(2);
}

class Fuzzer {
 public:
  explicit Fuzzer(bool big) : big_(big), interp_(interpreted(), big), jit_({}, big) { open(); }
  ~Fuzzer() { uc_close(uc_); }
  bool one(u64 seed);
  Tables tables;

 private:
  void open() {
    require(uc_open(UC_ARCH_MIPS, uc_mode(UC_MODE_MIPS32 | (big_ ? UC_MODE_BIG_ENDIAN : 0)), &uc_), "open");
    require(uc_ctl_set_cpu_model(uc_, UC_CPU_MIPS32_24KF), "model");
    require(uc_mem_map_ptr(uc_, 0, ram_size, UC_PROT_ALL, theirs_.data()), "map");
  }
  // Where the case ends for us: v0 to k0, and on to MIPS32 code at exit_at.
  void put_ends() {
    const u32 la = Maker::extend(0xf000'0a00, exit_at - end_at);
    const u32 ending[] = {0x655a, la >> 16, la & 0xffff, 0xea80};
    for (u32 n = 0; n < 4; ++n) put_half(end_at + 2 * n, ending[n]);
    const u32 jr_k0 = k0 << 21 | 8;
    store_le(&image_[enter_at], big_ ? __builtin_bswap32(jr_k0) : jr_k0);
  }
  void put_half(u32 at, u32 v) { store_le(&image_[at], big_ ? __builtin_bswap16(u16(v)) : u16(v)); }
  static accel::EngineOptions interpreted() {
    accel::EngineOptions o;
    o.interpret = true;
    return o;
  }
  void run(Cpu& cpu, const Registers& in) {
    cpu.load(image_, in);
    cpu.state().isa16 = 1;
    cpu.run();
  }
  bool big_;
  Cpu interp_, jit_;
  uc_engine* uc_ = nullptr;
  Memory image_{};
  alignas(4096) Memory theirs_{};
};

bool Fuzzer::one(u64 seed) {
  Maker maker(tables, seed);
  const Registers in = maker.registers();
  const std::vector<u32> code = maker.make();
  Random rng(seed);
  image_.fill(0);
  for (u32 n = window_at; n < window_at + window_size; ++n) image_[n] = u8(rng());
  for (u32 n = 0; n < code.size(); ++n) put_half(code_at + 2 * n, code[n]);
  put_ends();
  run(interp_, in);
  run(jit_, in);
  Registers a = interp_.registers(), b = jit_.registers(), u{};
  theirs_ = image_;
  uc_ctl_remove_cache(uc_, u64(base + code_at), u64(base + window_at));
  for (int n = 1; n < 32; ++n) uc_reg_write(uc_, UC_MIPS_REG_0 + n, &in[unsigned(n)]);
  const u32 start = in[at::pc] | 1;
  uc_reg_write(uc_, UC_MIPS_REG_0 + k0, &start);
  const uc_err e = uc_emu_start(uc_, base + enter_at, base + exit_at, 0, 0);
  for (int n = 0; n < 32; ++n) uc_reg_read(uc_, UC_MIPS_REG_0 + n, &u[unsigned(n)]);
  u[v0] = u[k0];
  if (e != UC_ERR_OK) uc_close(uc_), open();
  std::vector<unsigned> places;
  for (unsigned n = 0; n < 32; ++n)
    if (n != k0) places.push_back(n);
  bool same = a == b && e == UC_ERR_OK && a[at::pc] == (base + end_at + 1);
  for (const unsigned n : places) same &= a[n] == u[n];
  same &= std::memcmp(interp_.memory(), jit_.memory(), ram_size) == 0 &&
          std::memcmp(interp_.memory(), theirs_.data(), ram_size) == 0;
  for (const u32 n : maker.used) ++tables.all[n].ran;
  if (same) return true;
  std::printf("case %llu: %s, pc %08x\n", static_cast<unsigned long long>(seed), uc_strerror(e), a[at::pc]);
  for (u32 n = 0; n < code.size() && n < 40;) {
    const u32 length = mips::mips16e::length(u16(code[n])), va = base + code_at + 2 * n;
    const std::string text = length == 2 ? mips::mips16::disassemble(code[n], va)
                                         : mips::mips16_extended::disassemble(code[n] << 16 | code[n + 1], va);
    std::printf("    %08x: %s\n", va, text.c_str());
    n += length / 2;
  }
  std::printf("%s%s%s", differences(in, a, b, "interp", "jit", places, register_name).c_str(),
              differences(in, a, u, "ours", "unicorn", places, register_name).c_str(),
              memory_differences(image_, interp_.memory(), theirs_.data(), "ours", "unicorn").c_str());
  return false;
}
}  // namespace
}  // namespace mips_fuzz

int main(int argc, char** argv) {
  using namespace mips_fuzz;
  if (argc < 3) return std::fprintf(stderr, "mips16_fuzz little|big CASES [COVERAGE FILE]...\n"), 2;
  Fuzzer f(std::string_view(argv[1]) == "big");
  unsigned different = 0;
  const u64 cases = std::strtoull(argv[2], nullptr, 0);
  for (u64 seed = 1; seed <= cases && different < 5; ++seed) different += !f.one(seed);
  std::printf("%llu cases, %u differences\n", static_cast<unsigned long long>(cases), different);
  std::map<std::string, u64> ran;
  for (const Encoding& e : f.tables.all)
    ran[std::string(e.isa == Isa::mips16 ? "mips16." : "mips16_extended.") + e.name] = e.ran;
  for (const char* name : {"mips16.sdbbp", "mips16.break_", "mips16_extended.jalx"})
    ran[name] = 1;  // unit tests have them
  return report_coverage({argv + 3, argv + argc}, ran) && !different ? 0 : 1;
}
