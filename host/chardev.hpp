#pragma once
// Where characters go on the host: `-serial`, `-monitor` and `-chardev` back ends.
// A Chardev is a two-way byte stream; a Reader (serial port, monitor, gdb) sits on it.
//
// Thread: the event loop's, or any one thread while the loop is not running.

#include "core/base.hpp"
#include "core/char_port.hpp"
#include "core/result.hpp"
#include "host/loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace host {
// One back end as written on the command line.
struct ChardevSpec {
  enum class Kind { none, null, vc, stdio, file, pipe, pty, tcp, unix_socket, device, reference };
  Kind kind = Kind::null;
  std::string id;             // of `-chardev`, or the one a `chardev:ID` names
  std::string path;           // file, pipe, unix, device
  std::string address, port;  // tcp
  bool mux = false;           // shares its stream by Ctrl-A
  bool server = false, wait = true, nodelay = false, telnet = false;
  bool append = false;
  bool signal = true;  // stdio: Ctrl-C ends the emulator rather than going to the guest
  std::string text;    // as written, for messages
};
// `stdio`, `mon:stdio`, `file:PATH`, `tcp:HOST:PORT,server=on,wait=off`, …
core::Result<ChardevSpec> parse_serial_spec(std::string_view text);
// `socket,id=x,path=…,server=on,wait=off`, the argument of -chardev.
core::Result<ChardevSpec> parse_chardev_option(std::string_view text);

class Chardev {
 public:
  enum class Event { opened, closed, line_break, focus_in, focus_out };
  class Reader {
   public:
    virtual ~Reader() = default;
    // Takes bytes from the front and says how many.  After fewer than all, the back end keeps the rest and
    // reads nothing more until resume_input().
    virtual std::size_t receive(std::span<const core::u8> bytes) = 0;
    virtual void writable() {}  // after a short write()
    virtual void event(Event) {}
  };
  virtual ~Chardev() = default;
  // Starts reading.  Null stops.
  virtual void attach(Reader* reader) { reader_ = reader; }
  // Takes bytes from the front and says how many; after fewer than all, Reader::writable() follows.
  // Bytes for a peer that is not there are taken and dropped.
  virtual std::size_t write(std::span<const core::u8> bytes) = 0;
  virtual void resume_input() {}
  virtual bool connected() const { return true; }
  virtual bool terminal() const { return false; }  // a person types here: echo and edit
  // Waits up to `milliseconds` for room to write; false when there is none by then.
  virtual bool wait_writable(int milliseconds) = 0;
  void write(std::string_view text) {
    write_all(std::span(reinterpret_cast<const core::u8*>(text.data()), text.size()));
  }
  // Writes everything, waiting for a slow peer; gives up after `patience_ms` without progress.
  void write_all(std::span<const core::u8> bytes, int patience_ms = 2000);

 protected:
  Reader* reader_ = nullptr;
};

// `label` names it in messages ("serial0").  Prints where a pty is, and waits for the peer of `server,wait=on`.
core::Result<std::unique_ptr<Chardev>> open_chardev(Loop& loop, const ChardevSpec& spec, std::string_view label);

// Puts the terminal on standard input back as it was found.  Safe in a signal handler.
void restore_terminal() noexcept;

// Several readers on one stream: output of all, input to the one in focus, Ctrl-A commands.
class Mux final : public Chardev::Reader {
 public:
  // `quit` is called for Ctrl-A x.
  Mux(std::unique_ptr<Chardev> under, std::function<void()> quit);
  ~Mux() override;
  // A stream of its own on the shared one; the first has the focus.  Owned by the Mux.
  Chardev& add_channel();
  void start() { under_->attach(this); }
  void set_focus(std::size_t channel);
  std::size_t focus() const { return focus_; }
  static constexpr core::u8 escape = 1;  // Ctrl-A

  std::size_t receive(std::span<const core::u8> bytes) override;
  void writable() override;
  void event(Chardev::Event e) override;

 private:
  class Channel;
  void command(core::u8 key);
  void say(std::string_view text);
  std::size_t write(std::span<const core::u8> bytes);
  bool flush_own();

  std::unique_ptr<Chardev> under_;
  std::function<void()> quit_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::size_t focus_ = 0;
  bool escaped_ = false, stamp_ = false, line_start_ = true;
  core::u64 stamp_from_ = 0;
  std::string own_;  // text of the Mux itself and time stamps, still to be written
};

// Joins a stream and a machine's serial port.
class SerialLink final : public Chardev::Reader {
 public:
  // `notify` is called on the loop thread when the port has bytes for the guest or room again for its output.
  SerialLink(Loop& loop, Chardev& chardev, core::CharPort& port, std::function<void()> notify);
  ~SerialLink() override;
  std::size_t receive(std::span<const core::u8> bytes) override;
  void writable() override { pump(); }
  void event(Chardev::Event e) override;
  // Moves what the guest wrote to the host; on wake.
  void pump();
  // Writes out everything, waiting for a slow reader.  After the loop ended.
  void finish();

 private:
  void retry_input();
  bool send_pending();

  Loop& loop_;
  Chardev& chardev_;
  core::CharPort& port_;
  std::function<void()> notify_;
  Loop::Id wake_id_ = 0, retry_ = 0;
  std::vector<core::u8> pending_;  // taken from the port, not yet written
  std::size_t sent_ = 0;           // of pending_
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};
}  // namespace host
