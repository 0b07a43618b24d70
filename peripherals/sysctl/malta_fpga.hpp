#pragma once
#include "core/reg.hpp"
#include "peripherals/misc/eeprom_24c02.hpp"

#include <string_view>

namespace peripherals::malta_fpga {
using namespace core;

// System controller FPGA of the MIPS Malta board — Malta User's Manual MD00048, "Registers" — in the byte order of the
// processor.  Windows: 0x1f000000 up to the CBUS UART at +0x900, and 0x1f000a00 behind it.
// Pins: none.  On its I2C bus is the EEPROM of the memory module, address 50.
// Not modelled: the brake of the NMI button and of reset (BRKRES is storage), what GPOUT drives (GPINP reads an open
// header).
struct Regs {
  Reg<struct SWITCH, 0x200, R> switches;  // DIP switch S2
  Reg<struct STATUS, 0x208, R, 0x10, Bits<struct BIGEND, 1>, Bits<struct MFWR, 4>> status;
  Reg<struct JMPRS, 0x210, R> jmprs;  // PCI clock 33 MHz
  Reg<struct LEDBAR, 0x408, R | W, 0, Bits<struct BAR, 0, 8>> ledbar;
  Reg<struct ASCIIWORD, 0x410, Wfn> asciiword;
  RegArray<struct ASCIIPOS, 0x418, 8, 8, Wfn> asciipos;
  Reg<struct SOFTRES, 0x500, Wfn> softres;
  Reg<struct BRKRES, 0x508, R | W, 0x0a, Bits<struct WIDTH, 0, 8>> brkres;  // ms
  Reg<struct GPOUT, 0xa00, R | W, 0, Bits<struct OUT, 0, 8>> gpout;
  Reg<struct GPINP, 0xa08, R> gpinp;
  Reg<struct I2CINP, 0xb00, Rfn, 0, Bits<struct SDA, 0>, Bits<struct SCL, 1>> i2cinp;
  Reg<struct I2COE, 0xb08, R | W, 0, Bits<struct SDA, 0>, Bits<struct SCL, 1>> i2coe;
  Reg<struct I2COUT, 0xb10, R | Wfn, 3, Bits<struct SDA, 0>, Bits<struct SCL, 1>> i2cout;
  Reg<struct I2CSEL, 0xb18, R | W, 1, Bits<struct I2CFPGA, 0>> i2csel;
};

template <class Wires>
struct MaltaFpga {
  static constexpr std::string_view kind = "malta_fpga";
  static constexpr Ports ports{.window = 0x900, .order = ByteOrder::processor, .more_windows = {0x200}, .window_step = 0xa00};
  static constexpr u32 reset_code = 0x42;
  Wires wires;
  Regs r;
  struct Hidden {
    char text[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    eeprom_24c02::Eeprom eeprom;
  } x;

  // What the alphanumeric display shows, left to right.
  std::string_view display() const { return {x.text, sizeof x.text}; }

  void on_write(At<ASCIIWORD>, u32 v) {
    for (unsigned i = 0; i < 8; ++i) x.text[i] = "0123456789ABCDEF"[v >> (28 - 4 * i) & 15];
  }
  void on_write(At<ASCIIPOS>, u32 i, u32 v) { x.text[i] = printable(v); }
  void on_write(At<SOFTRES>, u32 v) {
    if ((v & 0xff) == reset_code) wires.system_reset();
  }
  u32 on_read(At<I2CINP>) { return u32(r.i2cout.is<SCL>()) << 1 | (r.i2cout.is<SDA>() && x.eeprom.sda()); }
  void on_write(At<I2COUT>, u32 v) {
    r.i2cout.write(v);
    if (r.i2csel.is<I2CFPGA>()) x.eeprom.lines(r.i2cout.is<SCL>(), r.i2cout.is<SDA>());
  }

  void on_reset() {
    r.status.set<BIGEND>(Wires::big_endian);
    x.eeprom.data = eeprom_24c02::sdram_presence(wires.ram_size());
  }

 private:
  static char printable(u32 v) { return v >= 0x20 && v < 0x7f ? char(v) : ' '; }
};
}  // namespace peripherals::malta_fpga
