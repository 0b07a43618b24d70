#include "accel/profile.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <string_view>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace accel {
namespace {
constexpr std::size_t most_samples = std::size_t(1) << 22;  // an hour's
constexpr u64 mean_distance_ns = 1'000'000;
constexpr unsigned blocks_shown = 40;

u64 time_of(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
}
u64 host_pc(const void* context) {
#if defined(__x86_64__)
  return u64(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#else
  return (void)context, 0;
#endif
}
unsigned long long n(u64 v) { return v; }
}  // namespace

Result<std::unique_ptr<Profile>> Profile::create(const std::string& path, const VcpuHeader& c, Tools tools) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (!file) return Error{Kind::io, "profile: cannot write '" + path + "': " + std::strerror(errno)};
  return std::unique_ptr<Profile>(new Profile(file, c, std::move(tools)));
}

Profile::Profile(std::FILE* file, const VcpuHeader& c, Tools tools) : file_(file), c_(c), tools_(std::move(tools)) {
  void* at = mmap(nullptr, most_samples * sizeof(Sample), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(at != MAP_FAILED);
  samples_ = static_cast<Sample*>(at);
}

Profile::~Profile() {
  stop();
  munmap(samples_, most_samples * sizeof(Sample));
  std::fclose(file_);
}

// ---- sampling

Status Profile::start() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGPROF, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGPROF;
  event.sigev_value.sival_ptr = this;
  event._sigev_un._tid = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return Error{Kind::io, std::string("profile: no timer: ") + std::strerror(errno)};
  began_wall_ = time_of(CLOCK_MONOTONIC);
  began_cpu_ = last_cpu_ = time_of(CLOCK_THREAD_CPUTIME_ID);
  running_ = true;
  arm();
  return {};
}

void Profile::stop() {
  if (!running_) return;
  running_ = false;
  timer_delete(timer_);
  signal(SIGPROF, SIG_IGN);  // one may be on its way
}

// At a random distance, so that what the guest does at regular times is not met always or never.
void Profile::arm() {
  random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
  const itimerspec when{{}, {0, long(mean_distance_ns / 2 + random_ % mean_distance_ns)}};
  timer_settime(timer_, 0, &when, nullptr);
}

void Profile::on_signal(int, siginfo_t* info, void* context) {
  const int error = errno;
  auto& p = *static_cast<Profile*>(info->si_value.sival_ptr);
  p.take(host_pc(context));
  p.arm();
  errno = error;
}

void Profile::take(u64 host) {
  const u64 now = time_of(CLOCK_THREAD_CPUTIME_ID);
  if (count_ == most_samples) {
    ++lost_;
    return;
  }
  samples_[count_++] = {host, now - std::exchange(last_cpu_, now), c_.pc, c_.activity};
}

// ---- what was where

void Profile::begin(std::span<const u8> buffer, std::span<const u8> thunks) {
  buffer_ = buffer;
  thunks_ = thunks;
}

void Profile::made(const MadeCode& m) {
  const std::size_t hash = std::hash<std::string_view>{}({reinterpret_cast<const char*>(m.guest.data()), m.guest.size()});
  const auto [at, is_new] = block_at_.try_emplace({m.pc, hash}, u32(blocks_.size()));
  if (is_new) {
    blocks_.push_back({{m.guest.begin(), m.guest.end()}, m.instructions});
    block_pc_.push_back(m.pc);
  }
  pieces_.push_back({m.host.data(), u32(m.host.size()), m.pc, at->second});
}

void Profile::dropping() {
  resolve();
  pieces_.clear();
}

void Profile::resolve() {
  std::ranges::sort(pieces_, {}, &Piece::host);
  for (; resolved_ < count_; ++resolved_) {
    const Sample s = samples_[resolved_];
    const u8* const host = reinterpret_cast<const u8*>(std::uintptr_t(s.host));
    sampled_ns_ += s.ns;
    if (u64(host - buffer_.data()) >= buffer_.size()) {
      Place place = helper;
      if (s.activity == Activity::memory) place = memory;
      else if (s.activity == Activity::device) place = device;
      else if (s.activity == Activity::translation) place = translation;
      guest_[s.guest][place] += s.ns;
      host_[s.host] += s.ns;
      continue;
    }
    auto piece = std::ranges::upper_bound(pieces_, host, {}, &Piece::host);
    if (piece == pieces_.begin() || u64(host - (--piece)->host) >= piece->host_bytes) {
      thunk_ns_ += s.ns;
      continue;
    }
    guest_[piece->pc & ~1u][translated] += s.ns;
    blocks_[piece->block].ns += s.ns;
  }
}

// ---- the file

Status Profile::write(u64 asleep_ns) {
  stop();
  const u64 cpu = time_of(CLOCK_THREAD_CPUTIME_ID) - began_cpu_, wall = time_of(CLOCK_MONOTONIC) - began_wall_;
  resolve();
  std::fprintf(file_, "pinstrap-profile 1\nwall %llu\ncpu %llu\nasleep %llu\nsamples %zu\nlost %zu\nsampled %llu\nthunks %llu\n", n(wall), n(cpu),
               n(asleep_ns), count_, lost_, n(sampled_ns_), n(thunk_ns_));
  for (const auto& [pc, t] : guest_)
    std::fprintf(file_, "guest %08x %llu %llu %llu %llu %llu %s\n", pc, n(t[translated]), n(t[memory]), n(t[device]), n(t[translation]), n(t[helper]),
                 tools_.guest_names ? tools_.guest_names(pc).c_str() : "");
  write_blocks();
  std::map<std::string, u64> functions;
  for (const auto& [address, ns] : host_) {
    std::string name = tools_.host_names ? tools_.host_names(address) : std::string();
    Dl_info info;
    if (name.empty() && dladdr(reinterpret_cast<void*>(std::uintptr_t(address)), &info) && info.dli_fname) {
      name = info.dli_fname;
      name = name.substr(name.rfind('/') + 1) + (info.dli_sname ? std::string(": ") + info.dli_sname : "");
    }
    functions[name.empty() ? "(unknown)" : name] += ns;
  }
  for (const auto& [name, ns] : functions) std::fprintf(file_, "host %llu %s\n", n(ns), name.c_str());
  if (std::ferror(file_) || std::fflush(file_) != 0) return Error{Kind::io, std::string("profile: cannot write: ") + std::strerror(errno)};
  return {};
}

void Profile::write_blocks() {
  std::vector<u32> order;
  for (u32 b = 0; b < blocks_.size(); ++b)
    if (blocks_[b].ns) order.push_back(b);
  std::ranges::sort(order, [&](u32 a, u32 b) { return blocks_[a].ns > blocks_[b].ns; });
  if (order.size() > blocks_shown) order.resize(blocks_shown);
  for (const u32 b : order) {
    const GuestBlock& block = blocks_[b];
    const u32 address = block_pc_[b] & ~1u;
    std::fprintf(file_, "block %08x %llu %u %s\n", address, n(block.ns), block.instructions, tools_.guest_names ? tools_.guest_names(address).c_str() : "");
    for (std::size_t at = 0; at < block.code.size();) {
      unsigned length = 1;
      const std::string text = tools_.disassemble(block_pc_[b] + u32(at), std::span(block.code).subspan(at), length);
      std::fprintf(file_, "insn %08x %s\n", address + u32(at), text.c_str());
      at += std::max(1u, length);
    }
  }
}
}  // namespace accel
