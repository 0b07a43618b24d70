#pragma once
#include "core/reg.hpp"

namespace peripherals::mpmc_pl172 {
using namespace core;

// Arm PrimeCell multiport memory controller PL172 (MPMC) — DDI 0215E, chapter 3.  Pins: none.
// Memory needs no set-up here: the registers are storage with the manual's reset values.
struct Regs {  // table 3-1
  Reg<struct MPMCControl,            0x000, R | W, 0x3, Bits<struct CONTROL, 0, 4>> control;
  Reg<struct MPMCStatus,             0x004, R> status;  // idle, buffers empty, not in self-refresh
  Reg<struct MPMCConfig,             0x008, R | W, 0, Bits<struct N, 0>, Bits<struct CLK, 8>> config;
  Reg<struct MPMCDynamicControl,     0x020, R | W, 0x6, Bits<struct DYNAMIC, 0, 15>> dynamic_control;
  Reg<struct MPMCDynamicRefresh,     0x024, R | W, 0, Bits<struct REFRESH, 0, 11>> dynamic_refresh;
  Reg<struct MPMCDynamicReadConfig,  0x028, R | W, 0, Bits<struct RD, 0, 2>> dynamic_read_config;
  Reg<struct MPMCDynamictRP,         0x030, R | W, 0xf, Bits<struct tRP, 0, 4>> rp;
  Reg<struct MPMCDynamictRAS,        0x034, R | W, 0xf, Bits<struct tRAS, 0, 4>> ras;
  Reg<struct MPMCDynamictSREX,       0x038, R | W, 0xf, Bits<struct tSREX, 0, 4>> srex;
  Reg<struct MPMCDynamictAPR,        0x03c, R | W, 0xf, Bits<struct tAPR, 0, 4>> apr;
  Reg<struct MPMCDynamictDAL,        0x040, R | W, 0xf, Bits<struct tDAL, 0, 4>> dal;
  Reg<struct MPMCDynamictWR,         0x044, R | W, 0xf, Bits<struct tWR, 0, 4>> wr;
  Reg<struct MPMCDynamictRC,         0x048, R | W, 0x1f, Bits<struct tRC, 0, 5>> rc;
  Reg<struct MPMCDynamictRFC,        0x04c, R | W, 0x1f, Bits<struct tRFC, 0, 5>> rfc;
  Reg<struct MPMCDynamictXSR,        0x050, R | W, 0x1f, Bits<struct tXSR, 0, 5>> xsr;
  Reg<struct MPMCDynamictRRD,        0x054, R | W, 0xf, Bits<struct tRRD, 0, 4>> rrd;
  Reg<struct MPMCDynamictMRD,        0x058, R | W, 0xf, Bits<struct tMRD, 0, 4>> mrd;
  Reg<struct MPMCStaticExtendedWait, 0x080, R | W, 0, Bits<struct EXTENDEDWAIT, 0, 10>> extended_wait;
  RegArray<struct MPMCDynamicConfig,  0x100, 4, 0x20, R | W> dynamic_config;
  RegArray<struct MPMCDynamicRasCas,  0x104, 4, 0x20, R | W, 0x303> dynamic_ras_cas;
  RegArray<struct MPMCStaticConfig,   0x200, 4, 0x20, R | W> static_config;
  RegArray<struct MPMCStaticWaitWen,  0x204, 4, 0x20, R | W> static_wait_wen;
  RegArray<struct MPMCStaticWaitOen,  0x208, 4, 0x20, R | W> static_wait_oen;
  RegArray<struct MPMCStaticWaitRd,   0x20c, 4, 0x20, R | W, 0x1f> static_wait_rd;
  RegArray<struct MPMCStaticWaitPage, 0x210, 4, 0x20, R | W, 0x1f> static_wait_page;
  RegArray<struct MPMCStaticWaitWr,   0x214, 4, 0x20, R | W, 0x1f> static_wait_wr;
  RegArray<struct MPMCStaticWaitTurn, 0x218, 4, 0x20, R | W, 0xf> static_wait_turn;
  PrimecellId<0x00041172> id;
};

template <class Wires>
struct MpmcPl172 {
  static constexpr std::string_view kind = "mpmc_pl172";
  static constexpr Ports ports{};
  Wires wires;
  Regs r;
};
}  // namespace peripherals::mpmc_pl172
