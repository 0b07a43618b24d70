#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::lm4549 {
using namespace core;

// National LM4549 AC'97 codec, its registers — LM4549 data sheet (DS100945), register map.
// Not modelled: the mixer's analogue side; power-down bits read as ready.
struct Codec {
  std::array<u16, 64> reg = power_on();  // by register address / 2

  u16 read(u8 address) const { return reg[address / 2 % 64]; }
  void write(u8 address, u16 v);
  // Frames a second of the playback converter.
  u32 playback_rate() const { return reg[0x2c / 2]; }

  static constexpr std::array<u16, 64> power_on();
};

constexpr std::array<u16, 64> Codec::power_on() {
  std::array<u16, 64> r{};
  const auto set = [&](u8 address, u16 v) { r[address / 2] = v; };
  set(0x00, 0x0d50);                                                      // Reset: features
  for (u8 volume : {0x02}) set(volume, 0x8008);                           // master
  for (u8 volume : {0x04, 0x06}) set(volume, 0x8000);                     // headphone, mono
  for (u8 volume : {0x0c, 0x0e}) set(volume, 0x8008);                     // phone, microphone
  for (u8 volume : {0x10, 0x12, 0x14, 0x16, 0x18}) set(volume, 0x8808);   // line, CD, video, aux, PCM
  set(0x1c, 0x8000);                                                      // record gain
  set(0x22, 0x0101);                                                      // 3D
  set(0x26, 0x000f);                                                      // all sections ready
  set(0x28, 0x0001);                                                      // extended audio: variable rate
  set(0x2c, 0xbb80);                                                      // DAC rate 48 kHz
  set(0x32, 0xbb80);                                                      // ADC rate
  set(0x7c, 0x4e53);                                                      // "NSC", LM4549
  set(0x7e, 0x4331);
  return r;
}

inline void Codec::write(u8 address, u16 v) {
  constexpr u16 vra = 1;
  u16& at = reg[address / 2 % 64];
  switch (address & 0x7e) {
    case 0x00: reg = power_on(); break;
    case 0x26: at = u16((v & 0xff00) | 0x000f); break;
    case 0x28: case 0x7c: case 0x7e: break;  // read only
    case 0x2a:
      at = v & vra;
      if (!at) reg[0x2c / 2] = reg[0x32 / 2] = 48000;
      break;
    case 0x2c: case 0x32:
      if (reg[0x2a / 2] & vra) at = v < 4000 ? 4000 : v > 48000 ? 48000 : v;
      break;
    default: at = v;
  }
}
}  // namespace peripherals::lm4549
