#pragma once
// Who looks on while guest code runs, as -accel says: perf's files and the profile, with names of guest code.
// Thread: the main thread before the guest runs, then the vCPU thread.

#include "accel/perf_file.hpp"
#include "accel/profile.hpp"
#include "boards/board_cpu.hpp"
#include "boards/boot/symbols.hpp"
#include "host/options.hpp"

#include <memory>
#include <vector>

namespace boards {
class Watchers {
 public:
  Watchers() = default;
  Watchers(const Watchers&) = delete;
  // `kernel`: -kernel's file, whose symbols are taken when it has some.
  core::Status create(const host::Accel& accel, const std::string& kernel, BoardCpu& cpu);
  const std::vector<accel::CodeListener*>& listeners() const { return listeners_; }
  // Around the guest's run.
  core::Status start() { return profile_ ? profile_->start() : core::Status(); }
  core::Status finish(core::u64 asleep_ns) { return profile_ ? profile_->write(asleep_ns) : core::Status(); }

 private:
  Symbols symbols_;
  std::unique_ptr<OwnSymbols> own_;
  std::unique_ptr<accel::PerfFile> perf_;
  std::unique_ptr<accel::Profile> profile_;
  std::vector<accel::CodeListener*> listeners_;
};
}  // namespace boards
