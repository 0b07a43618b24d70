#pragma once
// What the families' semihosting has in common: the guest's memory and its open files.  Hostile input: lengths and
// pointers come from the guest.  Thread: vCPU, which waits for the host.

#include "core/machine.hpp"

#include <array>
#include <span>

namespace semihosting {
using namespace core;

inline constexpr std::size_t longest_name = 4096;  // paths and commands
using Name = std::array<char, longest_name>;

// Guest memory as the current mode may access it.
struct GuestMemory {
  // Where the byte at `va` is; false when it cannot be accessed.  What it says holds for the rest of that KiB.
  using Translate = bool (*)(const void* cpu, u32 va, bool write, u64& phys);
  MachineBase& machine;
  const void* cpu;
  Translate translate;

  bool read(u32 va, std::span<u8> to) const;
  bool write(u32 va, std::span<const u8> from) const;
  // A string of `length` characters, which must not hold a NUL, made into a C string.
  bool string(u32 va, u32 length, Name& to) const;
  // Calls `sink` with the pieces of the string that a NUL ends; false when it cannot be read, or is longer than `longest`.
  template <class Sink>
  bool pieces(u32 va, u32 longest, Sink sink) const;
  bool c_string(u32 va, Name& to) const;

 private:
  template <class Span, class Move>
  bool each(u32 va, Span bytes, bool write, Move move) const;
};

struct File {
  enum Kind : u8 { closed, host, console, features } kind = closed;
  int fd = -1;
  u32 position = 0;  // features only
};
// Descriptors of the host that the guest opened.
class Files {
 public:
  // The number of a free one, which the caller fills, or -1.
  int free_slot() const;
  File& operator[](std::size_t n) { return files_[n]; }
  File* open_file(std::size_t n) { return n < files_.size() && files_[n].kind != File::closed ? &files_[n] : nullptr; }
  // The host's answer to close(); a console stays as it is for others.
  int close(File& f);
  void close_all();

 private:
  std::array<File, 64> files_;
};

struct Moved {
  u32 bytes = 0;
  int error = 0;  // why not all, or 0: the file ended
};
// Between guest memory and a descriptor, at `offset` of the file unless it is negative.  Both go through a small buffer,
// so that the guest's count asks for nothing of the host.  Of a console one piece is read: what it has.
Moved write_file(const GuestMemory& g, int fd, u32 va, u32 count, s64 offset = -1);
Moved read_file(const GuestMemory& g, int fd, u32 va, u32 count, bool console, s64 offset = -1);
// All of it unless the host refuses.
Moved write_host(int fd, std::span<const u8> bytes, s64 offset = -1);
ssize_t read_host(int fd, std::span<u8> to, s64 offset = -1);

template <class Sink>
bool GuestMemory::pieces(u32 va, u32 longest, Sink sink) const {
  std::array<u8, 0x400> buffer;
  for (u32 done = 0; done < longest;) {
    const u32 n = 0x400 - (va & 0x3ff);
    if (!read(va, {buffer.data(), n})) return false;
    u32 length = 0;
    while (length < n && buffer[length]) ++length;
    sink(std::span<const u8>(buffer.data(), length));
    if (length < n) return true;
    done += n;
    va += n;
  }
  return false;
}
}  // namespace semihosting
