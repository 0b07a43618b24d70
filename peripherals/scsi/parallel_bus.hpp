#pragma once
// The parallel SCSI bus as its one initiator sees it: phases, messages, disconnection and reselection — SPI-3, and
// SAM-3 behind it.  Targets drive the phases; the initiator moves bytes in the phase it finds.
//
// Targets agree to every transfer speed asked for, within what they can; it has no effect here.  A target disconnects
// while its medium works, where IDENTIFY allows it, but never in the middle of its data.
// Thread: vCPU.

#include "peripherals/scsi/scsi_bus.hpp"

namespace peripherals::scsi {

enum class Phase : u8 { data_out = 0, data_in = 1, command = 2, status = 3, message_out = 6, message_in = 7 };
constexpr bool is_in(Phase p) { return u8(p) & 1; }
constexpr bool is_data(Phase p) { return u8(p) < 2; }

class ParallelBus {
 public:
  ParallelBus();
  Bus targets;

  // Selection; with attention the target begins with MESSAGE OUT, else with COMMAND.  False when nobody is there, or
  // when the bus is in use.
  bool select(unsigned target, bool with_attention);
  bool connected() const { return connected_; }
  unsigned target() const { return nexus_.target; }

  // The target's phase, and whether it waits for a byte in it (REQ).
  Phase phase() const { return phase_; }
  bool request() const { return connected_ && !stalled_ && !held_; }

  // Moves bytes in the present phase while REQ is up: how many were moved; 0 when the phase is another or is over.
  // After the last byte of a message in the target waits for accept().
  std::size_t put(std::span<const u8> from);
  std::size_t take(std::span<u8> to);

  // ATN.  Up: the target will ask for a message.  Down: the message out is complete.
  void attention(bool on);
  bool attention() const { return attention_; }
  // ACK of the last message byte was released.
  void accept();
  bool held() const { return held_; }

  // A target waits to reselect; reselect() connects it, in MESSAGE IN with its IDENTIFY.
  bool reselection() const { return !connected_ && targets.ready(); }
  bool reselect();

  // The RST line.
  void reset();
  // The initiator lets go of the bus: the connection and its command are lost.
  void release();

  // REQ came up, or a target waits to reselect, while the initiator waited.
  std::function<void()> changed;

 private:
  enum class After : u8 { go_on, disconnect, complete };  // once the message in was accepted
  void settle();
  void message_in(std::vector<u8> bytes, After after);
  void message_done();
  void messages_out();
  bool message(std::span<const u8> rest, std::size_t& length, std::vector<u8>& answer);
  void command_bytes();
  void bus_free();
  void woken(Command& c);

  bool connected_ = false, attention_ = false;
  bool stalled_ = false;  // the target has nothing to ask for yet
  bool held_ = false;     // ACK is up after a message in
  bool may_disconnect_ = false;
  Phase phase_ = Phase::command;
  Command nexus_;               // of this connection: target, lun, tag, queue, and the command descriptor
  Command* command_ = nullptr;  // what it is about, once known
  std::vector<u8> out_, in_;    // message or command bytes from the initiator; message bytes for it
  std::size_t taken_ = 0;       // of in_
  After after_ = After::go_on;
};
}  // namespace peripherals::scsi
