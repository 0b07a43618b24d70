#include "peripherals/virtio/virtio_serial.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace peripherals::virtio {
namespace {
constexpr Facts the_kind{
    .name = "virtio-serial", .type = 3, .transitional_id = 0x1003, .pci_class = 0x078000, .config_size = 12};
constexpr unsigned f_multiport = 1, f_emerg_write = 2;  // §5.3.3
constexpr u32 max_ports_at = 4, emerg_at = 8;           // §5.3.4
constexpr unsigned control_in = 2, control_out = 3;     // queues (§5.3.2)
// §5.3.6.2: events of the control queues.
enum Event : u16 { device_ready = 0, device_add = 1, port_ready = 3, console_port = 4, port_open = 6, port_name = 7 };
constexpr std::size_t message_size = 8, most_messages = 256;
constexpr u16 queue_length = 128;
}  // namespace

Serial::Serial(SerialOptions options) : Device(the_kind), options_(options), ports_(options.max_ports) {
  for (unsigned n = 0; n < 2 * (options.max_ports + 1); ++n) add_queue(queue_length);
}

bool Serial::add_port(SerialPortOptions port, std::optional<unsigned> number) {
  if (!number) {
    // Port 0 is the one that drivers without MULTIPORT know.
    unsigned n = port.console ? 0 : 1;
    while (n < ports_.size() && ports_[n].exists) ++n;
    number = n;
  }
  if (*number >= ports_.size() || ports_[*number].exists || (*number == 0 && !port.console)) return false;
  ports_[*number].options = std::move(port);
  ports_[*number].exists = true;
  return true;
}

u64 Serial::features() const { return feature(f_multiport) | (options_.emergency_write ? feature(f_emerg_write) : 0); }

void Serial::fill_config(std::span<u8> config, ByteOrder order) const {
  order.put(&config[max_ports_at], u32(ports_.size()));
}

// The character is for the first console, whether or not anything is set up (§5.3.5).
void Serial::config_written(u32 off, u32, const u8* config, ByteOrder order) noexcept {
  if (off != emerg_at || !options_.emergency_write) return;
  for (Port& p : ports_)
    if (p.exists && p.options.console && p.options.chars)
      return p.options.chars->put(u8(order.get<u32>(config + emerg_at)));
}

void Serial::on_reset() noexcept {
  messages_.clear();
  for (Port& p : ports_) {
    p.open = p.is_sending = false;
    p.sent = 0;
  }
}

// Without MULTIPORT there is port 0, always open.
bool Serial::in_use(unsigned port) const {
  return ports_[port].exists && (has(f_multiport) ? ports_[port].open : port == 0);
}

void Serial::notified(unsigned queue) noexcept {
  if (has(f_multiport) && queue == control_in) return deliver();
  if (has(f_multiport) && queue == control_out) return control();
  const unsigned port = queue < 2 ? 0 : (queue - 2) / 2;
  if (queue >= 2 && !has(f_multiport)) return;
  queue % 2 ? send(port) : receive(port);
}

void Serial::serve() noexcept {
  if (!ready()) return;
  for (unsigned n = 0; n < ports_.size(); ++n) {
    if (!in_use(n)) continue;
    receive(n);
    send(n);
  }
}

// To the host, as far as it takes characters.
void Serial::send(unsigned port) noexcept {
  Port& p = ports_[port];
  Queue& q = *queue(receive_queue(port) + 1);
  if (!q.x.enabled) return;
  for (u16 n = u16(q.waiting() + p.is_sending); n > 0 && !broken(); --n) {
    if (!p.is_sending) {
      if (!q.pop(p.sending)) break;
      p.is_sending = true;
      p.sent = 0;
    }
    send_chain(p);
    if (p.is_sending) break;
    q.push(p.sending.head, 0);
  }
  q.notify();
}

// Sends what there is room for; `is_sending` goes when all is sent.
void Serial::send_chain(Port& p) noexcept {
  const u64 length = total_length(p.sending.readable);
  CharPort* const chars = p.exists ? p.options.chars : nullptr;
  u8 bytes[256];
  while (p.sent < length && chars && chars->wake_host) {
    const std::size_t n = std::size_t(std::min<u64>({sizeof bytes, length - p.sent, chars->to_host.room()}));
    if (n == 0) return;
    if (!read(p.sending.readable, p.sent, std::span(bytes).first(n))) return;
    for (std::size_t i = 0; i < n; ++i) chars->put(bytes[i]);
    p.sent += n;
  }
  p.is_sending = false;
}

// To the guest, as far as it has buffers.
void Serial::receive(unsigned port) noexcept {
  CharPort* const chars = ports_[port].options.chars;
  Queue& q = *queue(receive_queue(port));
  if (!chars || !in_use(port) || !q.x.enabled) return;
  Chain chain;
  while (!chars->to_guest.empty() && q.pop(chain)) {
    std::vector<u8> bytes(std::min<u64>(total_length(chain.writable), chars->to_guest.size()));
    for (u8& b : bytes) chars->to_guest.pop(b);
    if (!write(chain.writable, 0, bytes)) return;
    q.push(chain.head, u32(bytes.size()));
  }
  q.notify();
}

// What the driver says about ports.
void Serial::control() noexcept {
  Queue& q = *queue(control_out);
  Chain chain;
  for (u16 n = q.waiting(); n > 0 && q.pop(chain); --n) {
    u8 m[message_size];
    if (read(chain.readable, 0, m)) obey(order().get<u32>(m), order().get<u16>(m + 4), order().get<u16>(m + 6));
    else log_guest(name(), "a control message that is too short", total_length(chain.readable));
    q.push(chain.head, 0);
  }
  q.notify();
}

void Serial::obey(u32 port, u16 event, u16 value) noexcept {
  if (event == device_ready) {
    if (!value) return log_guest(name(), "the driver could not set the device up", 0);
    for (u32 n = 0; n < ports_.size(); ++n)
      if (ports_[n].exists) tell(n, device_add, 1);
    return;
  }
  if (port >= ports_.size() || !ports_[port].exists)
    return log_guest(name(), "a message about a port that does not exist", port);
  Port& p = ports_[port];
  if (event == port_ready) {
    if (!value) return log_guest(name(), "the driver could not set the port up", port);
    if (p.options.console) tell(port, console_port, 1);
    if (!p.options.name.empty()) tell(port, port_name, 1, p.options.name);
    tell(port, port_open, 1);  // the host's side is always there
  } else if (event == port_open) {
    p.open = value != 0;
    if (p.open) receive(port);
  }
}

void Serial::tell(u32 port, u16 event, u16 value, std::string_view text) noexcept {
  if (messages_.size() >= most_messages)
    return log_guest(name(), "the driver takes no control messages, one is lost", event);
  std::vector<u8>& m = messages_.emplace_back(message_size + text.size());
  order().put(m.data(), port);
  order().put(m.data() + 4, event);
  order().put(m.data() + 6, value);
  std::ranges::copy(text, m.begin() + message_size);
  deliver();
}

void Serial::deliver() noexcept {
  Queue& q = *queue(control_in);
  Chain chain;
  while (!messages_.empty() && q.pop(chain)) {
    const std::vector<u8>& m = messages_.front();
    const std::size_t n = std::size_t(std::min<u64>(m.size(), total_length(chain.writable)));
    if (!write(chain.writable, 0, std::span(m).first(n))) return;
    q.push(chain.head, u32(n));
    messages_.pop_front();
  }
  q.notify();
}
}  // namespace peripherals::virtio
