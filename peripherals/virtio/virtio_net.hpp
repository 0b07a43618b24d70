#pragma once
// Network device over virtio.  VIRTIO 1.1 §5.1.  One pair of queues and the control queue.
// Not modelled: segmentation offload, checksums known to be good on receive, several queue pairs, announcements.
// Thread: vCPU.

#include "peripherals/virtio/device.hpp"

#include "core/net_port.hpp"

#include <bitset>

namespace peripherals::virtio {

struct NetOptions {
  MacAddress mac{};
  bool csum = true, mrg_rxbuf = true, status = true;
  bool ctrl_vq = true, ctrl_rx = true, ctrl_rx_extra = true, ctrl_vlan = true, ctrl_mac_addr = true;
  u16 rx_queue_size = 256, tx_queue_size = 256;
};

class Net final : public Device {
 public:
  // Without a port nothing is plugged in.
  Net(NetPort* port, NetOptions options);
  ~Net() override;
  std::string backend() const override { return port_ ? port_->id : std::string(); }

 private:
  static constexpr unsigned rx = 0, tx = 1, control = 2;
  static constexpr unsigned most_addresses = 64;
  u64 features() const override;
  void fill_config(std::span<u8> config, ByteOrder order) const override;
  void config_written(u32 off, u32 size, const u8* config, ByteOrder) noexcept override;
  void notified(unsigned queue) noexcept override;
  void on_reset() noexcept override;

  unsigned header_size() const;
  void arrived() noexcept;
  void transmit() noexcept;
  void send(const Chain& chain) noexcept;
  bool finish_checksum(std::span<u8> frame, u16 start, u16 offset) noexcept;
  void receive() noexcept;
  enum class Fit { placed, no_room, dropped };
  Fit place(const EthernetFrame& frame) noexcept;
  bool wanted(const EthernetFrame& frame) const;

  void obey() noexcept;
  bool command(u8 kind, u8 what, const Chain& chain) noexcept;
  bool set_receive_mode(u8 what, const Chain& chain) noexcept;
  bool set_addresses(u8 what, const Chain& chain) noexcept;
  bool set_table(const Chain& chain) noexcept;
  bool set_vlan(u8 what, const Chain& chain) noexcept;

  // One of the two address tables; too many addresses let all of their kind through (§5.1.6.5.2).
  struct Addresses {
    std::array<MacAddress, most_addresses> list{};
    u32 count = 0;
    bool all = false;
    bool holds(const u8* address) const;
  };
  // What the driver set by the control queue.
  struct Filter {
    MacAddress mac{};
    bool promiscuous = true, all_multicast = false, all_unicast = false;
    bool no_multicast = false, no_unicast = false, no_broadcast = false;
    Addresses unicast, multicast;
    std::bitset<4096> vlans;
  };

  NetPort* port_;
  NetOptions options_;
  Filter filter_;
  EthernetFrame waiting_;  // taken from the port, for which there was no room; empty: none
  bool link_ = true;       // as the driver was told
};
}  // namespace peripherals::virtio
