#include "cpus/arm/semihosting.hpp"

#include "cpus/arm/mmu.hpp"
#include "cpus/semihosting.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace arm {
namespace {
using semihosting::File, semihosting::Name;

enum Operation : u32 {
  sys_open = 0x01, sys_close = 0x02, sys_writec = 0x03, sys_write0 = 0x04, sys_write = 0x05, sys_read = 0x06,
  sys_readc = 0x07, sys_iserror = 0x08, sys_istty = 0x09, sys_seek = 0x0a, sys_flen = 0x0c, sys_tmpnam = 0x0d,
  sys_remove = 0x0e, sys_rename = 0x0f, sys_clock = 0x10, sys_time = 0x11, sys_system = 0x12, sys_errno = 0x13,
  sys_get_cmdline = 0x15, sys_heapinfo = 0x16, sys_exit = 0x18, sys_exit_extended = 0x20, sys_elapsed = 0x30,
  sys_tickfreq = 0x31,
};
constexpr u32 failure = ~0u, application_exit = 0x20026;
constexpr u64 tick_hz = 1'000'000'000;  // SYS_ELAPSED counts virtual nanoseconds

struct Session {
  semihosting::Files files;  // handle = index + 1
  u32 error = 0;  // SYS_ERRNO
  std::string command_line;
};
// One per process, like the descriptors in it.
Session session;

// ":semihosting-features": magic, then bit 0 SYS_EXIT_EXTENDED, bit 1 stderr through ":tt" (chapter 4).
constexpr u8 feature_file[] = {'S', 'H', 'F', 'B', 0b11};

u32 failed(int error) {
  session.error = u32(error);
  return failure;
}
u32 checked(int host_result) { return host_result < 0 ? failed(errno) : u32(host_result); }

struct Guest : semihosting::GuestMemory {
  CpuState& s;
  explicit Guest(CpuState& state) : GuestMemory{*state.machine, &state, translate_for}, s(state) {}
  static bool translate_for(const void* cpu, u32 va, bool write, u64& at) {
    const auto& s = *static_cast<const CpuState*>(cpu);
    u32 phys = 0;
    const bool ok = probe(s, va, write ? Access::write : Access::read, s.privilege, phys);
    at = phys;
    return ok;
  }
  bool words(u32 va, std::span<u32> to) const {
    return read(va, {reinterpret_cast<u8*>(to.data()), to.size_bytes()});
  }
};

File* file_of(u32 handle) { return handle ? session.files.open_file(handle - 1) : nullptr; }

// Modes 0…11 are fopen's r rb r+ r+b w wb w+ w+b a ab a+ a+b; the console takes them as stdin, stdout, stderr.
u32 open_file(const char* name, u32 mode) {
  if (mode > 11) return failed(EINVAL);
  const int slot = session.files.free_slot();
  if (slot < 0) return failed(EMFILE);
  File& file = session.files[std::size_t(slot)];
  if (!std::strcmp(name, ":tt")) {
    file = {File::console, int(mode / 4), 0};
  } else if (!std::strcmp(name, ":semihosting-features")) {
    if (mode > 1) return failed(EACCES);
    file = {File::features, -1, 0};
  } else {
    constexpr int how[] = {0, O_CREAT | O_TRUNC, O_CREAT | O_APPEND};
    const int access = mode & 2 ? O_RDWR : mode < 4 ? O_RDONLY : O_WRONLY;
    const int fd = ::open(name, access | how[mode / 4] | O_CLOEXEC, 0666);
    if (fd < 0) return failed(errno);
    file = {File::host, fd, 0};
  }
  return u32(slot) + 1;
}

u32 close_file(File& f) { return checked(session.files.close(f)); }

// SYS_WRITE and SYS_READ answer the number of bytes not moved.
u32 not_moved(const semihosting::Moved& m, u32 count) {
  if (m.error) session.error = u32(m.error);
  return count - m.bytes;
}
u32 write_file(const Guest& g, File& f, u32 va, u32 count) {
  if (f.kind == File::features) return failed(EBADF), count;
  return not_moved(semihosting::write_file(g, f.fd, va, count), count);
}
u32 read_file(const Guest& g, File& f, u32 va, u32 count) {
  if (f.kind != File::features) return not_moved(semihosting::read_file(g, f.fd, va, count, f.kind == File::console), count);
  const u32 n = std::min(count, u32(sizeof feature_file) - f.position);
  if (!g.write(va, {feature_file + f.position, n})) return failed(EFAULT), count;
  f.position += n;
  return count - n;
}

u32 seek_file(File& f, u32 position) {
  if (f.kind == File::features) {
    if (position > sizeof feature_file) return failed(EINVAL);
    f.position = position;
    return 0;
  }
  return ::lseek(f.fd, position, SEEK_SET) < 0 ? failed(errno) : 0;
}

u32 file_length(const File& f) {
  if (f.kind == File::features) return sizeof feature_file;
  struct stat info;
  if (::fstat(f.fd, &info) < 0) return failed(errno);
  if (!S_ISREG(info.st_mode)) return failed(ESPIPE);
  return info.st_size > 0x7fff'ffff ? failed(EOVERFLOW) : u32(info.st_size);
}

void write_out(std::span<const u8> text) {
  if (const auto m = semihosting::write_host(STDOUT_FILENO, text); m.error) session.error = u32(m.error);
}
u32 write_string(const Guest& g, u32 va) {
  constexpr u32 longest = 16 * MiB;  // of a string without end
  return g.pieces(va, longest, write_out) ? 0 : failed(EFAULT);
}

// SYS_TMPNAM: a name of its own for each identifier 0…255.
u32 temporary_name(const Guest& g, u32 va, u32 id, u32 size) {
  char name[64];
  const int n = std::snprintf(name, sizeof name, "/tmp/semihosting-%ld-%02x", long(::getpid()), unsigned(id & 0xff));
  if (u32(n) + 1 > size) return failed(EINVAL);
  return g.write(va, {reinterpret_cast<u8*>(name), std::size_t(n) + 1}) ? 0 : failed(EFAULT);
}

// SYS_GET_CMDLINE: block of buffer and its size, answered with the text, a NUL, and the length without it.
u32 give_command_line(const Guest& g, u32 block) {
  u32 a[2];
  if (!g.words(block, a)) return failed(EFAULT);
  const std::string& text = session.command_line;
  if (text.size() + 1 > a[1]) return failed(E2BIG);
  const u32 length = u32(text.size());
  const bool ok = g.write(a[0], {reinterpret_cast<const u8*>(text.c_str()), text.size() + 1}) &&
                  g.write(block + 4, {reinterpret_cast<const u8*>(&length), 4});
  return ok ? 0 : failed(EFAULT);
}

// SYS_HEAPINFO: heap base and limit, stack base and limit.  The image is taken to lie in the lower half of the first
// memory; the stack has the last quarter.
u32 give_heap(const Guest& g, u32 block) {
  u32 at = 0;
  if (!g.words(block, {&at, 1})) return failed(EFAULT);
  u32 info[4] = {};
  for (const RamBlock& b : g.s.machine->ram) {
    if (b.rom) continue;
    const u64 base = raw(b.at), size = std::min<u64>(b.size, 0xffff'f000 - base);
    info[0] = u32(base + size / 2);
    info[1] = info[3] = u32(base + size / 4 * 3);
    info[2] = u32(base + size);
    break;
  }
  return g.write(at, {reinterpret_cast<u8*>(info), sizeof info}) ? 0 : failed(EFAULT);
}

u32 exit_with(CpuState& s, u32 reason, u32 code) {
  s.machine->request_shutdown_with(reason == application_exit ? int(code) : 1);
  return 0;
}

// How many words the argument block has; operations not listed take r1 as it is.
u32 block_words(u32 op) {
  switch (op) {
    case sys_open: case sys_write: case sys_read: case sys_tmpnam: return 3;
    case sys_rename: return 4;
    case sys_seek: case sys_remove: case sys_system: case sys_exit_extended: return 2;
    case sys_close: case sys_iserror: case sys_istty: case sys_flen: return 1;
    default: return 0;
  }
}

bool is_operation(u32 op) {
  return (op >= sys_open && op <= sys_seek) || (op >= sys_flen && op <= sys_errno) || op == sys_get_cmdline ||
         op == sys_heapinfo || op == sys_exit || op == sys_exit_extended || op == sys_elapsed || op == sys_tickfreq;
}

u32 perform(CpuState& s, u32 op, u32 r1) {
  const Guest g(s);
  u32 a[4] = {};
  if (!g.words(r1, {a, block_words(op)})) return failed(EFAULT);
  File* const file = file_of(a[0]);
  Name name, other;
  switch (op) {
    case sys_open: return g.string(a[0], a[2], name) ? open_file(name.data(), a[1]) : failed(EFAULT);
    case sys_close: return file ? close_file(*file) : failed(EBADF);
    case sys_writec: {
      u8 c;
      if (!g.read(r1, {&c, 1})) return failed(EFAULT);
      write_out({&c, 1});
      return 0;
    }
    case sys_write0: return write_string(g, r1);
    case sys_write: return file ? write_file(g, *file, a[1], a[2]) : (failed(EBADF), a[2]);
    case sys_read: return file ? read_file(g, *file, a[1], a[2]) : (failed(EBADF), a[2]);
    case sys_readc: {
      u8 c;
      return semihosting::read_host(STDIN_FILENO, {&c, 1}) == 1 ? c : failure;
    }
    case sys_iserror: return s32(a[0]) < 0;
    case sys_istty:
      if (!file) return failed(EBADF);
      return file->kind == File::console || (file->kind == File::host && ::isatty(file->fd) == 1);
    case sys_seek: return file ? seek_file(*file, a[1]) : failed(EBADF);
    case sys_flen: return file ? file_length(*file) : failed(EBADF);
    case sys_tmpnam: return temporary_name(g, a[0], a[1], a[2]);
    case sys_remove: return g.string(a[0], a[1], name) ? checked(::remove(name.data())) : failed(EFAULT);
    case sys_rename:
      if (!g.string(a[0], a[1], name) || !g.string(a[2], a[3], other)) return failed(EFAULT);
      return checked(::rename(name.data(), other.data()));
    case sys_clock: return u32(s.machine->now() / 10'000'000);
    case sys_time: return u32(HostTime::wall_clock_seconds());
    case sys_system: return g.string(a[0], a[1], name) ? checked(std::system(name.data())) : failed(EFAULT);
    case sys_errno: return session.error;
    case sys_get_cmdline: return give_command_line(g, r1);
    case sys_heapinfo: return give_heap(g, r1);
    case sys_exit: return exit_with(s, r1, 0);  // r1 is the reason
    case sys_exit_extended: return exit_with(s, a[0], a[1]);
    case sys_elapsed: {
      const u64 ticks = s.machine->now();
      return g.write(r1, {reinterpret_cast<const u8*>(&ticks), sizeof ticks}) ? 0 : failed(EFAULT);
    }
    default: return u32(tick_hz);  // SYS_TICKFREQ
  }
}
}  // namespace

bool semihosting_call(CpuState& s) noexcept {
  const u32 op = s.r[0];
  if (!is_operation(op)) {
    log_unimp("semihosting", "operation", op);
    return false;
  }
  s.r[0] = perform(s, op, s.r[1]);
  return true;
}

void semihosting_command_line(std::string text) { session.command_line = std::move(text); }

void semihosting_close_files() noexcept {
  session.files.close_all();
}
}  // namespace arm
