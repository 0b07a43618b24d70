#include "host/chardev_setup.hpp"

#include <fmt/format.h>

namespace host {
using core::Error, core::Kind, core::Status;

ConsolePlan plan_consoles(const Options& o) {
  ConsolePlan plan{o.serial, o.monitor};
  if (o.nodefaults) return plan;
  const bool terminal = o.nographic || (o.display == DisplayKind::unset && o.vnc.empty());
  bool terminal_taken = o.gdb == "stdio";
  for (const auto* list : {&o.serial, &o.monitor, &o.chardev})
    for (const std::string& s : *list) terminal_taken = terminal_taken || s.find("stdio") != s.npos;
  if (terminal && !terminal_taken) {
    if (o.serial.empty() && o.monitor.empty())
      plan.serial = {"mon:stdio"};
    else if (o.serial.empty())
      plan.serial = {"stdio"};
    else if (o.monitor.empty())
      plan.monitor = {"stdio"};
  }
  return plan;
}

Consoles::Consoles(Loop& loop, core::RunControl& run, core::DebugTarget& target, MonitorContext context,
                   std::function<void()> notify)
    : loop_(loop), run_(run), target_(target), notify_(std::move(notify)), monitor_(std::move(context)) {
  if (!monitor_.context().gdbserver) monitor_.context().gdbserver = [this](std::string_view d) { return start_gdb(d); };
}

Consoles::~Consoles() {
  gdb_.reset();
  sessions_.clear();
  links_.clear();
  muxes_.clear();
}

core::Result<std::unique_ptr<Consoles>> Consoles::create(const Options& options, Loop& loop, core::RunControl& run,
                                                         core::DebugTarget& target, std::span<core::CharPort> serial,
                                                         MonitorContext monitor, std::function<void()> notify) {
  std::unique_ptr<Consoles> c(new Consoles(loop, run, target, std::move(monitor), std::move(notify)));
  TRY(c->load_specs(options));
  const ConsolePlan plan = plan_consoles(options);
  if (plan.serial.size() > serial.size())
    return Error{Kind::usage, fmt::format("-serial: this board has {} serial ports, '{}' is one too many",
                                          serial.size(), plan.serial[serial.size()])};
  for (std::size_t i = 0; i < plan.serial.size(); ++i)
    TRY(c->add_serial(plan.serial[i], fmt::format("serial{}", i), serial[i]));
  for (std::size_t i = 0; i < plan.monitor.size(); ++i)
    TRY(c->add_monitor(plan.monitor[i], fmt::format("monitor{}", i)));
  if (!options.gdb.empty()) TRY(c->add_gdb(options.gdb));
  for (SharedMux& m : c->muxes_) m.mux->start();
  return c;
}

Status Consoles::load_specs(const Options& options) {
  for (const std::string& text : options.chardev) {
    ChardevSpec spec = TRY(parse_chardev_option(text));
    for (const ChardevSpec& n : named_)
      if (n.id == spec.id) return Error{Kind::usage, fmt::format("-chardev: id={} is given twice", spec.id)};
    named_.push_back(std::move(spec));
  }
  return {};
}

core::Result<ChardevSpec> Consoles::resolve(std::string_view text) const {
  ChardevSpec spec = TRY(parse_serial_spec(text));
  if (spec.kind != ChardevSpec::Kind::reference) return spec;
  for (const ChardevSpec& n : named_)
    if (n.id == spec.id) return n;
  return Error{Kind::usage, fmt::format("'{}': there is no -chardev with id={}", text, spec.id)};
}

namespace {
// Channels of the same -chardev, or of the same `mon:` text, share a stream.
const std::string& share_key(const ChardevSpec& spec) { return spec.id.empty() ? spec.text : spec.id; }
}  // namespace

bool Consoles::is_shared(const ChardevSpec& spec) const {
  for (const SharedMux& m : muxes_)
    if (spec.mux && m.key == share_key(spec)) return true;
  return false;
}

// A stream of its own, or one more channel of a shared one.
core::Result<Chardev*> Consoles::open(const ChardevSpec& spec, std::string_view label) {
  if (spec.mux)
    for (SharedMux& m : muxes_)
      if (m.key == share_key(spec)) return &m.mux->add_channel();
  auto stream = TRY(open_chardev(loop_, spec, label));
  if (!spec.mux) {
    streams_.push_back(std::move(stream));
    return streams_.back().get();
  }
  muxes_.push_back({share_key(spec), std::make_unique<Mux>(std::move(stream), [this] { run_.shutdown(0); })});
  return &muxes_.back().mux->add_channel();
}

Status Consoles::add_serial(std::string_view text, std::string_view label, core::CharPort& port) {
  const ChardevSpec spec = TRY(resolve(text));
  if (spec.kind == ChardevSpec::Kind::none) return {};
  const bool shared = is_shared(spec);
  Chardev* stream = TRY(open(spec, label));
  links_.push_back(std::make_unique<SerialLink>(loop_, *stream, port, notify_));
  // `mon:` brings a monitor of its own, reached by Ctrl-A c.
  if (spec.mux && spec.id.empty() && !shared) {
    Chardev* second = TRY(open(spec, label));
    sessions_.push_back(std::make_unique<MonitorSession>(*second, monitor_, true));
  }
  return {};
}

Status Consoles::add_monitor(std::string_view text, std::string_view label) {
  const ChardevSpec spec = TRY(resolve(text));
  if (spec.kind == ChardevSpec::Kind::none || spec.kind == ChardevSpec::Kind::null) return {};
  const bool shared = is_shared(spec);
  Chardev* stream = TRY(open(spec, label));
  sessions_.push_back(std::make_unique<MonitorSession>(*stream, monitor_, shared));
  return {};
}

Status Consoles::add_gdb(std::string_view text) {
  const ChardevSpec spec = TRY(parse_gdb_spec(text));
  auto stream = TRY(open_chardev(loop_, spec, "gdb"));
  gdb_.reset();
  gdb_ = std::make_unique<GdbServer>(loop_, std::move(stream), run_, target_,
                                     [this](std::string_view line) { return monitor_.execute(line); });
  return {};
}

// From the monitor; the server that runs the command may be the one that goes, so the change waits.
std::string Consoles::start_gdb(std::string_view device) {
  if (device == "none") {
    loop_.post([this] { gdb_.reset(); });
    return "no gdb server any more\n";
  }
  if (auto spec = parse_gdb_spec(device); !spec) return spec.error().text + "\n";
  if (gdb_) return "there is a gdb server already; 'gdbserver none' ends it\n";
  if (auto done = add_gdb(device); !done) return done.error().text + "\n";
  return fmt::format("waiting for gdb on device '{}'\n", device);
}

void Consoles::finish() {
  for (auto& l : links_) l->finish();
  for (auto& s : sessions_) s->writable();
}
}  // namespace host
