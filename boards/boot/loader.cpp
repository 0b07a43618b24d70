#include "boards/boot/loader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace boards {
using core::Error, core::GuestPhys, core::Kind, core::MiB, core::Status, core::u64, core::u8;

namespace {
std::string why(int error) {
  switch (error) {
    case ENOENT: return "there is no such file";
    case EACCES: return "permission denied";
    default: return std::strerror(error);
  }
}
struct Closer {
  int fd;
  ~Closer() {
    if (fd >= 0) close(fd);
  }
};
Error too_large(std::string_view path, u64 most) {
  return {Kind::usage, most >= MiB ? fmt::format("'{}' is larger than the {} MiB it must fit in", path, most / MiB)
                                   : fmt::format("'{}' is larger than the {} bytes it must fit in", path, most)};
}
}  // namespace

// The size is not taken from stat(): a pipe or /proc file has none.
core::Result<Bytes> read_file(const std::string& path, u64 most) {
  const Closer file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return Error{Kind::io, fmt::format("cannot open '{}': {}", path, why(errno))};
  struct stat s {};
  if (fstat(file.fd, &s) == 0 && S_ISDIR(s.st_mode))
    return Error{Kind::usage, fmt::format("'{}' is a folder, not a file", path)};
  if (S_ISREG(s.st_mode) && u64(s.st_size) > most) return too_large(path, most);
  Bytes out;
  for (;;) {
    const std::size_t had = out.size(), step = had == 0 && s.st_size > 0 ? std::size_t(s.st_size) + 1 : 1 << 20;
    out.resize(had + step);
    const ssize_t n = read(file.fd, out.data() + had, step);
    if (n < 0 && errno != EINTR) return Error{Kind::io, fmt::format("cannot read '{}': {}", path, why(errno))};
    out.resize(had + std::size_t(std::max<ssize_t>(n, 0)));
    if (n == 0) break;
    if (out.size() > most) return too_large(path, most);
  }
  if (out.empty()) return Error{Kind::usage, fmt::format("'{}' is empty", path)};
  return out;
}

bool is_gzip(std::span<const u8> d) { return d.size() > 18 && d[0] == 0x1f && d[1] == 0x8b && d[2] == 8; }

core::Result<Bytes> gunzip(std::span<const u8> data, u64 most, std::string_view name) {
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK)
    return Error{Kind::io, fmt::format("'{}': not enough memory to unpack it", name)};
  z.next_in = const_cast<u8*>(data.data());
  z.avail_in = uInt(std::min<std::size_t>(data.size(), ~uInt(0)));
  Bytes out;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= most) {
    const std::size_t had = out.size();
    out.resize(had + (4 << 20));
    z.next_out = out.data() + had;
    z.avail_out = 4 << 20;
    state = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    if (state == Z_BUF_ERROR) break;
  }
  inflateEnd(&z);
  if (out.size() > most) return too_large(fmt::format("{} (unpacked)", name), most);
  if (state == Z_BUF_ERROR || state == Z_OK)
    return Error{Kind::corrupt, fmt::format("'{}' is cut short: its gzip data does not end", name)};
  if (state != Z_STREAM_END) return Error{Kind::corrupt, fmt::format("'{}' has broken gzip data", name)};
  return out;
}

u64 Image::low() const {
  u64 v = ~u64(0);
  for (const Segment& s : segments) v = std::min(v, s.at);
  return v;
}
u64 Image::high() const {
  u64 v = 0;
  for (const Segment& s : segments) v = std::max(v, s.end());
  return v;
}

core::Result<Image> load_image(const std::string& path, const ImageRules& rules) {
  const u64 most = rules.most ? rules.most : core::GiB;
  // An ELF file may carry much that is not loaded.
  std::shared_ptr<const File> from = TRY(File::open(path, std::max(most, u64(64) * MiB) * 4));
  if (is_gzip(from->view())) from = std::make_shared<const File>(TRY(gunzip(from->view(), most, path)));
  const std::span<const u8> file = from->view();
  Image image;
  if (is_elf(file)) {
    image = TRY(parse_elf(from, rules).context(fmt::format("'{}'", path)));
  } else if (is_uimage(file)) {
    image = TRY(parse_uimage(from, rules).context(fmt::format("'{}'", path)));
  } else if (is_hex_text(file)) {
    image = TRY(parse_hex_text(file).context(fmt::format("'{}'", path)));
  } else {
    if (file.size() > most) return too_large(path, most);
    image.kind = is_zimage(file) ? ImageKind::zimage : ImageKind::raw;
    if (image.kind == ImageKind::zimage) {
      // The header says how long the image is; what follows may be an appended device tree.
      const u64 said = u64(core::load_le<core::u32>(&file[0x2c])) - core::load_le<core::u32>(&file[0x28]);
      if (said > file.size() && said < core::GiB)
        return Error{Kind::corrupt,
                     fmt::format("'{}' is cut short: the zImage has {} bytes of {}", path, file.size(), said)};
    }
    image.entry = rules.raw_at;
    image.segments.push_back({rules.raw_at, Contents(from, file), 0});
  }
  from->let_go();
  image.path = path;
  return image;
}

bool in_memory(const core::MachineBase& machine, u64 at, u64 size) {
  return machine.host_memory(GuestPhys{at}, size) != nullptr;
}

core::Result<Contents> load_initrd(const std::string& path, u64 most) {
  const std::shared_ptr<const File> file = TRY(File::open(path, most).context("-initrd"));
  Contents contents = is_uimage(file->view()) ? TRY(parse_uramdisk(file).context(fmt::format("-initrd: '{}'", path))) : Contents(file, file->view());
  file->let_go();
  return contents;
}

Status write_memory(core::MachineBase& machine, u64 at, const Contents& contents, u64 zeros, std::string_view name) {
  const u64 size = contents.size() + zeros;
  if (size == 0) return {};
  u8* host = zeros > ~u64(0) - contents.size() ? nullptr : machine.host_memory(GuestPhys{at}, size);
  if (!host)
    return Error{Kind::usage,
                 fmt::format("'{}' needs {} bytes at 0x{:x}, where this machine has no memory; -m may give more", name,
                             size, at)};
  const Status copied = contents.copy_to(host);
  std::memset(host + contents.size(), 0, zeros);
  if (machine.memory_written) machine.memory_written(machine.engine_context, GuestPhys{at}, size);
  return copied;
}

Status write_image(core::MachineBase& machine, const Image& image) {
  for (const Segment& s : image.segments)
    if (s.zeros > ~u64(0) - s.contents.size() || !in_memory(machine, s.at, s.contents.size() + s.zeros))
      return Error{Kind::usage,
                   fmt::format("'{}' needs {} bytes at 0x{:x}, where this machine has no memory; -m may give more",
                               image.path, s.contents.size() + s.zeros, s.at)};
  for (const Segment& s : image.segments) TRY(write_memory(machine, s.at, s.contents, s.zeros, image.path));
  return {};
}

core::Result<Bytes> load_firmware(const std::string& path, u64 size, std::string_view option) {
  Bytes file = TRY(read_file(path, size).context(std::string(option)));
  file.resize(size, 0xff);
  return file;
}

Status write_firmware(core::MachineBase& machine, std::string_view block, std::span<const u8> contents) {
  for (const core::RamBlock& b : machine.ram) {
    if (block != b.name) continue;
    if (contents.size() > b.size)
      return Error{Kind::usage, fmt::format("{} bytes of firmware do not fit in the {} bytes of '{}'", contents.size(),
                                            b.size, block)};
    std::memcpy(b.host, contents.data(), contents.size());
    if (machine.memory_written) machine.memory_written(machine.engine_context, b.at, contents.size());
    return {};
  }
  return Error{Kind::unsupported, fmt::format("this board has no memory '{}' for firmware", block)};
}
}  // namespace boards
