#include "cpus/mips/semihosting.hpp"

#include "cpus/mips/mmu.hpp"
#include "cpus/semihosting.hpp"

#include "core/log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mips {
namespace {
using semihosting::File, semihosting::Name;

enum Operation : u32 {
  uhi_exit = 1, uhi_open = 2, uhi_close = 3, uhi_read = 4, uhi_write = 5, uhi_lseek = 6, uhi_unlink = 7, uhi_fstat = 8,
  uhi_argc = 9, uhi_argnlen = 10, uhi_argn = 11, uhi_plog = 13, uhi_assert = 14, uhi_pread = 19, uhi_pwrite = 20,
  uhi_link = 22,
};
constexpr u32 v0 = 2, v1 = 3, a0 = 4, t9 = 25;
constexpr unsigned standard_files = 3;  // open from the start

struct Session {
  semihosting::Files files;  // by the guest's descriptors
  std::vector<std::string> arguments;
  Session() { open_standard(); }
  void open_standard() {
    for (int n = 0; n < int(standard_files); ++n) files[std::size_t(n)] = {File::console, n, 0};
  }
};
// One per process, like the descriptors in it.
Session session;

// What a call answers: $2 and $3.
struct Answer {
  u32 value, error = 0;
};

// Errors up to 34 are those of the host; newlib numbers the others otherwise.
Answer failed(int error) {
  constexpr int last_common = 34;
  u32 number = EINVAL;
  if (error <= last_common) number = u32(error);
  else if (error == ENAMETOOLONG) number = 91;
  else if (error == ELOOP) number = 92;
  else if (error == EOVERFLOW) number = 139;
  return {~0u, number};
}
Answer checked(s64 host_result) {
  if (host_result < 0) return failed(errno);
  return host_result > 0x7fff'ffff ? failed(EOVERFLOW) : Answer{u32(host_result)};
}
Answer moved(const semihosting::Moved& m) { return m.error && !m.bytes ? failed(m.error) : Answer{m.bytes}; }

struct Guest : semihosting::GuestMemory {
  explicit Guest(const CpuState& s) : GuestMemory{*s.machine, &s, translate_for} {}
  static bool translate_for(const void* cpu, u32 va, bool write, u64& at) {
    const auto& s = *static_cast<const CpuState*>(cpu);
    return probe(s, va, write ? Access::write : Access::read, s.privilege, at);
  }
};

Answer open_file(const Guest& g, u32 path, u32 flags, u32 mode) {
  struct Flag {
    u32 guest;
    int host;
  };
  constexpr Flag known[] = {{0x8, O_APPEND}, {0x200, O_CREAT}, {0x400, O_TRUNC}, {0x800, O_EXCL}};
  constexpr int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
  Name name;
  if (!g.c_string(path, name)) return failed(EFAULT);
  if ((flags & 3) == 3) return failed(EINVAL);
  constexpr std::string_view standard[standard_files] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  for (u32 n = 0; n < standard_files; ++n)
    if (standard[n] == name.data()) return {n};
  int how = access[flags & 3] | O_CLOEXEC;
  u32 left = flags & ~3u;
  for (const Flag& f : known) {
    if (left & f.guest) how |= f.host;
    left &= ~f.guest;
  }
  if (left) return failed(EINVAL);
  const int slot = session.files.free_slot();
  if (slot < 0) return failed(EMFILE);
  const int fd = ::open(name.data(), how, mode & 0777);
  if (fd < 0) return failed(errno);
  session.files[std::size_t(slot)] = {File::host, fd, 0};
  return {u32(slot)};
}

// The structure of the interface: 104 bytes in the guest's order.
Answer file_status(const Guest& g, const CpuState& s, int fd, u32 to) {
  struct stat info;
  if (::fstat(fd, &info) < 0) return failed(errno);
  std::array<u8, 104> bytes{};
  const auto put = [&](unsigned at, unsigned size, u64 v) {
    for (unsigned n = 0; n < size; ++n) bytes[at + n] = u8(v >> 8 * (s.big_endian ? size - 1 - n : n));
  };
  put(0, 2, info.st_dev);
  put(2, 2, info.st_ino);
  put(4, 4, info.st_mode);
  put(8, 2, info.st_nlink);
  put(10, 2, info.st_uid);
  put(12, 2, info.st_gid);
  put(14, 2, info.st_rdev);
  put(16, 8, u64(info.st_size));
  put(24, 8, u64(info.st_atime));  // each with eight bytes to spare
  put(40, 8, u64(info.st_mtime));
  put(56, 8, u64(info.st_ctime));
  put(72, 8, u64(info.st_blksize));
  put(80, 8, u64(info.st_blocks));
  return g.write(to, bytes) ? Answer{0} : failed(EFAULT);
}

Answer seek(int fd, u32 offset, u32 whence) {
  constexpr int how[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  return whence < std::size(how) ? checked(::lseek(fd, s32(offset), how[whence])) : failed(EINVAL);
}

Answer print(std::string_view text) {
  return moved(semihosting::write_host(STDOUT_FILENO, {reinterpret_cast<const u8*>(text.data()), text.size()}));
}

// The first %d of the message is the number.
Answer log_message(const Guest& g, u32 message, u32 number) {
  Name name;
  if (!g.c_string(message, name)) return failed(EFAULT);
  std::string text = name.data();
  if (const auto at = text.find("%d"); at != std::string::npos) text.replace(at, 2, std::to_string(s32(number)));
  return print(text);
}

Answer assertion(CpuState& s, const Guest& g, u32 message, u32 file, u32 line) {
  Name what, where;
  if (!g.c_string(message, what) || !g.c_string(file, where)) return failed(EFAULT);
  print(std::string("assertion '") + what.data() + "' failed: " + where.data() + ":" + std::to_string(line) + "\n");
  s.machine->request_shutdown_with(1);
  return {0};
}

Answer argument(const Guest& g, u32 n, u32 to) {
  if (n >= session.arguments.size()) return failed(EINVAL);
  const std::string& text = session.arguments[n];
  return g.write(to, {reinterpret_cast<const u8*>(text.c_str()), text.size() + 1}) ? Answer{0} : failed(EFAULT);
}

Answer link_files(const Guest& g, u32 from, u32 to) {
  Name old_name, new_name;
  if (!g.c_string(from, old_name) || !g.c_string(to, new_name)) return failed(EFAULT);
  return checked(::link(old_name.data(), new_name.data()));
}

// Those whose first argument is a descriptor.
Answer on_file(CpuState& s, const Guest& g, u32 op, File& f, const u32* a) {
  switch (op) {
    case uhi_close: return f.kind == File::console ? Answer{0} : checked(session.files.close(f));
    case uhi_read: return moved(semihosting::read_file(g, f.fd, a[1], a[2], f.kind == File::console));
    case uhi_write: return moved(semihosting::write_file(g, f.fd, a[1], a[2]));
    case uhi_lseek: return seek(f.fd, a[1], a[2]);
    case uhi_fstat: return file_status(g, s, f.fd, a[1]);
    case uhi_pread: return s32(a[3]) < 0 ? failed(EINVAL) : moved(semihosting::read_file(g, f.fd, a[1], a[2], false, a[3]));
    default: return s32(a[3]) < 0 ? failed(EINVAL) : moved(semihosting::write_file(g, f.fd, a[1], a[2], a[3]));
  }
}

bool is_on_file(u32 op) {
  return (op >= uhi_close && op <= uhi_lseek) || op == uhi_fstat || op == uhi_pread || op == uhi_pwrite;
}
bool is_operation(u32 op) { return (op >= uhi_exit && op <= uhi_argn) || op == uhi_plog || op == uhi_assert || is_on_file(op) || op == uhi_link; }

Answer perform(CpuState& s, u32 op, const u32* a) {
  const Guest g(s);
  Name name;
  if (is_on_file(op)) {
    File* const f = session.files.open_file(a[0]);
    return f ? on_file(s, g, op, *f, a) : failed(EBADF);
  }
  switch (op) {
    case uhi_exit: s.machine->request_shutdown_with(int(a[0])); return {0};
    case uhi_open: return open_file(g, a[0], a[1], a[2]);
    case uhi_unlink: return g.c_string(a[0], name) ? checked(::unlink(name.data())) : failed(EFAULT);
    case uhi_argc: return {u32(session.arguments.size())};
    case uhi_argnlen: return a[0] < session.arguments.size() ? Answer{u32(session.arguments[a[0]].size())} : failed(EINVAL);
    case uhi_argn: return argument(g, a[0], a[1]);
    case uhi_plog: return log_message(g, a[0], a[1]);
    case uhi_assert: return assertion(s, g, a[0], a[1], a[2]);
    default: return link_files(g, a[0], a[1]);
  }
}
}  // namespace

bool semihosting_call(CpuState& s) noexcept {
  const u32 op = s.r[t9];
  if (!is_operation(op)) {
    log_unimp("semihosting", "operation", op);
    return false;
  }
  const Answer answer = perform(s, op, &s.r[a0]);
  s.r[v0] = answer.value;
  s.r[v1] = answer.error;
  return true;
}

void semihosting_arguments(std::vector<std::string> arguments) { session.arguments = std::move(arguments); }

void semihosting_close_files() noexcept {
  session.files.close_all();
  session.open_standard();
}
}  // namespace mips
