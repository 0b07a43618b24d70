#include "host/block/drives.hpp"

#include "host/block/overlay.hpp"
#include "host/chardev_fd.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace host::block {
using core::BlockError, core::BlockInterface, core::BlockPort, core::Error, core::Kind, core::Result, core::Status;

namespace {
const BlockPlaces* places_of(const BoardFacts& facts, BlockInterface i) {
  for (const BlockPlaces& p : facts.block_interfaces)
    if (p.interface == i) return &p;
  return nullptr;
}

// QEMU's names: ide0-hd1, scsi0-cd2, floppy0.
std::string default_id(const DriveSpec& d, const BlockPlaces& places) {
  const char* media = d.cdrom ? "cd" : "hd";
  const std::string_view name = interface_name(d.interface);
  if (d.interface == BlockInterface::ide || d.interface == BlockInterface::scsi)
    return fmt::format("{}{}-{}{}", name, *d.bus, media, *d.unit);
  return fmt::format("{}{}", name, *d.bus * places.units + *d.unit);
}
}  // namespace

Result<std::unique_ptr<Drives>> Drives::create(const Options& options, const BoardFacts& facts,
                                               core::MachineBase& machine,
                                               std::function<void(const std::string&)> warn) {
  std::unique_ptr<Drives> drives(new Drives(machine, std::move(warn)));
  for (DriveSpec& d : TRY(read_drives(options))) {
    const std::string option = d.option;
    TRY(drives->place(d, facts).context(option));
    TRY(drives->add(std::move(d)).context(option));
  }
  TRY(drives->add_defaults(options, facts));
  return drives;
}

Drives::~Drives() {
  drain();
  for (Drive& d : drives_) d.port->backend = nullptr;
}

// Finds out interface, bus, unit and name; a place that is taken or not there is the user's error.
Status Drives::place(DriveSpec& d, const BoardFacts& facts) const {
  if (!d.interface_given && !facts.block_interfaces.empty()) d.interface = facts.block_interfaces.front().interface;
  const BlockPlaces* places = places_of(facts, d.interface);
  if (!places) {
    std::string list;
    for (const BlockPlaces& p : facts.block_interfaces)
      list += fmt::format("{}{}", list.empty() ? "" : ", ", interface_name(p.interface));
    if (list.empty()) return Error{Kind::unsupported, fmt::format("{} has nothing that takes a drive", facts.program)};
    return Error{Kind::unsupported, fmt::format("if={}: {} has no such interface; it has {}",
                                                interface_name(d.interface), facts.program, list)};
  }
  if (d.interface == BlockInterface::none) {
    const auto taken = [&](const std::string& id) {
      return std::any_of(drives_.begin(), drives_.end(), [&](const Drive& o) { return o.port->id == id; });
    };
    for (unsigned n = 0; d.id.empty(); ++n)
      if (const std::string id = fmt::format("none{}", n); !taken(id)) d.id = id;
    return {};
  }
  const auto user = [&](unsigned bus, unsigned unit) { return machine_.drive(d.interface, bus, unit); };
  if (d.index) d.bus = *d.index / places->units, d.unit = *d.index % places->units;
  if (!d.bus && !d.unit) {
    unsigned n = 0;
    while (user(n / places->units, n % places->units)) ++n;
    d.bus = n / places->units, d.unit = n % places->units;
  }
  d.bus = d.bus.value_or(0);
  if (!d.unit) {
    unsigned n = 0;
    while (user(*d.bus, n)) ++n;
    d.unit = n;
  }
  const std::string where = fmt::format("{} bus {} unit {}", interface_name(d.interface), *d.bus, *d.unit);
  if (*d.bus >= places->buses || *d.unit >= places->units)
    return Error{Kind::usage,
                 fmt::format("there is no {}: {} has {} {} place{}, index=0 to {}", where, facts.program,
                             places->buses * places->units, interface_name(d.interface),
                             places->buses * places->units == 1 ? "" : "s", places->buses * places->units - 1)};
  if (const BlockPort* other = user(*d.bus, *d.unit))
    return Error{Kind::usage, fmt::format("{} (index={}) is taken by drive '{}'; give this one another index=", where,
                                          *d.bus * places->units + *d.unit, other->id)};
  if (d.id.empty()) d.id = default_id(d, *places);
  return {};
}

Status Drives::add(DriveSpec d) {
  for (const Drive& o : drives_)
    if (o.port->id == d.id)
      return Error{Kind::usage, fmt::format("there are two drives '{}'; give each its own id=", d.id)};
  d.read_only |= d.cdrom;
  if (d.file.empty() && !d.cdrom && d.interface != BlockInterface::floppy && d.interface != BlockInterface::sd)
    return Error{Kind::usage,
                 fmt::format("drive '{}' has no file=; only a CD, floppy or card drive can be empty", d.id)};
  if (d.interface == BlockInterface::ide && !d.cdrom && d.read_only)
    return Error{
        Kind::usage,
        fmt::format(
            "drive '{}': an IDE disk cannot be read-only; use snapshot=on to leave the file as it is, or media=cdrom",
            d.id)};
  if (d.io_uring && !ring_) ring_ = TRY(Ring::create());
  BlockPort& port = machine_.drives.emplace_back();
  drives_.push_back({d, &port, nullptr, {}});
  Drive& drive = drives_.back();
  port.id = d.id;
  port.interface = d.interface;
  port.bus = d.bus.value_or(0), port.unit = d.unit.value_or(0);
  port.is_cdrom = d.cdrom;
  port.removable = d.cdrom || d.interface == BlockInterface::floppy || d.interface == BlockInterface::sd;
  port.serial = d.serial;
  port.write_cache = d.policy.write_cache;
  if (!d.file.empty()) put(drive, TRY(open(d)), false);
  return {};
}

Status Drives::add_defaults(const Options& options, const BoardFacts& facts) {
  if (options.nodefaults) return {};
  DriveSpec cd, floppy;
  cd.cdrom = true;
  if (!facts.block_interfaces.empty() && !facts.block_interfaces.front().on_demand)
    cd.interface = facts.block_interfaces.front().interface;
  cd.index = 2;
  floppy.interface = BlockInterface::floppy;
  floppy.index = 0;
  for (DriveSpec* d : {&cd, &floppy}) {
    d->interface_given = true;
    if (d == &cd && d->interface != BlockInterface::ide && d->interface != BlockInterface::scsi) continue;
    if (d->interface == BlockInterface::none || !place(*d, facts)) continue;  // the place is taken, or there is none
    TRY(add(*d));
  }
  return {};
}

Result<std::shared_ptr<Backend>> Drives::open(const DriveSpec& d) {
  const bool base_read_only = d.read_only || d.snapshot;
  ImageContext c{TRY(HostFile::open(d.file, {base_read_only, d.direct, d.locking, d.io_uring ? ring_.get() : nullptr})),
                 d.file, base_read_only, false};
  std::string warning;
  auto image = TRY(open_image(c, d.format, warning));
  if (!warning.empty()) warn_(fmt::format("{}: {}", d.id, warning));
  if (d.snapshot && !d.read_only) image = std::make_shared<Overlay>(image, TRY(HostFile::temporary(image->size())));
  return std::make_shared<Backend>(std::move(image), d.policy, workers_, machine_.completions);
}

// Puts a medium in, or takes it out (null).  Thread: vCPU.
void Drives::put(Drive& d, std::shared_ptr<Backend> backend, bool tray_open) {
  const auto old = std::exchange(d.backend, std::move(backend));
  d.port->backend = d.backend.get();
  d.port->size = d.backend ? d.backend->image().size() : 0;
  d.port->read_only = d.spec.read_only;
  d.port->tray_open = tray_open;
  if (!d.backend) d.node.clear();
  else d.node = d.spec.node_name.empty() ? fmt::format("#block{}", nodes_++) : d.spec.node_name;
  watch(d);
  if (old) old->give_up();
  if (d.port->medium_changed) d.port->medium_changed();
}

void Drives::watch(Drive& d) {
  if (!d.backend || !run_) return;
  d.backend->on_stop = [this, &d](BlockError error) {
    warn_(fmt::format("{}: {} on '{}'; the guest is stopped, 'cont' in the monitor tries again", d.port->id,
                      error == BlockError::no_space ? "no space is left" : "input or output error", d.spec.file));
    run_->stop();
  };
}

void Drives::attach(core::RunControl& run) {
  run_ = &run;
  for (Drive& d : drives_) watch(d);
  run.on_resume([this] {
    for (Drive& d : drives_)
      if (d.backend) d.backend->retry();
  });
}

void Drives::drain() {
  if (ring_) ring_->drain();
  workers_.drain();
}

Status Drives::flush_all() {
  drain();
  Status first;
  for (Drive& d : drives_) {
    if (!d.backend || d.spec.read_only) continue;
    const int error = d.backend->flush_now();
    if (error && first)
      first = Error{Kind::io,
                    fmt::format("drive '{}': cannot write '{}': {}", d.port->id, d.spec.file, system_error(error))};
  }
  return first;
}
}  // namespace host::block
