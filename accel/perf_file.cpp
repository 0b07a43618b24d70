#include "accel/perf_file.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace accel {
namespace {
// jitdump-specification.txt, version 1.  All in the host's byte order.
struct DumpHeader {
  u32 magic = 0x4a695444, version = 1, total_size = sizeof(DumpHeader), elf_mach, pad1 = 0, pid;
  u64 timestamp, flags = 0;
};
static_assert(sizeof(DumpHeader) == 40);
struct CodeLoad {
  u32 id = 0, total_size;  // JIT_CODE_LOAD; then the name with its zero, and the code
  u64 timestamp;
  u32 pid, tid;
  u64 vma, code_addr, code_size, code_index;
};
static_assert(sizeof(CodeLoad) == 56);
struct CodeClose {
  u32 id = 3, total_size = sizeof(CodeClose);
  u64 timestamp;
};

// The clock of `perf record -k mono`.
u64 monotonic() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
}
std::string path_of(PerfKind kind) {
  const std::string pid = std::to_string(getpid());
  return kind == PerfKind::map ? "/tmp/perf-" + pid + ".map" : "jit-" + pid + ".dump";
}
}  // namespace

Result<std::unique_ptr<PerfFile>> PerfFile::create(PerfKind kind, GuestNames names) {
  const std::string path = path_of(kind);
  unlink(path.c_str());  // of an earlier process with this number
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  std::FILE* file = fd < 0 ? nullptr : fdopen(fd, "w");
  if (!file) return Error{Kind::io, "perf: cannot write '" + path + "': " + std::strerror(errno)};
  std::unique_ptr<PerfFile> made(new PerfFile(kind, std::move(names), file));
  if (kind == PerfKind::dump) made->write_header();
  return made;
}

PerfFile::~PerfFile() {
  if (kind_ == PerfKind::dump) {
    const CodeClose close{.timestamp = monotonic()};
    put(&close, sizeof close);
  }
  if (marker_) munmap(marker_, std::size_t(sysconf(_SC_PAGESIZE)));
  std::fclose(file_);
}

void PerfFile::write_header() {
  const DumpHeader header{.elf_mach = EM_X86_64, .pid = u32(getpid()), .timestamp = monotonic()};
  put(&header, sizeof header);
  std::fflush(file_);
  void* page = mmap(nullptr, std::size_t(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(file_), 0);
  if (page != MAP_FAILED) marker_ = page;
}

void PerfFile::begin(std::span<const u8>, std::span<const u8> thunks) { add(thunks, "[thunks]"); }

void PerfFile::made(const MadeCode& code) {
  char address[16];
  std::snprintf(address, sizeof address, "%08x", code.pc & ~1u);
  const std::string name = names_ ? names_(code.pc & ~1u) : std::string();
  add(code.host, name.empty() ? "guest " + std::string(address) : name + " [" + address + "]");
}

// Whole at once, since the process may be killed while perf watches it.
void PerfFile::add(std::span<const u8> code, const std::string& name) {
  if (kind_ == PerfKind::map) {
    std::fprintf(file_, "%llx %zx %s\n", static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(code.data())), code.size(), name.c_str());
  } else {
    const u64 at = reinterpret_cast<std::uintptr_t>(code.data());
    const CodeLoad load{.total_size = u32(sizeof(CodeLoad) + name.size() + 1 + code.size()), .timestamp = monotonic(), .pid = u32(getpid()),
                        .tid = u32(gettid()), .vma = at, .code_addr = at, .code_size = code.size(), .code_index = index_++};
    put(&load, sizeof load);
    put(name.c_str(), name.size() + 1);
    put(code.data(), code.size());
  }
  std::fflush(file_);
}
}  // namespace accel
