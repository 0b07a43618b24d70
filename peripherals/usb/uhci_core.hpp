#pragma once
// The schedule of a UHCI controller: one frame of transfer descriptors — Universal Host Controller Interface Design
// Guide 1.1, chapter 3.  Plain logic, no state; the memory it walks is the guest's and may say anything.

#include "peripherals/usb/usb_device.hpp"

namespace peripherals::usb {

// Where the controller reaches memory and devices.
class UhciHost {
 public:
  virtual bool read(u32 at, std::span<u8> to) = 0;
  virtual bool write(u32 at, std::span<const u8> from) = 0;
  virtual UsbDevice* device(u8 address) = 0;  // on an enabled port; null when none answers

 protected:
  ~UhciHost() = default;
};

struct UhciFrame {
  bool complete = false;       // a descriptor with IOC ended
  bool short_packet = false;   // … or one with SPD got less than it had room for
  bool error = false;          // a transaction failed
  bool system_error = false;   // the schedule is not in memory
  bool process_error = false;  // a descriptor makes no sense
};

// Runs the list that begins with the link at `entry`.
UhciFrame run_frame(UhciHost& host, u32 entry);
}  // namespace peripherals::usb
