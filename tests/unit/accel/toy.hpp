#pragma once
// A guest CPU made for tests: 16 registers, four flags, 32-bit instructions of four byte fields, an identity-mapped
// soft MMU with exceptions to it, and a device that answers and records.

#include "accel/engine.hpp"
#include "accel/softmmu.hpp"
#include "accel/tcg/front_end.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace toy {
using namespace core;
using accel::VcpuHeader;

// Of the 16 registers ten are pinned (r0…r9 in another order), six live in memory.
struct State {
  VcpuHeader header;
  u32 r[16] = {};
  u8 n = 0, z = 0, c = 0, v = 0;
  u32 odd = 0;   // bit 0 of the pc: a mode bit without meaning
  u32 mode = 0;  // further mode bits above privilege
  u32 fp_flags = 0;
  u8 fp_fast = 0;
  u32 limit = 0;  // slot 16

  u32 flags() const { return u32(n) | u32(z) << 1 | u32(c) << 2 | u32(v) << 3; }
};
inline State& state(VcpuHeader& c) { return *reinterpret_cast<State*>(&c); }
inline const State& state(const VcpuHeader& c) { return *reinterpret_cast<const State*>(&c); }

inline constexpr u32 fault_vector = 0x40, device = 0x9000'0000;

// An access that reached the slow path: its kind, address, value, and the state it saw.
struct Event {
  u32 kind, at, value, pc, flags;
  std::array<u32, 16> r;
  friend bool operator==(const Event&, const Event&) = default;
};

struct Machine : MachineBase {
  std::map<u32, u32> pages;     // va >> 12 → pa >> 12 where it is not the same
  std::set<u32> faults;         // va >> 12 whose accesses (and fetches) fault
  bool single_pages = true;     // map_page's argument
  bool map = true;              // memory is opened for direct access
  bool leave_at_random = false; // device accesses and the leaving helper fault for half of the addresses
  std::vector<Event> events;
  bool record = false;
  unsigned slow_loads = 0, slow_stores = 0, fp_calls = 0, fault_count = 0, interrupts_taken = 0;
  bool interrupt_line = false;
  std::function<void(VcpuHeader&, u32)> on_trap;  // instruction `trap n`
  std::function<void(u32 at)> on_device;          // before an access to the device
  std::map<u32, u32> device_words;                // by address; others answer a function of it
};
inline Machine& machine(VcpuHeader& c) { return *static_cast<Machine*>(c.machine); }
void record(VcpuHeader& c, u32 kind, u32 at, u32 value);
void reach_device(Machine& m, u32 at);

inline constexpr unsigned limit_slot = 16;
// Helper numbers of the layout.
enum Help : unsigned { help_pure, help_state, help_leave, help_jump, help_trap, help_halt, help_fp };
// An fp operation's imm, which is all its helper gets; slots by number.
constexpr u32 fp_imm(u8 aux, u32 d, u32 a, u32 b) { return aux | d << 8 | a << 12 | b << 16; }

class FrontEnd final : public tcg::FrontEnd {
 public:
  const tcg::GuestLayout& layout() const override;
  u32 pc(const VcpuHeader& c) const override { return c.pc | state(c).odd; }
  void set_pc(VcpuHeader& c, u32 pc) const override { c.pc = pc & ~1u, state(c).odd = pc & 1; }
  u32 mode(const VcpuHeader& c) const override { return c.privilege | state(c).mode << 1; }
  tcg::CodePlace fetch_address(VcpuHeader& c, u32 pc) const override;
  void translate(tcg::Request& request) const override;
  void deliver_interrupt(VcpuHeader& c) const override;
  bool wakes(const VcpuHeader& c) const override { return static_cast<const Machine*>(c.machine)->interrupt_line; }
  void reset(VcpuHeader&) const override {}
  std::string disassemble(u32, std::span<const u8>, unsigned& length) const override { return length = 4, "toy"; }
  std::string dump(const VcpuHeader&) const override { return "toy\n"; }
  mutable std::vector<u32> translated;  // pc of each request
};

accel::Port port();

// ---- instructions
constexpr u32 encode(u32 op, u32 d = 0, u32 a = 0, u32 i = 0) { return op | d << 8 | a << 16 | (i & 0xff) << 24; }
constexpr u32 nop() { return encode(0); }
constexpr u32 addi(u32 d, u32 a, int i) { return encode(1, d, a, u32(i)); }       // flags NZCV
constexpr u32 jump(int words) { return encode(2, 0, 0, u32(words)); }             // from this instruction
constexpr u32 jump_reg(u32 a) { return encode(3, 0, a); }
constexpr u32 bnz(u32 a, int words) { return encode(4, 0, a, u32(words)); }
constexpr u32 load(u32 d, u32 a, int i = 0) { return encode(5, d, a, u32(i)); }
constexpr u32 store(u32 d, u32 a, int i = 0) { return encode(6, d, a, u32(i)); }
constexpr u32 movi(u32 d, int i) { return encode(7, d, 0, u32(i)); }
constexpr u32 shl(u32 d, u32 a, u32 i) { return encode(8, d, a, i); }
constexpr u32 add(u32 d, u32 a) { return encode(9, d, a); }                       // d += a
constexpr u32 halt() { return encode(10); }
constexpr u32 trap(u32 n) { return encode(11, 0, 0, n); }
constexpr u32 far(u32 address) { return 12 | (address >> 2) << 8; }               // jump to an address below 64 MiB

#if PINSTRAP_HOST_X86_64
inline constexpr bool has_translator = true;
#else
inline constexpr bool has_translator = false;  // engines interpret
#endif

// The guest with memory: 1 MiB of RAM at 0 and 64 KiB of rom at 16 MiB.
struct Guest {
  explicit Guest(bool with_rom = true);
  Machine board;
  accel::VcpuMemory vcpu;
  State& s;
  VcpuHeader& c;
  FrontEnd front;
  std::unique_ptr<accel::Engine> engine;  // made by with_engine()

  void with_engine(bool interpret, std::size_t buffer_mib = 1, unsigned block_limit = 64, unsigned region_after = 8192);
  u32 word(u32 at) const { return load_le<u32>(board.ram[0].host + at); }
  void poke(u32 at, u32 w) { store_le(board.ram[0].host + at, w); }
  void put(u32 at, std::initializer_list<u32> words) {
    for (u32 w : words) poke(at, w), at += 4;
  }
  // From `pc` until the CPU halts; the halt is taken back.
  void run(u32 pc);
};
inline constexpr u32 rom_at = 16 * MiB;
}  // namespace toy
