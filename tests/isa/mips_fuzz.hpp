#pragma once
// Random MIPS32 cases: what one is, how it is made, and who runs it.

#include "tests/isa/mips_machine.hpp"

namespace mips_fuzz {

enum class Isa : u8 { mips32, fpu, dsp };
inline constexpr unsigned isa_count = 3;
inline constexpr const char* isa_names[] = {"mips32", "fpu", "dsp"};

struct Encoding : Line {
  Isa isa;
};
class Tables {
 public:
  Tables();
  std::vector<Encoding> all;
  std::vector<u32> of[isa_count];  // indices of `all`
  // Index of the line a word belongs to, or -1 when it is reserved.
  s32 find(u32 word) const;
};
const Tables& tables();
inline constexpr const char* branches = "beq* bne* bl* bg* bc1* bposge32";
inline constexpr const char* branches_and_jumps = "beq* bne* bl* bg* bc1* bposge32 j*";
std::string disassemble(u32 word, u32 pc);

struct Placed {
  u32 at, word;
  s32 encoding;  // index in tables().all, -1: the jump to the end, or reserved
};
struct Case {
  u64 seed = 0;
  Isa isa = Isa::mips32;
  Registers in{};
  u64 data_seed = 0;  // of the window
  std::vector<Placed> code;
  bool contains(std::string_view names) const;
};
// Memory before the case.
void make_image(const Case& c, bool big_endian, Memory& image);

// A difference from Unicorn 2.0.1 that is understood.  Asked only where there is one: `holds` looks at an instruction
// about to be executed.
struct Explanation {
  const char *name, *reason;
  bool (*holds)(CpuState& s, u32 word, s32 encoding);
};
std::span<const Explanation> explanations();

// Makes the case of a seed.
struct Wanted {
  bool classes[isa_count] = {true, true, false};
  bool dsp() const { return classes[unsigned(Isa::dsp)]; }
  s32 only = -1;  // index of an encoding
};
Case make_case(u64 seed, const Wanted& wanted);

// The other implementation.
class Unicorn {
 public:
  Unicorn(bool big_endian, bool dsp);
  ~Unicorn();
  Unicorn(const Unicorn&) = delete;
  // Runs the case; false: it cannot be compared, and why.  `exception`: QEMU's number, or none.  `fault_pc`: of the
  // instruction that raised it.
  static constexpr u32 none = ~0u;
  bool run(const Case& c, const Memory& image, Registers& out, Memory& memory, u32& exception, u32& fault_pc,
           std::string& why);

 private:
  struct Hidden;
  std::unique_ptr<Hidden> x_;
};
}  // namespace mips_fuzz
