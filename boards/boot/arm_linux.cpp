#include "boards/boot/arm_linux.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace boards {
using core::Error, core::Kind, core::MiB, core::Status, core::u32, core::u64, core::u8;

namespace {
constexpr u64 kernel_offset = 0x10000;    // of a zImage or raw image in RAM
constexpr u64 noload_offset = 0x2000000;  // of a uImage for any address
constexpr u64 atags_offset = 0x100;
constexpr u64 page = 4096;
constexpr u64 initrd_reach = 128 * MiB;  // the kernel's first mapping certainly covers this
constexpr core::u16 elf_arm = 40;
constexpr u8 uimage_arm = 2;

u64 up_to_page(u64 v) { return (v + page - 1) / page * page; }

enum Tag : u32 {
  tag_none = 0,
  tag_core = 0x54410001,
  tag_mem = 0x54410002,
  tag_initrd2 = 0x54420005,
  tag_cmdline = 0x54410009
};
void put_word(Bytes& out, u32 v) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(u8(v >> shift));
}
// Sizes count words, with the two of the header.
void put_tag(Bytes& out, Tag tag, std::initializer_list<u32> words) {
  put_word(out, tag == tag_none ? 0 : u32(words.size()) + 2);
  put_word(out, tag);
  for (u32 w : words) put_word(out, w);
}
}  // namespace

Bytes make_atags(const LinuxFacts& f) {
  Bytes out;
  put_tag(out, tag_core, {1, 0x1000, 0});  // root read-only, page size, no root device
  put_tag(out, tag_mem, {u32(f.ram_size), u32(f.ram_at)});
  if (f.initrd_size) put_tag(out, tag_initrd2, {u32(f.initrd_at), u32(f.initrd_size)});
  if (!f.append.empty()) {
    const u32 words = u32(f.append.size() / 4 + 1);
    put_word(out, words + 2);
    put_word(out, tag_cmdline);
    out.insert(out.end(), f.append.begin(), f.append.end());
    out.resize(out.size() + words * 4 - f.append.size());
  }
  put_tag(out, tag_none, {});
  return out;
}

core::Result<ArmLinux> ArmLinux::create(const ArmLinuxFiles& files, const ArmLinuxBoard& board) {
  ArmLinux b;
  b.files_ = files;
  b.board_ = board;
  if (files.kernel.empty()) {
    const char* option = !files.initrd.empty() ? "-initrd" : !files.dtb.empty() ? "-dtb" : "-append";
    return Error{Kind::usage, fmt::format("{} goes with -kernel, which is missing", option)};
  }
  const ImageRules rules{.raw_at = board.ram_at + kernel_offset,
                         .noload_at = board.ram_at + noload_offset,
                         .elf_machine = elf_arm,
                         .machine_name = "Arm",
                         .big_endian = board.big_endian,
                         .uimage_arch = uimage_arm,
                         .most = board.ram_size};
  b.kernel_ = TRY(load_image(files.kernel, rules).context("-kernel"));
  const ImageKind kind = b.kernel_.kind;
  // Programs that say where they go are taken for bare programs, unless they come with what only Linux uses.
  const bool placed_by_us = kind == ImageKind::zimage || kind == ImageKind::raw;
  b.linux_ = placed_by_us || b.kernel_.linux_os || !files.dtb.empty() || !files.initrd.empty();
  if (!files.initrd.empty()) b.initrd_ = TRY(load_initrd(files.initrd, board.ram_size));
  if (!files.dtb.empty()) {
    b.tags_ = TRY(read_file(files.dtb, MiB).context("-dtb"));
    TRY(check_device_tree(b.tags_, files.dtb));
  } else if (b.linux_) {
    b.tags_.assign(board.device_tree.begin(), board.device_tree.end());
  }
  TRY(b.arrange());
  return b;
}

Status ArmLinux::check_overlap(std::string_view name, u64 at, u64 size) const {
  const u64 ram_end = board_.ram_at + board_.ram_size;
  if (at < board_.ram_at || at > ram_end || size > ram_end - at)
    return Error{Kind::usage, fmt::format("{}: {} bytes at 0x{:x} do not fit in {} MiB of RAM; give more with -m", name,
                                          size, at, board_.ram_size / MiB)};
  return {};
}

// Kernel low, initrd at half the RAM but within the kernel's first mapping and above the kernel, device tree
// on the page after it.  A tag list sits at the bottom of RAM, below every kernel.
Status ArmLinux::arrange() {
  for (const Segment& s : kernel_.segments)
    TRY(check_overlap(fmt::format("-kernel '{}'", files_.kernel), s.at, s.contents.size() + s.zeros));
  if (!linux_) return {};
  const u64 half = board_.ram_at + std::min(board_.ram_size / 2, initrd_reach);
  const u64 first_free = up_to_page(std::max(half, kernel_.high()));
  LinuxFacts facts{board_.ram_at, board_.ram_size, 0, initrd_.size(), files_.append};
  if (!initrd_.empty()) {
    initrd_at_ = facts.initrd_at = first_free;
    TRY(check_overlap(fmt::format("-initrd '{}'", files_.initrd), initrd_at_, initrd_.size()));
  }
  if (tags_.empty()) {
    tags_ = make_atags(facts);
    tags_at_ = board_.ram_at + atags_offset;
    if (kernel_.low() < tags_at_ + tags_.size() && tags_at_ < kernel_.high())
      return Error{Kind::usage, fmt::format("-append: {} characters do not fit below the kernel at 0x{:x}",
                                            files_.append.size(), kernel_.low())};
    return {};
  }
  tags_ = TRY(patch_device_tree(tags_, facts, files_.dtb.empty() ? "the board's own" : files_.dtb));
  tags_at_ = up_to_page(first_free + initrd_.size());
  return check_overlap(fmt::format("-dtb '{}'", files_.dtb), tags_at_, tags_.size());
}

core::Result<ArmBoot> ArmLinux::place(core::MachineBase& machine) const {
  TRY(write_image(machine, kernel_).context("-kernel"));
  ArmBoot boot;
  boot.pc = u32(kernel_.entry & ~u64(1));
  boot.thumb = kernel_.entry & 1;
  if (!linux_) return boot;
  TRY(write_memory(machine, initrd_at_, initrd_, 0, files_.initrd).context("-initrd"));
  TRY(write_memory(machine, tags_at_, tags_, 0, "device tree"));
  boot.r1 = board_.machine;
  boot.r2 = u32(tags_at_);
  return boot;
}

std::string ArmLinux::summary() const {
  std::string out;
  for (const Segment& s : kernel_.segments)
    out += fmt::format("{:08x}-{:08x} kernel '{}'\n", s.at, s.end() - 1, files_.kernel);
  if (!initrd_.empty())
    out += fmt::format("{:08x}-{:08x} initrd '{}'\n", initrd_at_, initrd_at_ + initrd_.size() - 1, files_.initrd);
  if (tags_at_)
    out += fmt::format("{:08x}-{:08x} {}\n", tags_at_, tags_at_ + tags_.size() - 1,
                       tags_at_ == board_.ram_at + atags_offset ? "tag list" : "device tree");
  return out;
}
}  // namespace boards
