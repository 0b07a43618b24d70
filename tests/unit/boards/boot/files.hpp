#pragma once
// Files for tests of loading: a folder of its own, and makers of small images.

#include "boards/boot/loader.hpp"

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace boards::test {
using core::u16, core::u32, core::u64, core::u8;

struct Folder {
  Folder() {
    char name[] = "/tmp/bootXXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string put(const std::string& name, const Bytes& bytes) const {
    const std::string p = path + "/" + name;
    std::ofstream(p, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    return p;
  }
  std::string put(const std::string& name, std::string_view text) const {
    return put(name, Bytes(text.begin(), text.end()));
  }
  std::string path;
};

inline void number(Bytes& b, std::size_t at, u64 v, unsigned size, bool big = false) {
  if (b.size() < at + size) b.resize(at + size);
  for (unsigned i = 0; i < size; ++i) b[at + (big ? size - 1 - i : i)] = u8(v >> 8 * i);
}

// A 32-bit Arm program of one segment: `code`, then `zeros`.
inline Bytes elf32(u64 at, const Bytes& code, u64 zeros, u64 entry, u16 machine = 40, bool big = false) {
  Bytes b{0x7f, 'E', 'L', 'F', 1, u8(big ? 2 : 1), 1};
  b.resize(84);
  number(b, 16, 2, 2, big), number(b, 18, machine, 2, big), number(b, 20, 1, 4, big), number(b, 24, entry, 4, big);
  number(b, 28, 52, 4, big), number(b, 40, 52, 2, big), number(b, 42, 32, 2, big), number(b, 44, 1, 2, big);
  number(b, 52, 1, 4, big), number(b, 56, 84, 4, big), number(b, 60, at, 4, big), number(b, 64, at, 4, big);
  number(b, 68, code.size(), 4, big), number(b, 72, code.size() + zeros, 4, big);
  b.insert(b.end(), code.begin(), code.end());
  return b;
}

inline Bytes gzip(const Bytes& data) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, data.size()) + 64);
  z.next_in = const_cast<u8*>(data.data()), z.avail_in = uInt(data.size());
  z.next_out = out.data(), z.avail_out = uInt(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline Bytes uimage(const Bytes& data, u32 load, u32 entry, u8 packing = 0, u8 type = 2, u8 arch = 2) {
  Bytes b(64);
  number(b, 0, 0x27051956, 4, true), number(b, 12, data.size(), 4, true), number(b, 16, load, 4, true),
      number(b, 20, entry, 4, true);
  number(b, 24, crc32(0, data.data(), uInt(data.size())), 4, true);
  b[28] = 5, b[29] = arch, b[30] = type, b[31] = packing;
  number(b, 4, crc32(0, b.data(), 64), 4, true);
  b.insert(b.end(), data.begin(), data.end());
  return b;
}

inline Bytes zimage(std::size_t size) {
  Bytes b(size);
  number(b, 0x24, 0x016f2818, 4), number(b, 0x28, 0, 4), number(b, 0x2c, size, 4), number(b, 0x30, 0x04030201, 4);
  return b;
}
}  // namespace boards::test
