#pragma once
// Random ARM cases: what one is, how it is made, and who runs it.

#include "tests/isa/fuzz_machine.hpp"

#include <bitset>

namespace fuzz {
enum class Isa : u8 { a32, t16, vfp };
inline constexpr unsigned isa_count = 3;

struct Encoding : Line {
  Isa isa;
};
class Tables {
 public:
  Tables();
  std::vector<Encoding> all;
  std::vector<u32> of[isa_count];  // indices of `all`
  // Index of the line a word belongs to, or -1 when it is undefined.
  s32 find(bool thumb, u32 word) const;

 private:
  s32 index(Isa isa, unsigned op) const { return op ? s32(of[unsigned(isa)][op - 1]) : -1; }
};
const Tables& tables();
std::string disassemble(bool thumb, u32 word, u32 pc);

// Differences from Unicorn 2.0.1 that are understood; a case with one of them is compared with the interpreter only.
enum Explained : u32 {
  explained_unaligned = 1 << 0,
  explained_stored_pc = 1 << 1,
  explained_vector = 1 << 2,
  explained_mmu = 1 << 3,
  explained_cp15 = 1 << 4,
  explained_bus = 1 << 5,
  explained_return = 1 << 6,
  explained_prefix = 1 << 7,
  explained_unpredictable = 1 << 8,
  explained_thumb2 = 1 << 9,
  explained_bkpt = 1 << 10,
};
struct Explanation {
  u32 bit;
  const char *name, *reason;
};
std::span<const Explanation> explanations();

struct Placed {
  u32 at, word;
  u8 bytes;
  bool thumb;
  s32 encoding;  // index in tables().all, -1: the branch to the end, or undefined
  bool passed;   // its condition held
};
struct Case {
  u64 seed = 0;
  Registers in{};
  u64 data_seed = 0;      // of the window
  u32 data_step = 0;      // its words are special values when odd
  std::vector<Placed> code;
  u32 explained = 0;
  bool mmu = false;
  bool wrong_rotation = false;  // an unaligned load did not do what §A4.1.23 says
  std::string name;       // of a regression
};
// Memory before the case.
void make_image(const Case& c, Memory& image);

// What a run leaves behind.
struct Outcome {
  Registers r{};
  std::vector<TestBus::Access> accesses;
  bool ended = true;
};
Outcome run(Cpu& cpu, const Case& c, const Memory& image);

struct Wanted {
  bool classes[isa_count] = {true, true, true};
  s32 only = -1;      // index of an encoding
  bool unicorn = true;
};

class Generator {
 public:
  Generator(Cpu& cpu, const Wanted& wanted) : cpu_(cpu), wanted_(wanted) {}
  // The case of this seed; `image` is its memory.
  Case make(u64 seed, Memory& image, std::vector<Encoding>& coverage);

 private:
  struct Transfer {  // what an instruction asks of memory
    u32 address = 0, bytes = 0, size = 0;
    bool store = false, is_memory = false;
  };
  void start(Case& c, Isa isa);
  u32 random_value();
  u32 code_target();
  bool is_free(u32 at, u32 bytes) const;
  bool is_target(u32 address, bool thumb) const;
  bool value_is_target(u32 v) const { return is_target(v & ~1u, v & 1); }
  s32 choose(Isa isa, const std::vector<Encoding>& coverage);
  bool compose(const Encoding& e, u32& word);
  void bias(const Encoding& e, u32& word);
  bool acceptable(const Encoding& e, u32 word);
  bool memory_acceptable(const Transfer& t);
  Transfer transfer_of(const Encoding& e, u32 w) const;
  u32 explained_by(const Encoding& e, u32 w) const;
  bool passes(u32 condition) const;
  u32 reg(u32 n) const;
  u32 pick_register(u32 purpose);
  bool undefined_word(bool thumb, u32& word);
  u32 below(u32 n) { return u32(rng_() % n); }
  bool chance(u32 percent) { return below(100) < percent; }
  bool a32(const Encoding& e, u32 w);
  bool t16(const Encoding& e, u32 w);
  bool vfp(const Encoding& e, u32 w);

  Cpu& cpu_;
  const Wanted& wanted_;
  Random rng_;
  std::bitset<0x1000> taken_;  // bytes of the code page
  bool unaligned_ = false, mmu_ = false, exceptions_ = false, wild_ = false;
};

// The other implementation.
class Unicorn {
 public:
  Unicorn();
  ~Unicorn();
  Unicorn(const Unicorn&) = delete;
  // Runs the case; false: it cannot be compared, and why.
  bool run(const Case& c, const Memory& image, Registers& out, Memory& memory, u32& exception, std::string& why);

 private:
  struct Hidden;
  std::unique_ptr<Hidden> x_;
};
}  // namespace fuzz
