#pragma once
#include "core/reg.hpp"

namespace peripherals::smc_pl093 {
using namespace core;

// Arm PrimeCell synchronous static memory controller PL093 (SSMC) — DDI 0236H, chapter 3.  Pins: none.
// Memory needs no set-up here: the registers of the eight banks are storage.
struct Regs {  // table 3-1
  RegArray<struct SMBIDCYR,   0x00, 8, 0x20, R | W, 0xf> idcyr;
  RegArray<struct SMBWSTRDR,  0x04, 8, 0x20, R | W, 0x1f> wstrdr;
  RegArray<struct SMBWSTWRR,  0x08, 8, 0x20, R | W, 0x1f> wstwrr;
  RegArray<struct SMBWSTOENR, 0x0c, 8, 0x20, R | W, 0x2> wstoenr;
  RegArray<struct SMBWSTWENR, 0x10, 8, 0x20, R | W, 0x1> wstwenr;
  RegArray<struct SMBCR,      0x14, 8, 0x20, R | W> cr;
  RegArray<struct SMBSR,      0x18, 8, 0x20, R> sr;  // no write protection, no wait timeout
  RegArray<struct SMBWSTBRDR, 0x1c, 8, 0x20, R | W, 0x1f> wstbrdr;
  Reg<struct SSMCSR, 0x200, R> ssmcsr;
  Reg<struct SSMCCR, 0x204, R | W, 0x1, Bits<struct CCR, 0, 2>> ssmccr;
  PrimecellId<0x00041093> id;
};

template <class Wires>
struct SmcPl093 {
  static constexpr std::string_view kind = "smc_pl093";
  static constexpr Ports ports{};
  Wires wires;
  Regs r;
};
}  // namespace peripherals::smc_pl093
