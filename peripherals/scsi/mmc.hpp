#pragma once
// What a CD or DVD drive says of itself and its medium, whatever bus it is on — Multi-Media Commands 3 (MMC-3).
// The SCSI and the ATAPI drive share these commands: sub-channel, table of contents, configuration, events, disc and
// track information, DVD structure, mechanism status, capabilities.  A medium is one session of one data track.

#include "peripherals/scsi/command.hpp"

namespace peripherals::scsi::mmc {

inline constexpr u32 block_size = 2048;

// Physical interface standards (§5.3.2).
inline constexpr u8 interface_scsi = 1, interface_atapi = 2;

struct Drive {
  bool present = false;  // a medium is in and the tray shut
  bool tray_open = false, locked = false;
  u64 blocks = 0;  // of 2048 bytes
  // What GET EVENT STATUS NOTIFICATION tells once (§6.6.2.4): 1 eject wanted, 2 new medium, 3 medium gone.
  u8* event = nullptr;
  u8 interface = interface_scsi;
};

enum class Answer : u8 { unknown, reply, error };

// Carries out the command `cdb` (12 bytes at least) when it is one of those above: `out` is the reply, cut to the
// allocation length, or `sense` says why not.  Errors that need a medium are found here; unit attention is not.
Answer execute(const Drive& drive, const u8* cdb, std::vector<u8>& out, Sense& sense);

// MODE SENSE page 0x2A, capabilities and mechanical status (§7.2.10), with its two-byte header.
std::vector<u8> capabilities_page(const Drive& drive);

// READ CD (§6.19): the block range and which fields are asked; false with `sense` when we cannot.  Only user data (2048
// bytes of a data sector) can be had, or nothing.
bool read_cd(const u8* cdb, u64& block, u64& count, Sense& sense);
}  // namespace peripherals::scsi::mmc
