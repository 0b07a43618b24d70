#pragma once
// Files that tell `perf` the names of translated code.

#include "accel/code_listener.hpp"
#include "core/result.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

namespace accel {

// The name of the guest code at an address, `name+0x14`; empty: none known.
using GuestNames = std::function<std::string(u32 pc)>;

enum class PerfKind {
  map,   // /tmp/perf-PID.map, read by perf report (tools/perf/Documentation/jit-interface.txt): names only, the last of a place
  dump,  // jit-PID.dump in the working folder, for perf inject --jit (jitdump-specification.txt): names and code, by time
};

class PerfFile final : public CodeListener {
 public:
  static Result<std::unique_ptr<PerfFile>> create(PerfKind kind, GuestNames names);
  ~PerfFile() override;
  void begin(std::span<const u8> buffer, std::span<const u8> thunks) override;
  void made(const MadeCode& code) override;
  void dropping() override {}

 private:
  PerfFile(PerfKind kind, GuestNames names, std::FILE* file) : kind_(kind), names_(std::move(names)), file_(file) {}
  void write_header();
  void add(std::span<const u8> code, const std::string& name);
  void put(const void* data, std::size_t size) { std::fwrite(data, 1, size, file_); }

  PerfKind kind_;
  GuestNames names_;
  std::FILE* file_;
  void* marker_ = nullptr;  // a page of the dump, mapped so that perf record notes its name
  u64 index_ = 0;
};
}  // namespace accel
