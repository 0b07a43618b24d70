#pragma once
// A virtio device without its bus: status, feature negotiation, queues, configuration.  VIRTIO 1.1, chapters 2 and 3.
// A kind of device (block.hpp, net.hpp, …) derives from it; what carries it (pci.hpp) is its Transport.
//
//   driver ── registers of the transport ──▶ Device: status, features, queues ──▶ kind: notified(queue)
//   kind ── Queue::pop, push, notify ──▶ memory and interrupts of the transport
//
// Thread: vCPU.

#include "peripherals/virtio/queue.hpp"

#include <bit>
#include <deque>
#include <string>

namespace peripherals::virtio {

// Feature bits that belong to no kind of device (§6).
inline constexpr unsigned feature_any_layout = 27, feature_indirect_desc = 28, feature_event_idx = 29,
                          feature_version_1 = 32;
constexpr u64 feature(unsigned bit) { return u64(1) << bit; }

// Device status (§2.1).
inline constexpr u8 status_acknowledge = 1, status_driver = 2, status_driver_ok = 4, status_features_ok = 8,
                    status_needs_reset = 64, status_failed = 128;

// Numbers in the driver's memory: little-endian, but the guest's own order for a legacy driver (§2.4.3, §2.6.3).
struct ByteOrder {
  bool big = false;
  template <class T>
  T get(const u8* p) const {
    return swap(load_le<T>(p));
  }
  template <class T>
  void put(u8* p, T v) const {
    store_le(p, swap(v));
  }

 private:
  template <class T>
  T swap(T v) const {
    if (!big) return v;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
    else if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
    else if constexpr (sizeof(T) == 8) return __builtin_bswap64(v);
    else return v;
  }
};

class Transport {
 public:
  // May the device reach memory now?  Work waits until it may (notify_all).
  virtual bool is_master() const noexcept = 0;
  // False, with nothing done, when the range is not memory.
  virtual bool dma_read(GuestPhys at, std::span<u8> to) noexcept = 0;
  virtual bool dma_write(GuestPhys at, std::span<const u8> from) noexcept = 0;
  virtual void queue_interrupt(u16 vector) noexcept = 0;
  virtual void config_interrupt() noexcept = 0;
  virtual bool big_endian_guest() const noexcept = 0;

 protected:
  ~Transport() = default;
};

// What never changes about a kind of device.
struct Facts {
  const char* name;     // "virtio-blk"
  u16 type;             // §5
  u16 transitional_id;  // of the PCI function; 0: none (§4.1.2.1)
  u32 pci_class;
  u32 config_size;  // bytes of the configuration structure
};

class Device {
 public:
  explicit Device(const Facts& facts) : facts_(facts) {}
  Device(const Device&) = delete;
  virtual ~Device() = default;

  // For the transport.
  void attach(Transport& t, std::string name) { transport_ = &t, name_ = std::move(name); }
  void offer(u64 transport_features) { transport_features_ = transport_features; }
  u64 offered() const { return transport_features_ | features(); }
  u64 driver_features() const { return x.driver_features; }
  // One half of the features the driver accepts; ignored once FEATURES_OK is set.
  void accept(bool high, u32 bits);
  u8 status() const { return x.status; }
  // `modern`: through the 1.x interface, where FEATURES_OK is refused without VERSION_1.
  void write_status(u8 status, bool modern) noexcept;
  u8 config_generation() const { return x.generation; }
  // The configuration structure, in the order of the interface it is read by; short or outside: zeros.
  void config_read(u32 off, std::span<u8> out, ByteOrder order) noexcept;
  void config_write(u32 off, std::span<const u8> bytes, ByteOrder order) noexcept;
  // The driver says that there is something in a queue; also tells of all queues, after bus mastering came on.
  void notify(unsigned queue) noexcept;
  void notify_all() noexcept;
  void reset() noexcept;
  Queue* queue(unsigned n) { return n < queues_.size() ? &queues_[n] : nullptr; }
  unsigned queue_count() const { return unsigned(queues_.size()); }
  const Facts& facts() const { return facts_; }
  // One line for `info qtree`.
  virtual std::string backend() const { return {}; }

  // For queues and kinds.
  Transport& transport() const { return *transport_; }
  bool has(unsigned bit) const { return x.driver_features & offered() & feature(bit); }
  bool is_legacy() const { return !has(feature_version_1); }
  ByteOrder legacy_order() const { return {transport_->big_endian_guest()}; }
  ByteOrder order() const { return is_legacy() ? legacy_order() : ByteOrder{}; }
  bool broken() const { return x.broken; }
  // The driver did what a device cannot work with: nothing more happens until it resets the device (§2.1.2).
  void fail(const char* why) noexcept;

  struct State {
    u64 driver_features = 0;
    u8 status = 0, generation = 0;
    bool broken = false;
    u16 config_vector = no_vector;
  } x;

 protected:
  // For kinds.  The device-specific features offered.
  virtual u64 features() const = 0;
  // Fills `config` (facts().config_size bytes, zero before).
  virtual void fill_config(std::span<u8> config, ByteOrder order) const = 0;
  // The driver changed bytes [off, off+size) of `config`; it holds them.
  virtual void config_written(u32 /*off*/, u32 /*size*/, const u8* /*config*/, ByteOrder) noexcept {}
  virtual void notified(unsigned queue) noexcept = 0;
  // Forgets what goes on; the queues are empty by then.
  virtual void on_reset() noexcept {}

  void add_queue(u16 size) { queues_.emplace_back(*this, size); }
  void config_changed() noexcept;
  // May buffers be used?  A legacy driver may start before DRIVER_OK (§3.1.2).
  bool ready() const {
    return !x.broken && x.status != 0 && (is_legacy() || (x.status & status_driver_ok)) && transport_->is_master();
  }
  // Copies between a chain's segments, from byte `offset` on, and `bytes`.  False when the chain is shorter or not
  // memory; the latter breaks the device.
  bool read(const std::vector<Segment>& from, u64 offset, std::span<u8> bytes) noexcept;
  bool write(const std::vector<Segment>& to, u64 offset, std::span<const u8> bytes) noexcept;
  const char* name() const { return name_.c_str(); }

 private:
  const Facts facts_;
  std::string name_;
  Transport* transport_ = nullptr;
  u64 transport_features_ = 0;
  std::deque<Queue> queues_;
};
}  // namespace peripherals::virtio
