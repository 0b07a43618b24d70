#include "boards/cpu_arm.hpp"

#include "boards/boot/arm_linux.hpp"
#include "cpus/arm/debug.hpp"
#include "cpus/arm/front_end.hpp"
#include "cpus/arm/models.hpp"
#include "cpus/arm/semihosting.hpp"

#include "accel/engine.hpp"
#include "core/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <new>
#include <optional>

namespace boards {
namespace {
using namespace core;

class ArmCpu final : public BoardCpu {
 public:
  ArmCpu(MachineBase& machine, arm::CpuState*& shell) : state_(*new (memory_.base()) arm::CpuState), debug_(state_) {
    state_.machine = &machine;
    state_.model = &model_;
    shell = &state_;
    debug_.disassembler = [this](u32 address, u32 word, bool thumb, unsigned& length) {
      return front_.disassemble(address | thumb, {reinterpret_cast<const u8*>(&word), sizeof word}, length);
    };
  }
  accel::VcpuHeader& vcpu() override { return state_; }
  const tcg::FrontEnd& front_end() const override { return front_; }
  DebugTarget& debug() override { return debug_; }
  void on_breakpoint(std::function<void(u32, bool)> changed) override { debug_.on_code_change = std::move(changed); }

  Status configure(const host::Options& options) override {
    const std::string_view name = options.cpu.empty() ? arm::cpu_models()[0].name : std::string_view(options.cpu);
    const arm::CpuModel* model = arm::find_model(name);
    if (!model) return Error{Kind::usage, fmt::format("-cpu: '{}' is not a CPU of this board; see -cpu help", name)};
    model_ = *model;
    TRY(options.cpu_features.only({"vfp"}).context("-cpu"));
    model_.vfp = TRY(options.cpu_features.flag("vfp", model->vfp).context("-cpu"));
    state_.semihosting = options.semihosting;
    arm::semihosting_command_line(fmt::format("{}", fmt::join(semihosting_arguments(options), " ")));
    return {};
  }

  Status load(const host::Options& options, const BoardInfo& board, MachineBase& machine, std::span<const u8> device_tree) override {
    if (options.kernel.empty()) {
      for (const auto& [file, option] : {std::pair{options.initrd, "-initrd"}, std::pair{options.dtb, "-dtb"}, std::pair{options.append, "-append"}})
        if (!file.empty()) return Error{Kind::usage, fmt::format("{}: there is no kernel to give it to; add -kernel FILE", option)};
    } else {
      const RamBlock& ram = machine.ram.front();  // the board page names its main memory first
      const bool tags = options.machine_props.get("dtb") == "off";  // an old kernel that wants a tag list
      linux_ = TRY(ArmLinux::create({options.kernel, options.initrd, options.append, options.dtb},
                                    {.ram_at = raw(ram.at), .ram_size = ram.size, .machine = board.linux_machine, .device_tree = tags ? std::span<const u8>() : device_tree}));
    }
    std::vector<std::pair<std::string, std::string>> roms;
    if (!options.bios.empty()) roms.emplace_back(options.bios, "-bios");
    for (const std::string& p : options.pflash) roms.emplace_back(p, "-pflash");
    for (const auto& [path, option] : roms) TRY(load_rom(machine, path, option));
    if (!linux_ && !roms_.empty()) core::check(machine.add_boot_alias(GuestPhys{roms_.front().at}, GuestPhys{0}));
    return {};
  }

  // Firmware without a kernel starts as on the board: at address 0, where the flash shows until remapped.
  Status reset(MachineBase& machine) override {
    arm::semihosting_close_files();
    front_.reset(state_);
    for (const Rom& r : roms_) std::copy(r.contents.begin(), r.contents.end(), machine.host_memory(GuestPhys{r.at}, r.contents.size()));
    machine.show_boot_alias(true);
    if (!linux_) return {};  // the reset vector, in RAM or flash
    const auto boot = TRY(linux_->place(machine));
    state_.r[0] = boot.r0;
    state_.r[1] = boot.r1;
    state_.r[2] = boot.r2;
    front_.set_pc(state_, boot.pc | boot.thumb);
    return {};
  }

  std::string loaded() const override { return linux_ ? linux_->summary() : std::string(); }

 private:
  struct Rom {
    u64 at;
    Bytes contents;
  };
  // Firmware goes to the first, then the second … rom of the board.
  Status load_rom(MachineBase& machine, const std::string& path, std::string_view option) {
    std::size_t skip = roms_.size();
    for (const RamBlock& b : machine.ram) {
      if (!b.rom || skip--) continue;
      roms_.push_back({raw(b.at), TRY(load_firmware(path, b.size, option))});
      return {};
    }
    return Error{Kind::usage, fmt::format("{}: this board has no flash left for '{}'", option, path)};
  }

  accel::VcpuMemory memory_;
  arm::CpuState& state_;
  arm::CpuModel model_{};  // as `-cpu` has it
  arm::ArmFrontEnd front_;
  arm::ArmDebug debug_;
  std::optional<ArmLinux> linux_;
  std::vector<Rom> roms_;
};
}  // namespace

std::vector<std::string_view> arm_model_names() {
  std::vector<std::string_view> names;
  for (const arm::CpuModel& m : arm::cpu_models()) names.push_back(m.name);
  return names;
}
std::unique_ptr<BoardCpu> make_arm_cpu(MachineBase& machine, arm::CpuState*& state) { return std::make_unique<ArmCpu>(machine, state); }
}  // namespace boards
