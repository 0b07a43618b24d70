#include "boards/watchers.hpp"

#include "boards/boot/loader.hpp"

namespace boards {
using namespace core;

Status Watchers::create(const host::Accel& options, const std::string& kernel, BoardCpu& cpu) {
  if (options.perf.empty() && options.profile.empty()) return {};
  for (const std::string& file : options.symbols) TRY(symbols_.add_file(file));
  // Most kernels are packed or stripped; they are no worse for it.
  if (const auto file = kernel.empty() ? Result<Bytes>(Bytes()) : read_file(kernel, 2 * GiB); file && is_elf(*file)) (void)symbols_.add_elf(*file);
  const accel::GuestNames names = [this](u32 pc) { return symbols_.name(pc); };
  if (!options.perf.empty()) {
    perf_ = TRY(accel::PerfFile::create(options.perf == "dump" ? accel::PerfKind::dump : accel::PerfKind::map, names));
    listeners_.push_back(perf_.get());
  }
  if (!options.profile.empty()) {
    const auto host_names = [this](u64 address) {
      if (!own_) own_ = std::make_unique<OwnSymbols>();
      return own_->name(address);
    };
    const auto disassemble = [&cpu](u32 pc, std::span<const u8> code, unsigned& length) { return cpu.front_end().disassemble(pc, code, length); };
    profile_ = TRY(accel::Profile::create(options.profile, cpu.vcpu(), {names, host_names, disassemble}));
    listeners_.push_back(profile_.get());
  }
  return {};
}
}  // namespace boards
