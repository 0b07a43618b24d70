#pragma once
// What gets the devices of a Malta going: commands, descriptors and programs in memory, as drivers write them but for
// some of the numbers.

#include "tests/fuzz/device_fuzz.hpp"

#include "peripherals/pci/bus.hpp"
#include "peripherals/usb/usb_device.hpp"

#include "core/plug.hpp"

namespace fuzz {
namespace pci = peripherals::pci;

enum Space : unsigned { space_cpu, space_io, space_internal, space_pci_memory };

// Answers whatever it likes.
struct AnyUsbDevice final : peripherals::usb::UsbDevice {
  AnyUsbDevice(Source& s, bool low) : s(s), low(low) {}
  bool low_speed() const override { return low; }
  u8 address() const override { return at; }
  void reset() override { at = 0; }
  peripherals::usb::Packet transact(peripherals::usb::Pid pid, u8 endpoint, std::span<u8> data) override;
  Source& s;
  bool low;
  u8 at = 0;
};

class MaltaPrograms : public Fuzzer {
 protected:
  MaltaPrograms(Source& s, MachineBase& m, pci::Bus& bus, std::string_view only);
  // Puts drives at their places and cards on the bus, then gives every function addresses.
  void furnish();
  void after_reset() override;

 private:
  // Regions of a function, where set_up() puts them.
  struct Region {
    pci::Function* function;
    unsigned bar;
    bool io;
    u64 at, size;
  };
  void plug_cards();
  void choose_properties(const PlugKind& kind, PlugContext& context);
  void find_regions(pci::Bus& on);
  void set_up();
  u64 region(const pci::Function& f, unsigned bar) const;
  void config(unsigned devfn, u32 reg, unsigned size, u32 v);
  void out(u32 port, u64 v, unsigned size = 1) { put(space_io, port, size, v); }
  void in(u32 port, unsigned size = 1) { get(space_io, port, size); }

  void ide();
  void packet(u32 base);
  void floppy();
  void uhci();
  void smbus();
  void pci_space();
  void windows();
  void chipset();
  void keyboard();
  void flash();
  void lsi(const pci::Function& f);
  u32 script(u32 at, u32 data);
  // malta_virtio.cpp
  struct VirtioCard {
    pci::Function* function;
    bool modern = false;
    u16 queues = 0;
    u32 memory = 0;  // of the rings
    u16 sizes[8] = {};
  };
  void virtio(VirtioCard& card);
  void start_virtio(VirtioCard& card);
  void add_chain(VirtioCard& card, u32 queue);
  void fill_buffer(std::string_view kind, u32 queue, u32 at, u32 index);
  void set_vectors(const VirtioCard& card);
  // malta_network.cpp
  struct PcnetCard {
    pci::Function* function;
    bool started = false, wide_io = false, in_memory = false;
    u32 style = 0, memory = 0;      // of its rings and buffers
    u32 receive = 1, transmit = 1;  // descriptors
  };
  void pcnet(PcnetCard& card);
  void start_pcnet(PcnetCard& card);
  void pcnet_port(const PcnetCard& card, bool write, u32 word, u32 v);
  void pcnet_write(const PcnetCard& card, bool bus_register, u32 n, u32 v);
  u32 pcnet_read(const PcnetCard& card, u32 n);
  void pcnet_descriptor(const PcnetCard& card, bool transmit, u32 at);
  void pcnet_transmit(PcnetCard& card);
  // malta_video.cpp
  void cirrus(const pci::Function& f);
  void cirrus_mode();
  void cirrus_blt(const pci::Function& f);
  void cirrus_blt_register(const pci::Function& f, u32 how, u32 n, unsigned size, u32 v);
  void cirrus_memory(const pci::Function& f);
  void indexed(u32 port, u32 n, u32 v) { out(port, n), out(port + 1, v); }
  // What a display reads of the screen.
  virtual void look() = 0;

  MachineBase& m_;
  pci::Bus& bus_;
  std::vector<Region> regions_;
  std::vector<std::unique_ptr<PlugBus>> buses_;
  std::deque<VirtioCard> virtio_;
  std::deque<PcnetCard> pcnet_;
};
}  // namespace fuzz
