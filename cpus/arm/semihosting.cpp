#include "cpus/arm/semihosting.hpp"

#include "cpus/arm/mmu.hpp"

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
enum Operation : u32 {
  sys_open = 0x01, sys_close = 0x02, sys_writec = 0x03, sys_write0 = 0x04, sys_write = 0x05, sys_read = 0x06,
  sys_readc = 0x07, sys_iserror = 0x08, sys_istty = 0x09, sys_seek = 0x0a, sys_flen = 0x0c, sys_tmpnam = 0x0d,
  sys_remove = 0x0e, sys_rename = 0x0f, sys_clock = 0x10, sys_time = 0x11, sys_system = 0x12, sys_errno = 0x13,
  sys_get_cmdline = 0x15, sys_heapinfo = 0x16, sys_exit = 0x18, sys_exit_extended = 0x20, sys_elapsed = 0x30,
  sys_tickfreq = 0x31,
};
constexpr u32 failure = ~0u, application_exit = 0x20026;
constexpr std::size_t longest_name = 4096;  // paths and commands
constexpr u64 tick_hz = 1'000'000'000;      // SYS_ELAPSED counts virtual nanoseconds

// The guest's handles: handle = index + 1.
struct File {
  enum Kind : u8 { closed, host, console, features } kind = closed;
  int fd = -1;
  u32 position = 0;  // features only
};
struct Session {
  std::array<File, 64> files;
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

// Guest memory as the current mode may access it.
struct Guest {
  CpuState& s;

  // The bytes from `va` to the end of its 1 KiB sub-page, at most `size`; 0 when they cannot be accessed.
  u32 piece(u32 va, u32 size, Access access, GuestPhys& at) const {
    u32 phys = 0;
    if (!probe(s, va, access, s.privilege, phys)) return 0;
    at = GuestPhys{phys};
    return std::min(size, 0x400 - (va & 0x3ff));
  }
  bool read(u32 va, std::span<u8> to) const {
    while (!to.empty()) {
      GuestPhys at{};
      const u32 n = piece(va, u32(std::min<std::size_t>(to.size(), 0x400)), Access::read, at);
      if (n == 0 || !s.machine->dma_read(at, to.first(n))) return false;
      to = to.subspan(n);
      va += n;
    }
    return true;
  }
  bool write(u32 va, std::span<const u8> from) const {
    while (!from.empty()) {
      GuestPhys at{};
      const u32 n = piece(va, u32(std::min<std::size_t>(from.size(), 0x400)), Access::write, at);
      if (n == 0 || !s.machine->dma_write(at, from.first(n))) return false;
      from = from.subspan(n);
      va += n;
    }
    return true;
  }
  bool words(u32 va, std::span<u32> to) const {
    return read(va, {reinterpret_cast<u8*>(to.data()), to.size_bytes()});
  }
  // A string of `length` characters, which must not hold a NUL, made into a C string.
  bool string(u32 va, u32 length, std::array<char, longest_name>& to) const {
    if (length >= to.size() || !read(va, {reinterpret_cast<u8*>(to.data()), length})) return false;
    to[length] = 0;
    return std::strlen(to.data()) == length;
  }
};
using Name = std::array<char, longest_name>;

File* file_of(u32 handle) {
  if (handle == 0 || handle > session.files.size()) return nullptr;
  File& f = session.files[handle - 1];
  return f.kind == File::closed ? nullptr : &f;
}

// Writes all of it unless the host refuses; the number of bytes written.
u32 write_host(int fd, const u8* p, u32 n) {
  u32 done = 0;
  while (done < n) {
    const ssize_t w = ::write(fd, p + done, n - done);
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) {
      session.error = u32(errno);
      break;
    }
    done += u32(w);
  }
  return done;
}
ssize_t read_host(int fd, void* p, std::size_t n) {
  for (;;) {
    const ssize_t r = ::read(fd, p, n);
    if (r >= 0 || errno != EINTR) return r;
  }
}

// Modes 0…11 are fopen's r rb r+ r+b w wb w+ w+b a ab a+ a+b; the console takes them as stdin, stdout, stderr.
u32 open_file(const char* name, u32 mode) {
  if (mode > 11) return failed(EINVAL);
  const auto slot = std::find_if(session.files.begin(), session.files.end(),
                                 [](const File& f) { return f.kind == File::closed; });
  if (slot == session.files.end()) return failed(EMFILE);
  if (!std::strcmp(name, ":tt")) {
    *slot = {File::console, int(mode / 4), 0};
  } else if (!std::strcmp(name, ":semihosting-features")) {
    if (mode > 1) return failed(EACCES);
    *slot = {File::features, -1, 0};
  } else {
    constexpr int how[] = {0, O_CREAT | O_TRUNC, O_CREAT | O_APPEND};
    const int access = mode & 2 ? O_RDWR : mode < 4 ? O_RDONLY : O_WRONLY;
    const int fd = ::open(name, access | how[mode / 4] | O_CLOEXEC, 0666);
    if (fd < 0) return failed(errno);
    *slot = {File::host, fd, 0};
  }
  return u32(slot - session.files.begin()) + 1;
}

u32 close_file(File& f) {
  const int result = f.kind == File::host ? ::close(f.fd) : 0;
  f = {};
  return checked(result);
}

// SYS_WRITE and SYS_READ answer the number of bytes not moved.  Both go through a small buffer, so that the guest's
// count asks for nothing of the host.
u32 write_file(const Guest& g, File& f, u32 va, u32 count) {
  if (f.kind == File::features) return failed(EBADF), count;
  std::array<u8, 0x400> buffer;
  while (count) {
    const u32 n = std::min<u32>(count, buffer.size());
    if (!g.read(va, {buffer.data(), n})) return failed(EFAULT), count;
    const u32 written = write_host(f.fd, buffer.data(), n);
    count -= written;
    va += written;
    if (written < n) break;
  }
  return count;
}

u32 read_file(const Guest& g, File& f, u32 va, u32 count) {
  std::array<u8, 0x400> buffer;
  while (count) {
    const u32 n = std::min<u32>(count, buffer.size());
    ssize_t got;
    if (f.kind == File::features) {
      got = std::min<u32>(n, u32(sizeof feature_file) - f.position);
      std::copy_n(feature_file + f.position, got, buffer.data());
      f.position += u32(got);
    } else {
      got = read_host(f.fd, buffer.data(), n);
    }
    if (got < 0) failed(errno);
    if (got <= 0) break;
    if (!g.write(va, {buffer.data(), std::size_t(got)})) {
      failed(EFAULT);
      break;
    }
    count -= u32(got);
    va += u32(got);
    if (f.kind == File::console || u32(got) < n) break;  // a console gives what it has
  }
  return count;
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

u32 write_string(const Guest& g, u32 va) {
  constexpr u32 longest = 16 * MiB;  // of a string without end
  std::array<u8, 0x400> buffer;
  for (u32 done = 0; done < longest;) {
    const u32 n = 0x400 - (va & 0x3ff);
    if (!g.read(va, {buffer.data(), n})) return failed(EFAULT);
    const auto end = std::find(buffer.begin(), buffer.begin() + n, 0);
    write_host(STDOUT_FILENO, buffer.data(), u32(end - buffer.begin()));
    if (end != buffer.begin() + n) return 0;
    done += n;
    va += n;
  }
  return failed(E2BIG);
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
  const Guest g{s};
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
      write_host(STDOUT_FILENO, &c, 1);
      return 0;
    }
    case sys_write0: return write_string(g, r1);
    case sys_write: return file ? write_file(g, *file, a[1], a[2]) : (failed(EBADF), a[2]);
    case sys_read: return file ? read_file(g, *file, a[1], a[2]) : (failed(EBADF), a[2]);
    case sys_readc: {
      u8 c;
      return read_host(STDIN_FILENO, &c, 1) == 1 ? c : failure;
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
  for (File& f : session.files)
    if (f.kind != File::closed) close_file(f);
}
}  // namespace arm
