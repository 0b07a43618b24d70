#pragma once
// Starting Linux, or any program, on an Arm board without firmware (Linux, Documentation/arm/booting).
// Files are read and checked once; place() writes them and may be repeated at every reset.
//
// Thread: create() any; place() the vCPU's, or before it runs.

#include "boards/boot/loader.hpp"

#include <string>

namespace boards {
struct ArmLinuxFiles {
  std::string kernel, initrd, append, dtb;  // empty: none
};
struct ArmLinuxBoard {
  core::u64 ram_at = 0, ram_size = 0;          // bytes
  core::u32 machine = 0;                       // Linux's machine number, for r1
  bool big_endian = false;                     // of ELF files
  std::span<const core::u8> device_tree = {};  // the board's own, used without -dtb; empty: a tag list instead
};
// How the processor starts: registers not named are zero, caches and MMU off, interrupts masked, SVC mode.
struct ArmBoot {
  core::u32 pc = 0, r0 = 0, r1 = 0, r2 = 0;
  bool thumb = false;
};

class ArmLinux {
 public:
  static core::Result<ArmLinux> create(const ArmLinuxFiles& files, const ArmLinuxBoard& board);
  // Writes everything to memory and says how to start.
  core::Result<ArmBoot> place(core::MachineBase& machine) const;
  const Image& kernel() const { return kernel_; }
  core::u64 initrd_at() const { return initrd_at_; }
  core::u64 tags_at() const { return tags_at_; }  // device tree or tag list; 0: a bare program, neither
  // What was loaded where, for the monitor's `info roms`.
  std::string summary() const;

 private:
  core::Status arrange();
  core::Status check_overlap(std::string_view name, core::u64 at, core::u64 size) const;

  ArmLinuxFiles files_;
  ArmLinuxBoard board_;
  Image kernel_;
  Contents initrd_;
  Bytes tags_;  // tags_: the finished device tree or tag list
  core::u64 initrd_at_ = 0, tags_at_ = 0;
  bool linux_ = false;
};

// A tag list (ATAGS) for that machine.  `initrd_size` 0: no initrd.
struct LinuxFacts {
  core::u64 ram_at = 0, ram_size = 0, initrd_at = 0, initrd_size = 0;
  std::string append;
};
Bytes make_atags(const LinuxFacts& facts);
// Whether a device tree file is whole; `path` is for messages.
core::Status check_device_tree(std::span<const core::u8> blob, const std::string& path);
// The device tree with this machine's memory, command line and initrd put in.
core::Result<Bytes> patch_device_tree(std::span<const core::u8> blob, const LinuxFacts& facts, const std::string& path);
}  // namespace boards
