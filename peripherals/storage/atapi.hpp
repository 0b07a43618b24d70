#pragma once
#include "peripherals/scsi/command.hpp"

#include "core/block_port.hpp"

namespace peripherals::ide {
using namespace core;

// What a CD or DVD drive does with a command packet — INF-8020i rev. 2.6, MMC-3 (T10 1363-D), SPC-2; the section
// numbers are MMC-3's.  Discs have one data track of 2048-byte blocks.  What SCSI drives are asked about them too is
// answered by scsi/mmc.hpp.
// Not modelled: audio, writing, changers; raw sectors (READ CD) carry no error correction bytes.
using scsi::Sense;

struct PacketState {
  Sense sense;             // of the last command
  bool attention = false;  // a new medium has not been told of yet
  u8 event = 0;            // media event for GET EVENT STATUS NOTIFICATION
};

constexpr u32 packet_size = 12, disc_block = 2048, raw_block = 2352;

struct PacketOutcome {
  enum What : u8 {
    done,
    refused,  // PacketState::sense says why
    reply,    // `bytes` bytes in the buffer go to the host
    read,     // `blocks` blocks from `block` on do, as `block_size` bytes each
    take      // the host sends `bytes` bytes, which change nothing
  } what = done;
  u32 bytes = 0, block = 0, blocks = 0, block_size = disc_block;
};

// Carries out `packet`; replies are laid out in `reply`, at least 2052 bytes.
PacketOutcome execute_packet(PacketState& state, BlockPort& drive, std::span<const u8, packet_size> packet,
                             std::span<u8> reply);
PacketOutcome refuse(PacketState& state, u8 key, u8 code, u8 qualifier = 0);
// The monitor changed or took out the medium.
void medium_changed(PacketState& state, const BlockPort& drive);
// A sector of 2352 bytes around the 2048 that stand at `sector + 16`: sync pattern, address, mode 1 (ECMA-130 §14).
void frame_sector(std::span<u8, raw_block> sector, u32 block);
}  // namespace peripherals::ide
