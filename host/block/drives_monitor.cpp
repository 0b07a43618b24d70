// What the monitor does with drives.

#include "host/block/drives.hpp"

#include "host/chardev_fd.hpp"

#include <fmt/format.h>

namespace host::block {
using core::BlockPort, core::Error, core::Kind, core::Result, core::Status;

Result<Drives::Drive*> Drives::find(std::string_view id) {
  std::vector<std::string_view> names;
  for (Drive& d : drives_) {
    if (d.port->id == id || (!d.node.empty() && d.node == id)) return &d;
    names.push_back(d.port->id);
  }
  return Error{Kind::usage, fmt::format("there is no drive '{}'{}", id, did_you_mean(id, names))};
}

void Drives::on_guest(const std::function<void()>& work) {
  if (run_) run_->call(work);
  else work();
}

Status Drives::check_removable(const Drive& d, bool force) {
  if (!d.port->removable) return Error{Kind::usage, fmt::format("device '{}' is not removable", d.port->id)};
  bool held = false;
  on_guest([&] { held = d.port->locked && !d.port->tray_open; });
  if (held && !force)
    return Error{Kind::usage,
                 fmt::format("device '{}' is locked by the guest; let it unmount the medium, or say eject -f {}",
                             d.port->id, d.port->id)};
  return {};
}

Status Drives::eject(std::string_view id, bool force) {
  Drive& d = *TRY(find(id));
  TRY(check_removable(d, force));
  const auto old = d.backend;
  on_guest([&] { put(d, nullptr, true); });
  drain();
  if (old && !d.spec.read_only && old->flush_now())
    return Error{Kind::io, fmt::format("device '{}': '{}' could not be written to the end", d.port->id, d.spec.file)};
  return {};
}

Status Drives::change(std::string_view id, const std::string& file, std::string_view format, ReadOnlyMode mode) {
  Drive& d = *TRY(find(id));
  TRY(check_removable(d, false));
  DriveSpec next = d.spec;
  next.file = file;
  next.format = format;
  next.node_name.clear();
  if (mode != ReadOnlyMode::retain) next.read_only = mode == ReadOnlyMode::read_only;
  if (d.spec.cdrom && !next.read_only)
    return Error{Kind::usage, fmt::format("device '{}' is a CD drive; a disc is read-only", d.port->id)};
  // A file that is put in again must not be locked by the medium that it replaces.
  if (d.backend && file == d.spec.file) TRY(eject(id, false));
  auto backend = TRY(open(next));
  const auto old = d.backend;
  const bool wrote = !d.spec.read_only;
  on_guest([&] {
    d.spec = next;
    put(d, std::move(backend), false);
  });
  drain();
  if (old && wrote && old->flush_now())
    return Error{Kind::io, fmt::format("device '{}': the old medium could not be written to the end", d.port->id)};
  return {};
}

Status Drives::resize(std::string_view id, u64 bytes) {
  Drive& d = *TRY(find(id));
  if (!d.backend) return Error{Kind::usage, fmt::format("device '{}' has no medium", d.port->id)};
  if (d.spec.read_only) return Error{Kind::usage, fmt::format("device '{}' is read-only", d.port->id)};
  if (bytes == 0 || bytes > u64(1) << 62)
    return Error{Kind::usage, fmt::format("{} bytes is no size for a disk", bytes)};
  bytes = (bytes + sector - 1) / sector * sector;
  int error = 0;
  // No request of the guest is under way meanwhile.
  on_guest([&] {
    drain();
    error = d.backend->image().resize(bytes);
    d.port->size = d.backend->image().size();
    if (!error && d.port->medium_changed) d.port->medium_changed();
  });
  if (error)
    return Error{Kind::io,
                 fmt::format("device '{}': cannot resize '{}': {}", d.port->id, d.spec.file, system_error(error))};
  return {};
}

std::string Drives::text(const Drive& d, bool verbose) const {
  const BlockPort& p = *d.port;
  std::string out = d.node.empty() ? fmt::format("{}: [not inserted]\n", p.id)
                                   : fmt::format("{} ({}): {} ({}{})\n", p.id, d.node, d.spec.file,
                                                 d.spec.format.empty() ? "raw" : d.spec.format,
                                                 d.spec.read_only ? ", read-only" : "");
  if (p.interface != core::BlockInterface::none)
    out += fmt::format("    Attached to:      {} bus {} unit {}\n", interface_name(p.interface), p.bus, p.unit);
  if (p.removable)
    out += fmt::format("    Removable device: {}locked, tray {}\n", p.locked ? "" : "not ",
                       p.tray_open ? "open" : "closed");
  if (d.node.empty()) return out;
  const Policy& c = d.spec.policy;
  out += fmt::format("    Cache mode:       {}{}{}\n", c.write_cache ? "writeback" : "writethrough",
                     d.spec.direct ? ", direct" : "", c.no_flush ? ", ignore flushes" : "");
  if (c.detect_zeroes != DetectZeroes::off)
    out += fmt::format("    Detect zeroes:    {}\n", c.detect_zeroes == DetectZeroes::on ? "on" : "unmap");
  if (d.spec.snapshot) out += "    Snapshot:         changes are kept in a temporary file\n";
  if (verbose)
    out += fmt::format("\nImages:\nimage: {}\nfile format: {}\nvirtual size: {} bytes\n", d.spec.file,
                       d.spec.format.empty() ? "raw" : d.spec.format, p.size);
  return out;
}

Result<std::string> Drives::info(std::string_view id, bool verbose) const {
  std::string out;
  bool found = id.empty();
  for (const Drive& d : drives_) {
    if (!id.empty() && d.port->id != id && d.node != id) continue;
    found = true;
    if (!out.empty()) out += '\n';
    out += text(d, verbose);
  }
  if (!found) return Error{Kind::usage, fmt::format("there is no drive '{}'", id)};
  return out;
}

std::string Drives::statistics() const {
  std::string out;
  for (const Drive& d : drives_) {
    static const Statistics none;
    const Statistics& s = d.backend ? d.backend->statistics : none;
    out +=
        fmt::format("{}: rd_bytes={} wr_bytes={} rd_operations={} wr_operations={} flush_operations={}\n", d.port->id,
                    s.read_bytes.load(), s.written_bytes.load(), s.reads.load(), s.writes.load(), s.flushes.load());
  }
  return out;
}

std::vector<std::string> Drives::names() const {
  std::vector<std::string> out;
  for (const Drive& d : drives_) out.push_back(d.port->id);
  return out;
}
}  // namespace host::block
