#pragma once
// What the instruction fuzzers of all families share: a bus that remembers what it was asked, the generated instruction
// tables as random words need them, and how differences and coverage are told.

#include "accel/layers.hpp"

#include "core/machine.hpp"

#include <array>
#include <cstring>
#include <map>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace fuzz {
using namespace core;
using Random = std::mt19937_64;

// ---- machines

// Everything that is not memory: reads give a value made from the address.
struct TestBus : MachineBase {
  struct Access {
    u32 address, value;
    u8 size;
    bool store;
    friend bool operator==(const Access&, const Access&) = default;
  };
  std::vector<Access> accesses;                    // the first of them
  void (*on_store)(TestBus&, u32, u32) = nullptr;  // a device that acts on stores
  unsigned fetches = 0;                            // of code that is not in memory
  u64 read(GuestPhys at, unsigned size);
  void write(GuestPhys at, unsigned size, u64 value);

 private:
  void note(const Access& a);
};

// Calls `stop` from another thread, again and again, when a run takes seconds; until the next call of this.
void guard_run(void (*stop)(void*), void* context);

// Takes the layer of that name out; false when there is none.
inline bool leave_out(accel::Layers& layers, std::string_view name) {
  for (u32 n = 0; n < accel::layer_list().size(); ++n)
    if (name == accel::layer_list()[n].name) return layers = layers.without(accel::Layer(n)), true;
  return false;
}

// ---- instruction tables

// One line of an instruction table.
struct Line {
  std::string name;
  u32 mask, bits, fixed, should_be;  // fixed: bits that are neither operands nor ignored
  u64 ran = 0;                       // cases in which it ran
};
using OperandBytes = std::array<u32, 12>;
struct Decoder {
  unsigned (*op)(u32 word);
  void (*read)(u32 word, OperandBytes& to);
  unsigned width;
};
// The bits of a line that change neither the line nor an operand of any word tried.
u32 ignored_bits(unsigned op, u32 mask, u32 bits, const Decoder& d);

// Copies the operands of a decoded instruction.
struct ReadOperands {
  OperandBytes& to;
  template <class I>
  void operator()(const I& i) {
    to.fill(0);
    if constexpr (requires { I::op; } && !std::is_empty_v<I>) {
      static_assert(sizeof(I) <= sizeof(OperandBytes));
      std::memcpy(to.data(), &i, sizeof i);
    }
  }
};

// Appends the table's lines; `of` gets their indices.
template <class Info, class Encoding, class Isa>
void add_lines(std::vector<Encoding>& all, std::vector<u32>& of, Isa isa, std::span<const Info> table,
               const Decoder& d) {
  for (unsigned i = 1; i < table.size(); ++i) {
    const u32 ignored = ignored_bits(i, table[i].mask, table[i].bits, d);
    of.push_back(u32(all.size()));
    all.push_back(
        {{table[i].name, table[i].mask, table[i].bits, table[i].mask | ignored, table[i].bits | table[i].ones}, isa});
  }
}

// `names` are separated by spaces and may have a * each.
bool named(std::string_view names, std::string_view name);

// Values where floating point changes its ways: words of singles and of halves of doubles.
inline constexpr u32 special_floats[] = {
    0,           0x8000'0000, 0x3f80'0000, 0xbf80'0000, 0x7f80'0000, 0xff80'0000, 0x7fc0'0000, 0x7f80'0001,
    0xffa0'0001, 1,           0x007f'ffff, 0x0080'0000, 0x8080'0000, 0x7f7f'ffff, 0x4f00'0000, 0xcf00'0000,
    0x4f80'0000, 0x3f00'0000, 0x4b00'0001, 0x3f7f'ffff, 0x3ff0'0000, 0xbff0'0000, 0x7ff0'0000, 0xfff0'0000,
    0x7ff8'0000, 0x7ff4'0000, 0x000f'ffff, 0x0010'0000, 0x7fef'ffff, 0x41e0'0000, 0xc1e0'0000, 0x41ef'ffff};
inline constexpr u32 special_words[] = {
    0,     1,      0xffff'ffff, 0x8000'0000, 0x7fff'ffff, 0x8000'0001, 31,          32,          33,         0xff,
    0x100, 0x7fff, 0x8000,      0xffff,      0x1'0000,    0x5555'5555, 0xaaaa'aaaa, 0x8000'8000, 0x7fff'8000};

// ---- telling

// A line for each of the `places` in which a and b differ.
std::string differences(std::span<const u32> before, std::span<const u32> a, std::span<const u32> b, const char* name_a,
                        const char* name_b, std::span<const unsigned> places, std::string (*name_of)(unsigned));
// … for the first words of memory.
std::string memory_differences(std::span<const u8> before, const u8* a, const u8* b, const char* name_a,
                               const char* name_b);

// Prints the lines of the coverage files that did not run, by "table.name"; false when there are any.
bool report_coverage(const std::vector<std::string>& files, std::map<std::string, u64>& ran);
}  // namespace fuzz
