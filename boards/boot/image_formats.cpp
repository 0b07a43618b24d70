// ELF (System V ABI, ELF-64 1.5) and U-Boot's legacy uImage.

#include "boards/boot/loader.hpp"
#include "boards/boot/view.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace boards {
using core::Error, core::Kind, core::u16, core::u32, core::u64, core::u8;

namespace {
// Where the fields of the two classes of ELF are.
struct Layout {
  unsigned word, header, entry, phoff, phentsize, phnum;
  unsigned ph_size, offset, paddr, filesz, memsz, vaddr;
};
constexpr Layout elf32{4, 52, 24, 28, 42, 44, 32, 4, 12, 16, 20, 8};
constexpr Layout elf64{8, 64, 24, 32, 54, 56, 56, 8, 24, 32, 40, 16};
constexpr u64 pt_load = 1;

core::Result<Segment> segment_of(const View& view, const std::shared_ptr<const File>& file, const Layout& l, u64 ph, unsigned index, u64 most) {
  const u64 offset = view.number(ph + l.offset, l.word), at = view.number(ph + l.paddr, l.word);
  const u64 in_file = view.number(ph + l.filesz, l.word), in_memory = view.number(ph + l.memsz, l.word);
  if (!view.holds(offset, in_file))
    return Error{Kind::corrupt,
                 fmt::format("the file is cut short: segment {} needs bytes up to {}", index, offset + in_file)};
  if (in_memory < in_file)
    return Error{Kind::corrupt, fmt::format("segment {} is larger in the file than in memory", index)};
  if (most && in_memory > most)
    return Error{Kind::usage, fmt::format("segment {} needs {} bytes, more than this machine's RAM", index, in_memory)};
  if (at > ~u64(0) - in_memory)
    return Error{Kind::corrupt, fmt::format("segment {} goes past the end of the address space", index)};
  return Segment{at, Contents(file, file->view().subspan(offset, in_file)), in_memory - in_file};
}
}  // namespace

bool is_elf(std::span<const u8> f) {
  return f.size() >= 4 && f[0] == 0x7f && f[1] == 'E' && f[2] == 'L' && f[3] == 'F';
}

core::Result<Image> parse_elf(const std::shared_ptr<const File>& from, const ImageRules& rules) {
  const std::span<const u8> file = from->view();
  if (file.size() < 20 || (file[4] != 1 && file[4] != 2) || (file[5] != 1 && file[5] != 2))
    return Error{Kind::corrupt, "the ELF header is broken"};
  const Layout& l = file[4] == 1 ? elf32 : elf64;
  const bool big = file[5] == 2;
  const View view(file, big);
  if (!view.holds(0, l.header)) return Error{Kind::corrupt, "the file ends inside its ELF header"};
  const u64 machine = view.number(18, 2);
  if (rules.elf_machine && machine != rules.elf_machine)
    return Error{Kind::usage, fmt::format("this ELF file is for another processor (machine number {}), not {}", machine,
                                          rules.machine_name)};
  if (rules.elf_machine && big != rules.big_endian)
    return Error{Kind::usage, fmt::format("this ELF file is {}-endian, this machine is {}-endian",
                                          big ? "big" : "little", big ? "little" : "big")};
  if (const u64 type = view.number(16, 2); type != 2 && type != 3)
    return Error{Kind::usage,
                 type == 1 ? "this is an object file; link it to a program first" : "this ELF file is not a program"};
  Image image;
  image.kind = ImageKind::elf;
  image.entry = view.number(l.entry, l.word);
  const u64 table = view.number(l.phoff, l.word), stride = view.number(l.phentsize, 2), count = view.number(l.phnum, 2);
  if (count && (stride < l.ph_size || !view.holds(table, stride * count)))
    return Error{Kind::corrupt, "the file ends inside its table of segments"};
  for (unsigned i = 0; i < count; ++i) {
    const u64 ph = table + i * stride;
    if (view.number(ph, 4) != pt_load || view.number(ph + (l.word == 4 ? 20 : 40), l.word) == 0) continue;
    image.segments.push_back(TRY(segment_of(view, from, l, ph, i, rules.most)));
  }
  if (image.segments.empty()) return Error{Kind::usage, "this ELF file has nothing to load"};
  // Entry is a virtual address; where a segment runs elsewhere than it is loaded, go by where it is loaded.
  for (unsigned i = 0; i < count; ++i) {
    const u64 ph = table + i * stride, v = view.number(ph + l.vaddr, l.word), p = view.number(ph + l.paddr, l.word);
    if (view.number(ph, 4) == pt_load && v != p && image.entry - v < view.number(ph + l.memsz, l.word)) {
      image.entry += p - v;
      break;
    }
  }
  return image;
}

namespace {
constexpr u32 uimage_magic = 0x27051956;
constexpr u64 header_size = 64;
constexpr u8 type_kernel = 2, type_ramdisk = 3, type_kernel_noload = 14, os_linux = 5;
constexpr u8 compressed_none = 0, compressed_gzip = 1;
u32 crc_of(std::span<const u8> data) { return u32(crc32(0, data.data(), uInt(data.size()))); }
}  // namespace

bool is_uimage(std::span<const u8> f) { return f.size() >= 4 && View(f, true).number(0, 4) == uimage_magic; }

core::Result<Image> parse_uimage(const std::shared_ptr<const File>& from, const ImageRules& rules) {
  const std::span<const u8> file = from->view();
  const View view(file, true);
  if (!view.holds(0, header_size)) return Error{Kind::corrupt, "the file ends inside its uImage header"};
  Bytes header(file.begin(), file.begin() + header_size);
  std::fill_n(header.begin() + 4, 4, u8(0));  // the checksum is taken with its own place zero
  if (crc_of(header) != view.number(4, 4)) return Error{Kind::corrupt, "the uImage header's checksum is wrong"};
  const u64 size = view.number(12, 4), load = view.number(16, 4), entry = view.number(20, 4);
  const u8 os = file[28], arch = file[29], type = file[30], packing = file[31];
  if (!view.holds(header_size, size))
    return Error{Kind::corrupt,
                 fmt::format("the file is cut short: the uImage has {} bytes of {}", file.size() - header_size, size)};
  if (rules.uimage_arch && arch != rules.uimage_arch)
    return Error{Kind::usage, fmt::format("this uImage is for another processor (architecture number {}), not {}", arch,
                                          rules.machine_name)};
  if (type != type_kernel && type != type_kernel_noload)
    return Error{Kind::usage, fmt::format("this uImage holds no kernel (type {})", type)};
  const std::span<const u8> data = file.subspan(header_size, size);
  if (crc_of(data) != view.number(24, 4)) return Error{Kind::corrupt, "the uImage data's checksum is wrong"};
  Contents contents;
  if (packing == compressed_gzip)
    contents = TRY(gunzip(data, rules.most ? rules.most : core::GiB, "the uImage"));
  else if (packing == compressed_none)
    contents = Contents(from, data);
  else
    return Error{
        Kind::unsupported,
        fmt::format("this uImage is compressed in a way (number {}) that is not built; use gzip or none", packing)};
  Image image;
  image.kind = ImageKind::uimage;
  image.linux_os = os == os_linux;
  // A kernel for any address gives its entry as an offset in the whole file, whose header stays in front.
  const bool anywhere = type == type_kernel_noload;
  image.entry = anywhere ? rules.noload_at + (entry >= header_size ? entry - header_size : entry) : entry;
  image.segments.push_back({anywhere ? rules.noload_at : load, std::move(contents), 0});
  return image;
}

core::Result<Contents> parse_uramdisk(const std::shared_ptr<const File>& from) {
  const std::span<const u8> file = from->view();
  const View view(file, true);
  const u64 size = view.number(12, 4);
  if (!view.holds(header_size, size)) return Error{Kind::corrupt, "the uImage is cut short"};
  if (file[30] != type_ramdisk)
    return Error{Kind::usage, fmt::format("this uImage holds no ramdisk (type {})", file[30])};
  const std::span<const u8> data = file.subspan(header_size, size);
  if (crc_of(data) != view.number(24, 4)) return Error{Kind::corrupt, "the uImage data's checksum is wrong"};
  return Contents(from, data);
}

// Documentation/arm/booting: the magic number is at 0x24 of the image.
bool is_zimage(std::span<const u8> f) { return f.size() >= 0x34 && core::load_le<u32>(&f[0x24]) == 0x016f2818; }
}  // namespace boards
