#pragma once
// Programs and data on their way from files into guest memory.  An Image says where its bytes are, so that a reset can
// write them again.
//
// Thread: read_… and load_… any; write_image() the vCPU's, or before it runs.
// Errors: usage and io, one sentence with the file's name.

#include "boards/boot/contents.hpp"

#include "core/machine.hpp"

#include <string_view>

namespace boards {
// The whole of a file; refuses folders, empty files, and more than `most` bytes.
core::Result<Bytes> read_file(const std::string& path, core::u64 most);
// What gzip data holds, at most `most` bytes; `name` is for messages.
core::Result<Bytes> gunzip(std::span<const core::u8> data, core::u64 most, std::string_view name);
bool is_gzip(std::span<const core::u8> data);

struct Segment {
  core::u64 at = 0;  // guest physical
  Contents contents;
  core::u64 zeros = 0;  // after them
  core::u64 end() const { return at + contents.size() + zeros; }
};

enum class ImageKind { elf, zimage, uimage, raw, intel_hex, s_record };
struct Image {
  std::string path;
  ImageKind kind = ImageKind::raw;
  std::vector<Segment> segments;
  core::u64 entry = 0;
  bool linux_os = false;  // uImage: the header says Linux
  core::u64 low() const;  // lowest and one past the highest address used
  core::u64 high() const;
};

// What the machine expects of an image.
struct ImageRules {
  core::u64 raw_at = 0;           // where an image without addresses of its own goes
  core::u64 noload_at = 0;        // where a uImage of type "kernel (any load address)" goes
  core::u16 elf_machine = 0;      // e_machine; 40 is Arm
  std::string_view machine_name;  // "Arm", for the sentence about the wrong one
  bool big_endian = false;
  core::u8 uimage_arch = 0;  // IH_ARCH; 2 is Arm
  core::u64 most = 0;        // bytes of RAM; nothing larger can be right
};
core::Result<Image> load_image(const std::string& path, const ImageRules& rules);

// Writes all segments to memory; nothing is written when one does not lie in RAM.  Roms are written too.
core::Status write_image(core::MachineBase& machine, const Image& image);
// Contents and then zeros at `at`; `name` is for messages.
core::Status write_memory(core::MachineBase& machine, core::u64 at, const Contents& contents, core::u64 zeros, std::string_view name);
// Whether [at, at+size) lies in one block of memory.
bool in_memory(const core::MachineBase& machine, core::u64 at, core::u64 size);

// -bios and -pflash: the contents of a flash chip or ROM of `size` bytes; the rest of it reads as erased.
core::Result<Bytes> load_firmware(const std::string& path, core::u64 size, std::string_view option);
// Puts firmware in the memory block of that name.
core::Status write_firmware(core::MachineBase& machine, std::string_view block, std::span<const core::u8> contents);

// The formats (image_formats.cpp, image_text.cpp).
core::Result<Image> parse_elf(const std::shared_ptr<const File>& file, const ImageRules& rules);
core::Result<Image> parse_uimage(const std::shared_ptr<const File>& file, const ImageRules& rules);
// What mkimage wrapped for U-Boot: the contents of a uImage of type ramdisk, packed as they are (Linux unpacks them).
core::Result<Contents> parse_uramdisk(const std::shared_ptr<const File>& file);
// -initrd: the file, or what mkimage wrapped.
core::Result<Contents> load_initrd(const std::string& path, core::u64 most);
bool is_elf(std::span<const core::u8> file);
bool is_uimage(std::span<const core::u8> file);
bool is_zimage(std::span<const core::u8> file);
// Intel HEX and Motorola S-records, told by their first line; `unsupported` when it is neither.
bool is_hex_text(std::span<const core::u8> file);
core::Result<Image> parse_hex_text(std::span<const core::u8> file);
}  // namespace boards
