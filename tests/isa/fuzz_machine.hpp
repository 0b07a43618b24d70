#pragma once
// A machine with nothing but 64 KiB of memory, an ARM926 and a bus that remembers what it was asked, for tests that run
// the same code in the interpreter, in the translator and elsewhere.
//
//   0x0000  vectors              0x4000  first-level table
//   0x1000  code                 0x8000  second-level tables
//   0x1800  data window, up to 0x3fff

#include "accel/board_port.hpp"
#include "cpus/arm/arm926.hpp"
#include "cpus/arm/front_end.hpp"
#include "tests/isa/fuzz_common.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace fuzz {
using namespace core;
using arm::CpuState;

inline constexpr u32 ram_size = 0x10000, code_at = 0x1000, code_limit = 0x17e0, end_at = 0x17f0;
inline constexpr u32 window_at = 0x1800, window_size = 0x2800, l1_at = 0x4000, l2_at = 0x8000;

using Memory = std::array<u8, ram_size>;

// Everything a guest can see of the CPU, by place.
namespace at {
enum : unsigned {
  pc = 15, cpsr = 16, usr8 = 17, fiq8 = 22, r13 = 27, r14 = 33, spsr = 39,
  control = 45, ttbr, dacr, fcse, dfsr, ifsr, far,
  s0 = 52, fpscr = 84, fpexc, count
};
}
using Registers = std::array<u32, at::count>;
std::string register_name(unsigned place);
Registers registers_of(const CpuState& s);

struct TestMachine : TestBus {
  arm::Arm926<TestMachine> cpu{*this};
};

// A test machine with its executor.
class Cpu {
 public:
  explicit Cpu(const accel::EngineOptions& options, u64 memory = ram_size);
  CpuState& state() { return *state_; }
  accel::Engine& engine() { return *engine_; }
  u8* memory() { return machine.ram[0].host; }
  // Memory and CPU become these; translations, TLB and device log go.
  void load(const Memory& image, const Registers& r);
  // Writes memory as a device would.
  void poke(u32 at, u32 value, unsigned size);
  // Runs to a breakpoint or a halt.  False: the guest was still running after a long time.
  bool run();
  TestMachine machine;

 private:
  accel::VcpuMemory mapping_;
  arm::ArmFrontEnd front_;
  CpuState* state_;
  std::unique_ptr<accel::Engine> engine_;
};

// Exception vectors and the end of the code, low and high.
void stop_at_vectors_and_end(accel::Engine& engine);
// The image with page tables for tests with the MMU (see the table in fuzz_machine.cpp).
void write_page_tables(Memory& image);
}  // namespace fuzz
