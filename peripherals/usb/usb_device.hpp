#pragma once
// What a USB host controller sees of a device: packets to its endpoints — USB 1.1, chapter 8.
// Thread: vCPU.

#include "core/base.hpp"

namespace peripherals::usb {
using namespace core;

enum class Pid : u8 { in = 0x69, out = 0xe1, setup = 0x2d };
enum class Answer : u8 { ack, nak, stall, none };

struct Packet {
  Answer answer = Answer::none;
  u32 length = 0;  // bytes moved, at most those offered
};

class UsbDevice {
 public:
  virtual ~UsbDevice() = default;
  virtual bool low_speed() const = 0;
  virtual u8 address() const = 0;  // 0 until SET_ADDRESS has ended
  virtual void reset() = 0;        // reset signalled on its port
  // One transaction.  IN fills `data`; OUT and SETUP take it.
  virtual Packet transact(Pid pid, u8 endpoint, std::span<u8> data) = 0;
};
}  // namespace peripherals::usb
