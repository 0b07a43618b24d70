#include "boards/cpu_mips.hpp"

#include "boards/boot/mips_linux.hpp"
#include "cpus/mips/debug.hpp"
#include "cpus/mips/front_end.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/semihosting.hpp"

#include "accel/engine.hpp"
#include "core/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>

namespace boards {
namespace {
using namespace core;
using namespace mips;

constexpr u64 boot_rom_at = 0x1fc0'0000;  // the reset vector 0xbfc00000

class MipsCpu final : public BoardCpu {
 public:
  MipsCpu(MachineBase& machine, CpuState*& shell, const MipsFacts& facts)
      : state_(*new (memory_.base()) CpuState), facts_(facts), front_(state_), debug_(state_) {
    state_.machine = &machine;
    state_.model = default_model();
    state_.clock_hz = facts.clock_hz;
    state_.timer = facts.first_timer;
    state_.bus_error_from = facts.bus_errors_from;
    state_.big_endian = facts.big_endian;
    shell = &state_;
    debug_.disassembler = [this](u32 pc, std::span<const u8> bytes, unsigned& length) { return front_.disassemble(pc, bytes, length); };
  }
  accel::VcpuHeader& vcpu() override { return state_; }
  const tcg::FrontEnd& front_end() const override { return front_; }
  DebugTarget& debug() override { return debug_; }
  void on_breakpoint(std::function<void(u32, bool)> changed) override { debug_.on_code_change = std::move(changed); }

  Status configure(const host::Options& options) override {
    if (!options.cpu.empty()) {
      const CpuModel* model = find_model(options.cpu);
      if (!model) return Error{Kind::usage, fmt::format("-cpu: '{}' is not a CPU of this board; see -cpu help", options.cpu)};
      state_.model = model;
    }
    state_.semihosting = options.semihosting;
    mips::semihosting_arguments(host::semihosting_arguments(options));
    return options.cpu_features.only({}).context("-cpu");
  }

  Status load(const host::Options& options, const BoardInfo& board, MachineBase& machine, std::span<const u8>) override {
    firmware_ = board.firmware;
    if (!options.dtb.empty()) return Error{Kind::usage, "-dtb: kernels of this board take no device tree, leave it out"};
    if (options.kernel.empty()) {
      for (const auto& [file, option] : {std::pair{options.initrd, "-initrd"}, std::pair{options.append, "-append"}})
        if (!file.empty()) return Error{Kind::usage, fmt::format("{}: there is no kernel to give it to; add -kernel FILE", option)};
    } else {
      u64 total = 0;
      for (const RamBlock& b : machine.ram) total += b.rom || b.boot_alias ? 0 : b.size;
      linux_ = TRY(MipsLinux::create({options.kernel, options.initrd, options.append},
                                     {.low_ram = machine.ram.front().size, .total_ram = total, .big_endian = facts_.big_endian, .name = board.name}));
    }
    std::string boot = options.bios;
    for (const std::string& p : options.pflash) {
      TRY(load_rom(machine, p, "-pflash", flash_of(machine)));
      if (boot.empty()) boot = p;
    }
    if (!boot.empty()) TRY(load_rom(machine, boot, "-bios", boot_rom_of(machine)));
    // The boot ROM is the flash seen at the reset vector: firmware runs on in either.
    if (options.pflash.empty() && !boot.empty() && flash_of(machine)) TRY(load_rom(machine, boot, "-bios", flash_of(machine)));
    return {};
  }

  // With a kernel the firmware's work is done, and the kernel starts; else the firmware does.
  Status reset(MachineBase& machine) override {
    semihosting_close_files();
    front_.reset(state_);
    for (const Rom& r : roms_) std::copy(r.contents.begin(), r.contents.end(), machine.host_memory(GuestPhys{r.at}, r.contents.size()));
    for (const FirmwareStore& s : firmware_) store(machine, s);
    if (!linux_) return {};
    const auto boot = TRY(linux_->place(machine));
    for (unsigned n = 0; n < 4; ++n) state_.r[4 + n] = boot.a[n];
    state_.r[29] = boot.sp;
    state_.cp0.status &= ~status_erl;
    settle_status(state_);
    front_.set_pc(state_, boot.pc);
    return {};
  }

  std::string loaded() const override { return linux_ ? linux_->summary() : std::string(); }

 private:
  struct Rom {
    u64 at;
    Bytes contents;
  };
  const CpuModel* default_model() const {
    const CpuModel* model = find_model(facts_.model);
    return model ? model : &cpu_models()[0];
  }
  static const RamBlock* boot_rom_of(const MachineBase& machine) {
    for (const RamBlock& b : machine.ram)
      if (b.rom && boot_rom_at - raw(b.at) < b.size) return &b;
    return nullptr;
  }
  static const RamBlock* flash_of(const MachineBase& machine) {
    for (const RamBlock& b : machine.ram)
      if (b.rom && &b != boot_rom_of(machine)) return &b;
    return nullptr;
  }
  // Images are for both byte orders: big-endian words, which a little-endian board's ROM has swapped.
  Status load_rom(MachineBase&, const std::string& path, std::string_view option, const RamBlock* rom) {
    if (!rom) return Error{Kind::usage, fmt::format("{}: this board has no flash for '{}'", option, path)};
    Bytes contents = TRY(load_firmware(path, rom->size, option));
    if (!facts_.big_endian)
      for (std::size_t i = 0; i + 4 <= contents.size(); i += 4) std::reverse(contents.begin() + std::ptrdiff_t(i), contents.begin() + std::ptrdiff_t(i + 4));
    roms_.push_back({raw(rom->at), std::move(contents)});
    return {};
  }
  // Into ROM at every start; registers are the firmware's own business unless a kernel starts without it.
  void store(MachineBase& machine, const FirmwareStore& s) const {
    if (u8* const p = machine.host_memory(s.at, 4)) return store_le(p, facts_.big_endian ? __builtin_bswap32(s.value) : s.value);
    if (linux_ && machine.store_device) machine.store_device(&machine, s.at, s.value);
  }

  accel::VcpuMemory memory_;
  CpuState& state_;
  MipsFacts facts_;
  MipsFrontEnd front_;
  MipsDebug debug_;
  std::span<const FirmwareStore> firmware_;
  std::optional<MipsLinux> linux_;
  std::vector<Rom> roms_;
};
}  // namespace

std::vector<std::string_view> mips_model_names(std::string_view first) {
  std::vector<std::string_view> names;
  for (const CpuModel& m : cpu_models()) names.push_back(m.name);
  if (const auto at = std::ranges::find(names, first); at != names.end()) std::rotate(names.begin(), at, at + 1);
  return names;
}
std::unique_ptr<BoardCpu> make_mips_cpu(MachineBase& machine, CpuState*& state, const MipsFacts& facts) {
  return std::make_unique<MipsCpu>(machine, state, facts);
}
}  // namespace boards
