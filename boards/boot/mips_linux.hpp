#pragma once
// Starting Linux, or any ELF program, on a MIPS board as its YAMON monitor does (YAMON reference manual; Linux
// arch/mips/fw/lib/cmdline.c): arguments and environment are tables of strings in low memory.
// Files are read and checked once; place() writes them and may be repeated at every reset.
//
// Thread: create() any; place() the vCPU's, or before it runs.

#include "boards/boot/loader.hpp"

#include <array>
#include <string>

namespace boards {
struct MipsLinuxFiles {
  std::string kernel, initrd, append;  // empty: none
};
struct MipsLinuxBoard {
  core::u64 low_ram = 0, total_ram = 0;  // bytes; low RAM begins at 0
  bool big_endian = false;
  std::string name;                      // of the board, for messages
};
// How the processor starts: registers not named are zero, interrupts masked, kernel mode.
struct MipsBoot {
  core::u32 pc = 0, sp = 0;
  std::array<core::u32, 4> a{};
};

class MipsLinux {
 public:
  static core::Result<MipsLinux> create(const MipsLinuxFiles& files, const MipsLinuxBoard& board);
  core::Result<MipsBoot> place(core::MachineBase& machine) const;
  const Image& kernel() const { return kernel_; }
  core::u64 initrd_at() const { return initrd_at_; }
  // The tables and strings as they lie from 0x2000 on.
  const Bytes& tables() const { return tables_; }
  // What was loaded where, for the monitor's `info roms`.
  std::string summary() const;

 private:
  core::Status check_image();
  core::Status arrange();
  void make_tables();

  MipsLinuxFiles files_;
  MipsLinuxBoard board_;
  Image kernel_;
  Contents initrd_;
  Bytes tables_;
  core::u64 initrd_at_ = 0;
};
}  // namespace boards
