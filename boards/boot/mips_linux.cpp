#include "boards/boot/mips_linux.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/random.h>

namespace boards {
using core::Error, core::Kind, core::KiB, core::MiB, core::Status, core::u32, core::u64, core::u8;

namespace {
constexpr core::u16 elf_mips = 8;
constexpr u8 uimage_mips = 5;
constexpr u64 kseg0 = 0x8000'0000, kseg_size = 0x4000'0000, physical_mask = 0x1fff'ffff;

// Where the monitor keeps its tables: pointers, then strings of 256 bytes and more.
constexpr u64 tables_at = 0x2000, environment_at = tables_at + 8, strings_at = tables_at + 0x40;
constexpr u64 string_slot = 256, stack_room = 64;
constexpr u64 initrd_align = 64 * KiB, above_initrd = 128 * KiB;

std::string random_digits() {
  u8 seed[32] = {};
  [[maybe_unused]] const auto n = getrandom(seed, sizeof seed, GRND_NONBLOCK);
  std::string out;
  for (const u8 b : seed) out += fmt::format("{:02x}", b);
  return out;
}
}  // namespace

core::Result<MipsLinux> MipsLinux::create(const MipsLinuxFiles& files, const MipsLinuxBoard& board) {
  MipsLinux b;
  b.files_ = files;
  b.board_ = board;
  const ImageRules rules{.raw_at = 0,
                         .noload_at = MiB,
                         .elf_machine = elf_mips,
                         .machine_name = "MIPS",
                         .big_endian = board.big_endian,
                         .uimage_arch = uimage_mips,
                         .most = board.low_ram};
  auto kernel = load_image(files.kernel, rules);
  if (!kernel) {
    // The same board exists for the other byte order.
    Error e = kernel.error();
    const std::string other = board.big_endian ? board.name.substr(0, board.name.rfind("-be")) : board.name + "-be";
    if (e.text.find("-endian") != std::string::npos) e.text += fmt::format("; run it with pinstrap-{}", other);
    return Error{e.kind, "-kernel: " + e.text};
  }
  b.kernel_ = std::move(*kernel);
  TRY(b.check_image());
  if (!files.initrd.empty()) b.initrd_ = TRY(load_initrd(files.initrd, board.low_ram));
  TRY(b.arrange());
  b.make_tables();
  return b;
}

// Programs are linked for kseg0 or kseg1 and lie at the physical address behind.
Status MipsLinux::check_image() {
  if (kernel_.kind == ImageKind::raw || kernel_.kind == ImageKind::zimage)
    return Error{Kind::usage, fmt::format("-kernel: '{}' does not say where it goes; use the ELF file (vmlinux or vmlinuz) or a uImage", files_.kernel)};
  for (Segment& s : kernel_.segments) {
    if (s.at >> 32 && s.at >> 31 != 0x1'ffff'ffff)
      return Error{Kind::usage, fmt::format("-kernel: '{}' is a 64-bit program, and this board's processor has 32 bits", files_.kernel)};
    const u64 at = s.at & 0xffff'ffff;
    s.at = at - kseg0 < kseg_size ? at & physical_mask : at;
  }
  if ((kernel_.entry & 0xffff'ffff) < kseg0) kernel_.entry |= kseg0;
  return {};
}

// The initrd lies at the end of low RAM.
Status MipsLinux::arrange() {
  const auto too_large = [&](std::string_view what, u64 at, u64 size) {
    return Error{Kind::usage, fmt::format("{}: {} bytes at 0x{:x} do not fit in {} MiB of RAM; give more with -m", what, size, at, board_.low_ram / MiB)};
  };
  for (const Segment& s : kernel_.segments)
    if (s.end() > board_.low_ram) return too_large(fmt::format("-kernel '{}'", files_.kernel), s.at, s.end() - s.at);
  if (initrd_.empty()) return {};
  const u64 taken = initrd_.size() + above_initrd;
  initrd_at_ = taken < board_.low_ram ? (board_.low_ram - taken) / initrd_align * initrd_align : 0;
  if (initrd_at_ < kernel_.high()) return too_large(fmt::format("-initrd '{}'", files_.initrd), kernel_.high(), initrd_.size());
  return {};
}

void MipsLinux::make_tables() {
  std::string line = files_.append;
  if (!initrd_.empty()) line = fmt::format("rd_start=0x{:x} rd_size={}{}{}", kseg0 + initrd_at_, initrd_.size(), line.empty() ? "" : " ", line);
  const std::string strings[] = {files_.kernel,  line,      "memsize",  std::to_string(board_.low_ram), "ememsize", std::to_string(board_.total_ram),
                                 "modetty0", "38400n8r", "rngseed", random_digits()};
  tables_.assign(strings_at - tables_at, 0);
  const auto put_pointer = [&](unsigned index, u64 at) {
    for (unsigned i = 0; i < 4; ++i) tables_[4 * index + (board_.big_endian ? 3 - i : i)] = u8(at >> 8 * i);
  };
  unsigned index = 0;
  for (const std::string& s : strings) {
    put_pointer(index++, kseg0 + tables_at + tables_.size());
    const u64 room = (s.size() + string_slot) / string_slot * string_slot;
    tables_.insert(tables_.end(), s.begin(), s.end());
    tables_.resize(tables_.size() + room - s.size());
  }
}

core::Result<MipsBoot> MipsLinux::place(core::MachineBase& machine) const {
  TRY(write_image(machine, kernel_).context("-kernel"));
  TRY(write_memory(machine, initrd_at_, initrd_, 0, files_.initrd).context("-initrd"));
  TRY(write_memory(machine, tables_at, tables_, 0, "arguments"));
  return MipsBoot{.pc = u32(kernel_.entry),
                  .sp = u32(kseg0 + tables_at - stack_room),
                  .a = {2, u32(kseg0 + tables_at), u32(kseg0 + environment_at), u32(board_.low_ram)}};
}

std::string MipsLinux::summary() const {
  std::string out;
  for (const Segment& s : kernel_.segments) out += fmt::format("{:08x}-{:08x} kernel '{}'\n", s.at, s.end() - 1, files_.kernel);
  if (!initrd_.empty()) out += fmt::format("{:08x}-{:08x} initrd '{}'\n", initrd_at_, initrd_at_ + initrd_.size() - 1, files_.initrd);
  return out + fmt::format("{:08x}-{:08x} arguments and environment\n", tables_at, tables_at + tables_.size() - 1);
}
}  // namespace boards
