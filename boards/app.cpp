#include "boards/app.hpp"

#include "accel/softmmu.hpp"
#include "boards/plugs.hpp"
#include "boards/watchers.hpp"
#include "host/block/drives.hpp"
#include "host/chardev_setup.hpp"
#include "host/loop.hpp"
#include "host/net/nets.hpp"
#include "host/options.hpp"
#include "host/ranges.hpp"

#include "core/entropy.hpp"
#include "core/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <malloc.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace boards {
namespace {
using namespace core;

// SIGINT, SIGTERM and SIGHUP end the machine in order: output is flushed, the terminal put back.
class SignalEnd {
 public:
  SignalEnd(host::Loop& loop, RunControl& run) {
    sigset_t set;
    sigemptyset(&set);
    for (int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    watch_.emplace(loop, fd_, [this, &run] {
      signalfd_siginfo info;
      if (read(fd_, &info, sizeof info) == sizeof info) run.shutdown(0);
    }, nullptr);
    watch_->want_read(true);
  }
  ~SignalEnd() {
    watch_.reset();
    close(fd_);
  }

 private:
  int fd_;
  std::optional<host::FdWatch> watch_;
};

Result<Entropy::Seed> entropy_seed() {
  Entropy::Seed seed;
  if (getrandom(seed.data(), seed.size(), 0) == ssize_t(seed.size())) return seed;
  return Error{Kind::io, "the host gives no random bytes for the guest's (getrandom)"};
}

// A layer's bit in the options is its bit in the engine's.
std::vector<host::LayerFacts> translator_layers() {
  std::vector<host::LayerFacts> layers;
  for (const accel::LayerText& l : accel::layer_list()) layers.push_back({l.name, l.help});
  return layers;
}

class Program {
 public:
  Program(App& app, std::string program) : app_(app), name_(std::move(program)) {
    for (auto& bus : app.plug_buses) plugs_.add_bus(std::move(bus));
  }

  Result<int> run(std::span<const char* const> arguments) {
    const host::BoardFacts facts{.program = name_, .machines = {app_.info.machines.begin(), app_.info.machines.end()},
                                 .title = app_.info.title, .cpus = app_.cpu_models, .ram_default = app_.info.ram_default,
                                 .ram_max = app_.info.ram_max, .cpus_max = 1, .version = PINSTRAP_VERSION, .block_interfaces = block_places(),
                                 .devices = app_.plug_kinds, .nics = all_cards(), .layers = translator_layers(), .vga = app_.info.vga};
    options_ = TRY(host::parse_options(arguments, facts));
    if (options_.show) return host::print(*options_.show);
    if (options_.map) return host::print(app_.info.map);
    if (options_.explain) return host::print(app_.info.wiring);
    TRY(host::refuse_unbuilt(options_, facts));
    TRY(host::apply_log(options_));
    drives_ = TRY(host::block::Drives::create(options_, facts, app_.machine, [this](const std::string& text) { host::warn(name_, text); }));
    TRY(make_machine());
    return run_machine();
  }

 private:
  Status make_machine() {
    MachineBase& m = app_.machine;
    std::string error;
    if (!app_.create_memory(m, options_.ram, error)) return Error{Kind::usage, error};
    m.clock = &clock_;
    m.entropy = [entropy = Entropy(TRY(entropy_seed()))](std::span<u8> out) mutable { entropy.fill(out); };
    TRY(app_.cpu->configure(options_));
    TRY(app_.cpu->load(options_, app_.info, m, app_.device_tree));
    engine_ = TRY(accel::Engine::create(app_.cpu->vcpu(), app_.cpu->front_end(), app_.port, TRY(engine_options())));
    m.memory_written = [](void* c, GuestPhys at, u64 size) { accel::code_written(*static_cast<accel::VcpuHeader*>(c), at, size); };
    m.rom_mapping_changed = [](void* c, GuestPhys at, u64 size) { accel::rom_mapping_changed(*static_cast<accel::VcpuHeader*>(c), at, size); };
    m.devices_moved = [](void* c) { accel::forget_devices(*static_cast<accel::VcpuHeader*>(c)); };
    m.engine_context = &app_.cpu->vcpu();
    app_.cpu->on_breakpoint([this](u32 address, bool on) { engine_->set_breakpoint(address, on); });
    return {};
  }

  // Network cards by -nic's names.
  std::vector<std::string_view> soldered_cards() const { return {app_.info.nics.begin(), app_.info.nics.end()}; }
  std::vector<std::string_view> pluggable_cards() const {
    std::vector<std::string_view> models;
    for (const PlugKind* k : app_.plug_kinds) {
      if (k->netdev == PlugNeed::none) continue;
      models.push_back(k->name);
      if (k->name == "virtio-net-pci") models.push_back("virtio");
    }
    return models;
  }
  std::vector<std::string_view> all_cards() const {
    std::vector<std::string_view> models = soldered_cards();
    for (std::string_view m : pluggable_cards())
      if (std::find(models.begin(), models.end(), m) == models.end()) models.push_back(m);
    return models;
  }

  Result<accel::EngineOptions> engine_options() {
    accel::EngineOptions e;
    // The first that can run this guest; refuse_unbuilt() saw to it that there is one.
    for (const host::Accel& a : options_.accels) {
      if (a.kind == host::AccelKind::kvm) continue;
      e.interpret = a.kind == host::AccelKind::interp;
      if (a.tb_size) e.buffer_mib = std::max<u64>(1, a.tb_size / MiB);
      if (a.one_insn_per_tb) e.block_limit = 1;
      if (a.region_after) e.region_after = *a.region_after;
      e.layers.bits = a.layers;
      TRY(watchers_.create(a, options_.kernel, *app_.cpu).context("-accel"));
      e.listeners = watchers_.listeners();
      break;
    }
    if (!options_.log_filter.empty()) e.filter = TRY(host::parse_ranges(options_.log_filter).context("-dfilter"));
    return e;
  }

  // Calls the board needs, with the CPU's reset around the devices'.
  static void reset(void* self) {
    auto& p = *static_cast<Program*>(self);
    p.app_.reset_devices(p.app_.machine);
    if (const Status done = p.app_.cpu->reset(p.app_.machine); !done)
      p.app_.machine.request_shutdown_with(host::report(p.name_, done.error()));
    p.engine_->flush_code();
  }
  static void expire(void* self, unsigned timer) {
    const App& a = static_cast<Program*>(self)->app_;
    a.calls.expire(a.calls.board, timer);
  }
  static void service(void* self) {
    const App& a = static_cast<Program*>(self)->app_;
    a.calls.service(a.calls.board);
  }

  Result<int> run_machine() {
    host::Loop loop;
    auto nets = TRY(host::Nets::create(options_, {soldered_cards(), pluggable_cards()}, app_.machine, loop));
    nets_ = nets.get();
    for (auto& bus : app_.fit_devices(app_.machine, options_.wants_graphics())) plugs_.add_bus(std::move(bus));
    for (const host::Nets::Card& c : nets->to_plug()) TRY(plugs_.add_card(c.model, *c.port));
    TRY(plug_devices(options_, plugs_, app_.machine));
    nets->warn_of_loose_ends();
    accel::RunLoop run(app_.machine, app_.cpu->vcpu(), *engine_, app_.cpu->front_end(), {this, expire, reset, service});
    run.start_stopped = options_.stopped;
    run.no_reboot = options_.no_reboot;
    host::FdWatch alarm(loop, run.alarm_fd(), [&] { run.alarm(); }, nullptr);
    alarm.want_read(true);
    SignalEnd signals(loop, run);
    auto consoles = TRY(host::Consoles::create(options_, loop, run, app_.cpu->debug(), app_.machine.serial, monitor_context(run, *nets), [&] { run.kick(); }));
    for (auto& p : app_.machine.plugged_serial) TRY(consoles->connect(p.chardev, p.port));
    if (!options_.pidfile.empty() && !(std::ofstream(options_.pidfile) << getpid() << std::endl))
      return Error{Kind::io, fmt::format("-pidfile: cannot write '{}'; name a file in a folder that exists", options_.pidfile)};
    app_.machine.completions.on_post([&run] { run.kick(); });
    run.kick();  // for what was posted so far
    drives_->attach(run);
    TRY(watchers_.start());
    loop.start();
    prctl(PR_SET_NAME, "CPU 0/TCG");
    const int status = run.run();
    const auto watched = watchers_.finish(run.asleep_ns());
    loop.stop();
    loop.join();
    app_.machine.completions.on_post(nullptr);
    const auto written = drives_->flush_all();
    consoles->finish();
    if (!options_.pidfile.empty()) unlink(options_.pidfile.c_str());
    if (log_on(Log::stats)) log_text(engine_->stats_text());
    log_flush();
    if (!written) return written.error();
    if (!watched) return watched.error();
    return status;
  }

  // Where drives go: to the page's devices, and to those that -device makes on a board that takes them.
  std::vector<host::BlockPlaces> block_places() const {
    std::vector<host::BlockPlaces> places;
    for (const DriveFacts& d : app_.info.drives) places.push_back({d.interface, d.buses, d.units, d.on_demand});
    if (app_.plug_kinds.empty()) return places;
    places.push_back({.interface = BlockInterface::none});
    places.push_back({.interface = BlockInterface::virtio, .units = 32});
    return places;
  }

  host::MonitorContext monitor_context(RunControl& run, host::Nets& nets) {
    host::MonitorContext c;
    c.run = &run;
    c.target = &app_.cpu->debug();
    c.machine = &app_.machine;
    c.drives = drives_.get();
    c.nets = &nets;
    c.devices = app_.devices;
    c.board_map = app_.info.map;
    c.wiring = app_.info.wiring;
    c.board = app_.info.name;
    c.machine_name = app_.info.machines.front();
    c.version = PINSTRAP_VERSION;
    if (!app_.plug_kinds.empty()) {
      c.pci = [this] { return plugs_.info_pci(); };
      c.buses = [this] { return plugs_.tree(); };
    }
    c.jit = [this] { return engine_->stats_text(); };
    c.roms = [this] { return app_.cpu->loaded(); };
    return c;
  }

  App& app_;
  std::string name_;
  host::Nets* nets_ = nullptr;  // while the machine runs
  Plugs plugs_{{app_.machine, app_.plug_kinds, [this](std::string_view netdev, std::string_view model, std::string_view id, std::optional<MacAddress> mac) { return nets_->plug(netdev, model, id, mac); }}};
  host::Options options_;
  HostClock clock_;
  std::unique_ptr<host::block::Drives> drives_;
  Watchers watchers_;  // outlive the engine
  std::unique_ptr<accel::Engine> engine_;
};
}  // namespace

int run(App& app, int argc, const char* const* argv) {
#ifdef __GLIBC__
  // Fixed, so that the memory of kernels and images goes back once they are loaded (mallopt(3): else the threshold grows).
  mallopt(M_MMAP_THRESHOLD, 256 * KiB);
#endif
  const std::string name = fmt::format("pinstrap-{}", app.info.name);
  Program program(app, name);
  const auto status = program.run({argv + 1, std::size_t(argc - 1)});
  return status ? *status : host::report(name, status.error());
}
}  // namespace boards
