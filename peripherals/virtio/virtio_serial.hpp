#pragma once
// Serial ports over virtio.  VIRTIO 1.1 §5.3 ("console device").  Port 0's queues come first, then the two control
// queues, then those of the other ports.  Port 0 is kept for a console, as QEMU does.
// Thread: vCPU.

#include "peripherals/virtio/device.hpp"

#include "core/char_port.hpp"

#include <optional>

namespace peripherals::virtio {

struct SerialOptions {
  unsigned max_ports = 31;  // 1…31
  bool emergency_write = true;
};
struct SerialPortOptions {
  bool console = false;       // hvc; else /dev/vport
  std::string name;           // in /dev/virtio-ports
  CharPort* chars = nullptr;  // null: reads nothing, loses what is written
};

class Serial final : public Device {
 public:
  explicit Serial(SerialOptions options);

  // Adds a port before the machine runs; without a number, the first free one.  False when it is taken or too high.
  bool add_port(SerialPortOptions port, std::optional<unsigned> number);
  // Characters may have arrived, or the host may have taken some.
  void serve() noexcept;

 private:
  struct Port {
    SerialPortOptions options;
    bool exists = false;
    bool open = false;  // the guest has it open
    Chain sending;      // a buffer of the guest's that is partly sent
    u64 sent = 0;       // bytes of it; the buffer is held while is_sending
    bool is_sending = false;
  };
  u64 features() const override;
  void fill_config(std::span<u8> config, ByteOrder order) const override;
  void config_written(u32 off, u32 size, const u8* config, ByteOrder order) noexcept override;
  void notified(unsigned queue) noexcept override;
  void on_reset() noexcept override;

  static unsigned receive_queue(unsigned port) { return port == 0 ? 0 : 2 + 2 * port; }
  bool in_use(unsigned port) const;
  void send(unsigned port) noexcept;
  void send_chain(Port& p) noexcept;
  void receive(unsigned port) noexcept;
  void control() noexcept;
  void obey(u32 port, u16 event, u16 value) noexcept;
  void tell(u32 port, u16 event, u16 value, std::string_view text = {}) noexcept;
  void deliver() noexcept;

  SerialOptions options_;
  std::vector<Port> ports_;
  std::deque<std::vector<u8>> messages_;  // for the driver, waiting for buffers
};
}  // namespace peripherals::virtio
