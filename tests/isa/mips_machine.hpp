#pragma once
// A machine with nothing but 64 KiB of memory at 0, a MIPS32 core of either byte order and a bus that remembers what it
// was asked.  The memory is at 0x80000000, 0xa0000000 and, by TLB entry 0 or while Status.ERL is set, at 0; by entry 1
// it is at 0x20000 for reading only, and 0x30000 is invalid.
//
//   0x1000  code    0x1800 … 0x3fff  data window    0xc000 …  of the Unicorn side's own code

#include "accel/board_port.hpp"
#include "cpus/mips/front_end.hpp"
#include "cpus/mips/mips32.hpp"
#include "tests/isa/fuzz_common.hpp"

#include <memory>

namespace mips_fuzz {
using namespace fuzz;
using mips::CpuState;

inline constexpr u32 ram_size = 0x10000, code_at = 0x1000, end_at = 0x17f0, window_at = 0x1800, window_size = 0x2800;
using Memory = std::array<u8, ram_size>;

// Everything a guest can see of the CPU, by place; general registers are 0 to 31.
namespace at {
enum : unsigned {
  lo = 32,
  hi,
  pc,
  f,
  fcsr = f + 64,
  status,
  cause,
  epc,
  bad_vaddr,
  index,
  entry_lo0,
  entry_lo1,
  context,
  page_mask,
  wired,
  hwrena,
  entry_hi,
  compare,
  error_epc,
  desave,
  hi1,
  lo1,
  hi2,
  lo2,
  hi3,
  lo3,
  dsp_control,
  count
};
}
using Registers = std::array<u32, at::count>;
std::string register_name(unsigned place);

// CP0 registers among them, in the order of the places from `index` on; -1: not one.
struct Cp0Place {
  unsigned place, number;
};
std::span<const Cp0Place> cp0_places();

struct TlbImage {
  u32 hi, mask, lo[2];
};
std::span<const TlbImage> tlb_image();

// A test machine with its executor.
class Cpu {
 public:
  Cpu(const accel::EngineOptions& options, bool big_endian, const char* model = "24Kf");
  CpuState& state() { return *state_; }
  accel::Engine& engine() { return *engine_; }
  TestBus& bus() { return *bus_; }
  u8* memory() { return bus_->ram[0].host; }
  u32 word(u32 at);  // of memory, in the CPU's order
  // Memory and CPU become these; translations, TLB and device log go.
  void load(const Memory& image, const Registers& r);
  Registers registers() const;
  // Runs to a breakpoint or a halt.  False: the guest was still running after a long time.
  bool run();

 private:
  accel::VcpuMemory mapping_;
  CpuState* state_;
  mips::MipsFrontEnd front_;
  std::unique_ptr<TestBus> bus_;
  std::unique_ptr<accel::Engine> engine_;
};

// True at the exception vectors.
bool is_vector(u32 pc);
}  // namespace mips_fuzz
