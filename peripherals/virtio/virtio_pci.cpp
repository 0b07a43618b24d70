#include "peripherals/virtio/virtio_pci.hpp"

#include "core/log.hpp"

#include <bit>

namespace peripherals::virtio {
namespace {
constexpr u16 vendor = 0x1af4, modern_id = 0x1040, modern_subsystem = 0x1100;
constexpr unsigned legacy_bar = 0, msix_bar = 1, modern_bar = 4;
constexpr u32 structure_size = 0x1000, common_at = 0, isr_at = 0x1000, device_at = 0x2000, notify_at = 0x3000;
constexpr u32 notify_multiplier = 4;
constexpr u32 legacy_vectors = 0x14, legacy_config = 0x18;  // the latter with MSI-X; without, at legacy_vectors
constexpr u8 isr_queue = 1, isr_config = 2;
// Types and fields of the vendor capability (§4.1.4).
constexpr u8 vendor_capability = 0x09, type_common = 1, type_notify = 2, type_isr = 3, type_device = 4, type_pci = 5;
constexpr u32 cap_length = 2, cap_type = 3, cap_bar = 4, cap_offset = 8, cap_size = 12, cap_extra = 16;

pci::Identity identity_of(const Facts& facts, const PciOptions& o) {
  pci::Identity i{.vendor = vendor,
                  .device = o.legacy ? facts.transitional_id : u16(modern_id + facts.type),
                  .revision = u8(o.legacy ? 0 : 1),
                  .class_code = facts.pci_class,
                  .subsystem_vendor = vendor,
                  .subsystem = o.legacy ? facts.type : modern_subsystem,
                  .interrupt_pin = 1,
                  .status = 0};
  const u32 registers = o.vectors ? legacy_config : legacy_vectors;
  if (o.legacy) i.bars[legacy_bar] = {pci::BarKind::io, std::bit_ceil(registers + facts.config_size)};
  if (o.vectors) i.bars[msix_bar] = {pci::BarKind::memory, 4096};
  if (o.modern) i.bars[modern_bar] = {pci::BarKind::prefetchable64, 4 * structure_size};
  return i;
}
u32 half(u64 v, u32 which) { return u32(v >> 32 * which); }
void put_half(u64& v, u32 which, u32 bits) { v = (v & ~(u64(~u32(0)) << 32 * which)) | u64(bits) << 32 * which; }
}  // namespace

void RegisterWires::stray(u32 off) const { log_guest(name, "no virtio register for this access at offset", off); }

// The modern registers.  Those of a queue that does not exist read as zero: its size says that it is not there.
Queue* Common::queue() const { return pci->device().queue(r.selected.v); }
// A queue in use keeps its place until reset (§4.1.4.3.2).
Queue* Common::writable_queue() const {
  Queue* q = queue();
  if (q && !q->x.enabled) return q;
  log_guest(wires.name, "write to a queue that is enabled or does not exist", r.selected.v);
  return nullptr;
}
u32 Common::on_read(At<device_feature>) const {
  return r.device_select.v < 2 ? half(pci->device().offered(), r.device_select.v) : 0;
}
u32 Common::on_read(At<driver_feature>) const {
  return r.driver_select.v < 2 ? half(pci->device().driver_features(), r.driver_select.v) : 0;
}
void Common::on_write(At<driver_feature>, u32 v) {
  if (r.driver_select.v < 2) pci->device().accept(r.driver_select.v == 1, v);
}
u16 Common::on_read(At<msix_config>) const { return pci->device().x.config_vector; }
void Common::on_write(At<msix_config>, u16 v) { pci->device().x.config_vector = pci->vector(v); }
u16 Common::on_read(At<num_queues>) const { return u16(pci->device().queue_count()); }
u8 Common::on_read(At<device_status>) const { return pci->device().status(); }
void Common::on_write(At<device_status>, u8 v) { pci->write_status(v, true); }
u8 Common::on_read(At<config_generation>) const { return pci->device().config_generation(); }
u16 Common::on_read(At<queue_size>) const { return queue() ? queue()->x.size : 0; }
void Common::on_write(At<queue_size>, u16 v) {
  Queue* q = writable_queue();
  if (!q) return;
  if (std::has_single_bit(v) && v <= q->max_size()) q->x.size = v;
  else log_guest(wires.name, "a queue cannot have this size", v);
}
u16 Common::on_read(At<queue_msix_vector>) const { return queue() ? queue()->x.vector : no_vector; }
void Common::on_write(At<queue_msix_vector>, u16 v) {
  if (Queue* q = queue()) q->x.vector = pci->vector(v);
}
u16 Common::on_read(At<queue_enable>) const { return queue() && queue()->x.enabled; }
void Common::on_write(At<queue_enable>, u16 v) {
  // Only 1 may be written; disabling takes a reset (§4.1.4.3.2).
  if (v != 1) return log_guest(wires.name, "queue_enable takes only 1", v);
  if (Queue* q = writable_queue()) q->x.enabled = true;
}
u16 Common::on_read(At<queue_notify_off>) const { return queue() ? r.selected.v : 0; }
u32 Common::on_read(At<queue_desc>, u32 h) const { return queue() ? half(queue()->x.descriptors, h) : 0; }
void Common::on_write(At<queue_desc>, u32 h, u32 v) {
  if (Queue* q = writable_queue()) put_half(q->x.descriptors, h, v);
}
u32 Common::on_read(At<queue_driver>, u32 h) const { return queue() ? half(queue()->x.available, h) : 0; }
void Common::on_write(At<queue_driver>, u32 h, u32 v) {
  if (Queue* q = writable_queue()) put_half(q->x.available, h, v);
}
u32 Common::on_read(At<queue_device>, u32 h) const { return queue() ? half(queue()->x.used, h) : 0; }
void Common::on_write(At<queue_device>, u32 h, u32 v) {
  if (Queue* q = writable_queue()) put_half(q->x.used, h, v);
}

// The legacy registers.
Queue* Legacy::queue() const { return pci->device().queue(r.selected.v); }
u32 Legacy::on_read(At<legacy_device_features>) const { return u32(pci->device().offered()); }
u32 Legacy::on_read(At<legacy_driver_features>) const { return u32(pci->device().driver_features()); }
void Legacy::on_write(At<legacy_driver_features>, u32 v) { pci->device().accept(false, v); }
u32 Legacy::on_read(At<queue_address>) const {
  return queue() && queue()->x.enabled ? u32(queue()->x.descriptors / legacy_page) : 0;
}
void Legacy::on_write(At<queue_address>, u32 v) {
  if (Queue* q = queue()) q->set_legacy_page(v);
}
u16 Legacy::on_read(At<legacy_queue_size>) const { return queue() ? queue()->max_size() : 0; }
void Legacy::on_write(At<queue_notify>, u16 v) { pci->device().notify(v); }
u8 Legacy::on_read(At<legacy_status>) const { return pci->device().status(); }
void Legacy::on_write(At<legacy_status>, u8 v) { pci->write_status(v, false); }
u8 Legacy::on_read(At<isr_status>) const { return pci->take_isr(); }
u16 Legacy::on_read(At<config_msix_vector>) const { return pci->device().x.config_vector; }
void Legacy::on_write(At<config_msix_vector>, u16 v) { pci->device().x.config_vector = pci->vector(v); }
u16 Legacy::on_read(At<legacy_queue_msix_vector>) const { return queue() ? queue()->x.vector : no_vector; }
void Legacy::on_write(At<legacy_queue_msix_vector>, u16 v) {
  if (Queue* q = queue()) q->x.vector = pci->vector(v);
}

VirtioPci::VirtioPci(std::unique_ptr<Device> device, std::string name, PciOptions options)
    : Function(identity_of(device->facts(), options)), device_(std::move(device)), options_(std::move(options)) {
  id = std::move(name);
  kind = std::string(device_->facts().name) + "-pci";
  device_->attach(*this, id.empty() ? kind : id);
  device_->offer(feature(feature_any_layout) | (options_.indirect ? feature(feature_indirect_desc) : 0) |
                 (options_.event_index ? feature(feature_event_idx) : 0) |
                 (options_.modern ? feature(feature_version_1) : 0));
  common_.pci = legacy_.pci = this;
  common_.wires.name = legacy_.wires.name = id.empty() ? kind.c_str() : id.c_str();
  if (options_.modern) {
    add_structure(type_common, common_at, 0);
    add_structure(type_isr, isr_at, 0);
    add_structure(type_device, device_at, 0);
    add_structure(type_notify, notify_at, 4);
    add_structure(type_pci, 0, 4);
  }
  if (options_.vectors) msix_.emplace(*this, msix_bar, options_.vectors, options_.msi);
}

void VirtioPci::add_structure(u8 type, u32 off, unsigned extra) {
  const u32 at = add_capability(vendor_capability, cap_extra + extra);
  preset(at + cap_length, 1, cap_extra + extra);
  preset(at + cap_type, 1, type);
  if (type == type_pci) {  // the driver says which bytes it wants to reach (§4.1.4.7)
    window_ = at;
    allow(at + cap_bar, 1, 0xff);
    allow(at + cap_offset, 4, ~0u);
    allow(at + cap_size, 4, ~0u);
    return;
  }
  preset(at + cap_bar, 1, modern_bar);
  preset(at + cap_offset, 4, off);
  preset(at + cap_size, 4, structure_size);
  if (type == type_notify) preset(at + cap_extra, 4, notify_multiplier);
}

void VirtioPci::reset() noexcept {
  Function::reset();
  device_->reset();
  common_.r = {};
  legacy_.r = {};
  if (msix_) msix_->reset();
  isr_ = 0;
  update();
}

void VirtioPci::write_status(u8 v, bool modern) noexcept {
  // Linux before 2.6.34 never enables bus mastering, and says DRIVER_OK through the legacy interface.
  if (!modern && (v & status_driver_ok) && !is_master()) set(pci::cfg_command, 2, command() | pci::command_master);
  device_->write_status(v, modern);
  if (v != 0) return;
  isr_ = 0;
  update();
}

u8 VirtioPci::take_isr() noexcept {
  const u8 v = isr_;
  isr_ = 0;
  update();
  return v;
}

void VirtioPci::queue_interrupt(u16 v) noexcept {
  if (has_msix()) return msix_->raise(v);  // no_vector is beyond the table
  isr_ |= isr_queue;
  update();
}

void VirtioPci::config_interrupt() noexcept {
  if (has_msix()) return msix_->raise(device_->x.config_vector);
  isr_ |= isr_config;
  update();
}

// Configuration space: the window, what MSI-X waits for, and work that waited for bus mastering.
bool VirtioPci::window(u32& off, u32& length) const {
  off = get(window_ + cap_offset, 4);
  length = get(window_ + cap_size, 4);
  return get(window_ + cap_bar, 1) == modern_bar && (length == 1 || length == 2 || length == 4) && off % length == 0 &&
         off < 4 * structure_size;
}

u32 VirtioPci::config_read(u32 reg, unsigned size) noexcept {
  u32 off, length;
  if (window_ && reg == window_ + cap_extra && window(off, length)) set(reg, 4, u32(bar_read(modern_bar, off, length)));
  return Function::config_read(reg, size);
}

void VirtioPci::config_write(u32 reg, unsigned size, u32 value) noexcept {
  const bool was_master = is_master();
  Function::config_write(reg, size, value);
  u32 off, length;
  if (window_ && reg == window_ + cap_extra && window(off, length)) bar_write(modern_bar, off, length, value);
  if (msix_) msix_->capability_written();
  if (is_master() && !was_master) device_->notify_all();
}

u64 VirtioPci::device_config_read(u32 off, unsigned size, ByteOrder order) noexcept {
  u8 bytes[8] = {};
  device_->config_read(off, std::span(bytes).first(size), order);
  return load_le<u64>(bytes);
}
void VirtioPci::device_config_write(u32 off, unsigned size, u64 value, ByteOrder order) noexcept {
  u8 bytes[8];
  store_le(bytes, value);
  device_->config_write(off, std::span(bytes).first(size), order);
}

u64 VirtioPci::bar_read(unsigned bar, u64 off, unsigned size) noexcept {
  if (bar == msix_bar) return msix_ ? msix_->read(off, size) : 0;
  if (bar == legacy_bar) {
    const u32 registers = has_msix() ? legacy_config : legacy_vectors;
    return off < registers ? reg_read(legacy_, u32(off), size)
                           : device_config_read(u32(off) - registers, size, device_->legacy_order());
  }
  switch (off & ~u64(structure_size - 1)) {
    case common_at: return reg_read(common_, u32(off), size);
    case isr_at: return off == isr_at ? take_isr() : 0;
    case device_at: return device_config_read(u32(off - device_at), size, {});
    default: return 0;  // notifications are written
  }
}

void VirtioPci::bar_write(unsigned bar, u64 off, unsigned size, u64 value) noexcept {
  if (bar == msix_bar && msix_) return msix_->write(off, size, value);
  if (bar == legacy_bar) {
    const u32 registers = has_msix() ? legacy_config : legacy_vectors;
    return off < registers ? reg_write(legacy_, u32(off), size, value)
                           : device_config_write(u32(off) - registers, size, value, device_->legacy_order());
  }
  switch (off & ~u64(structure_size - 1)) {
    case common_at: return reg_write(common_, u32(off), size, value);
    case device_at: return device_config_write(u32(off - device_at), size, value, {});
    case notify_at: return device_->notify(unsigned(off - notify_at) / notify_multiplier);
    default: break;
  }
}
}  // namespace peripherals::virtio
