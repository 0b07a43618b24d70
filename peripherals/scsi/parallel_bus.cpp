#include "peripherals/scsi/parallel_bus.hpp"

#include <algorithm>

namespace peripherals::scsi {
namespace {
// Message codes (SPI-3 §16).
enum Message : u8 {
  COMMAND_COMPLETE = 0x00,
  EXTENDED = 0x01,
  SAVE_DATA_POINTER = 0x02,
  DISCONNECT = 0x04,
  INITIATOR_DETECTED_ERROR = 0x05,
  ABORT_TASK_SET = 0x06,
  MESSAGE_REJECT = 0x07,
  NO_OPERATION = 0x08,
  PARITY_ERROR = 0x09,
  TARGET_RESET = 0x0c,
  ABORT_TASK = 0x0d,
  CLEAR_TASK_SET = 0x0e,
  SIMPLE = 0x20,
  HEAD_OF_QUEUE = 0x21,
  ORDERED = 0x22,
  IDENTIFY = 0x80,
};
enum ExtendedMessage : u8 { SDTR = 0x01, WDTR = 0x03, PPR = 0x04 };
constexpr u8 fastest_period = 0x0a, deepest_offset = 31;  // Fast-40
constexpr std::size_t longest_messages = 512;             // more than one message-out phase can sensibly hold
}  // namespace

ParallelBus::ParallelBus() {
  targets.changed = [this](Command& c) { woken(c); };
}

bool ParallelBus::select(unsigned target, bool with_attention) {
  if (connected_ || !targets.present(target)) return false;
  connected_ = true;
  stalled_ = held_ = may_disconnect_ = false;
  attention_ = with_attention;
  nexus_ = {};
  nexus_.target = u8(target);
  command_ = nullptr;
  out_.clear(), in_.clear();
  after_ = After::go_on;
  phase_ = with_attention ? Phase::message_out : Phase::command;
  return true;
}

bool ParallelBus::reselect() {
  Command* c = connected_ ? nullptr : targets.ready();
  if (!c) return false;
  connected_ = true;
  stalled_ = held_ = attention_ = false;
  may_disconnect_ = true;
  nexus_ = {};
  nexus_.target = c->target, nexus_.lun = c->lun, nexus_.tag = c->tag, nexus_.queue = c->queue;
  command_ = c;
  c->disconnected = false;
  std::vector<u8> identify{u8(IDENTIFY | c->lun)};
  if (c->queue != Queue::untagged) identify.insert(identify.end(), {u8(SIMPLE), c->tag});
  message_in(std::move(identify), After::go_on);
  return true;
}

void ParallelBus::bus_free() {
  connected_ = attention_ = stalled_ = held_ = false;
  command_ = nullptr;
  in_.clear(), out_.clear();
}

void ParallelBus::reset() {
  bus_free();
  targets.reset(sense::bus_reset);
}
void ParallelBus::release() {
  if (!connected_) return;
  if (command_) targets.abort(nexus_);
  bus_free();
}

void ParallelBus::message_in(std::vector<u8> bytes, After after) {
  in_ = std::move(bytes);
  taken_ = 0;
  after_ = after;
  phase_ = Phase::message_in;
}

// What the target does next.
void ParallelBus::settle() {
  stalled_ = false;
  out_.clear();
  if (!command_) {
    phase_ = Phase::command;
    return;
  }
  switch (command_->stage) {
    case Stage::data_in: phase_ = Phase::data_in; return;
    case Stage::data_out: phase_ = Phase::data_out; return;
    case Stage::done: phase_ = Phase::status; return;
    case Stage::queued:
    case Stage::busy: break;
  }
  if (!may_disconnect_ || (command_->moving && command_->left)) {
    stalled_ = true;
    return;
  }
  if (command_->moving) message_in({SAVE_DATA_POINTER, DISCONNECT}, After::disconnect);
  else message_in({DISCONNECT}, After::disconnect);
}

// A command stopped waiting.
void ParallelBus::woken(Command& c) {
  if (connected_ && &c == command_ ? !stalled_ : !c.disconnected) return;
  if (connected_ && &c == command_) settle();
  if (changed) changed();
}

std::size_t ParallelBus::put(std::span<const u8> from) {
  if (!request() || from.empty()) return 0;
  switch (phase_) {
    case Phase::message_out: {
      const std::size_t n = std::min(from.size(), longest_messages - std::min(out_.size(), longest_messages));
      out_.insert(out_.end(), from.begin(), from.begin() + long(n));
      if (!attention_) messages_out();
      return from.size();
    }
    case Phase::command:
      // Initiators that do not know the length send 16 bytes; what is too much is not looked at.
      out_.insert(out_.end(), from.begin(), from.begin() + long(std::min<std::size_t>(from.size(), 16)));
      command_bytes();
      return from.size();
    case Phase::data_out: {
      const std::size_t n = targets.put(*command_, from);
      if (command_->stage != Stage::data_out) settle();
      return n;
    }
    default: return 0;
  }
}

std::size_t ParallelBus::take(std::span<u8> to) {
  if (!request() || to.empty()) return 0;
  switch (phase_) {
    case Phase::data_in: {
      const std::size_t n = targets.take(*command_, to);
      if (command_->stage != Stage::data_in) settle();
      return n;
    }
    case Phase::status:
      to[0] = command_->status;
      message_in({COMMAND_COMPLETE}, After::complete);
      return 1;
    case Phase::message_in: {
      const std::size_t n = std::min(to.size(), in_.size() - taken_);
      std::copy_n(in_.begin() + long(taken_), n, to.begin());
      taken_ += n;
      held_ = true;
      return n;
    }
    default: return 0;
  }
}

void ParallelBus::command_bytes() {
  if (out_.size() < cdb_length(out_[0])) return;
  nexus_.cdb = {};
  std::copy_n(out_.begin(), cdb_length(out_[0]), nexus_.cdb.begin());
  command_ = nullptr;
  command_ = &targets.begin(nexus_);
  settle();
}

void ParallelBus::accept() {
  if (!connected_ || !held_) return;
  held_ = false;
  if (attention_) {
    out_.clear();
    phase_ = Phase::message_out;
  } else if (taken_ == in_.size()) {
    message_done();
  }
}

void ParallelBus::message_done() {
  in_.clear();
  switch (after_) {
    case After::go_on: return settle();
    case After::complete: {
      Command* c = command_;
      bus_free();
      targets.finish(*c);
      return;
    }
    case After::disconnect: {
      Command* c = command_;
      if (!c->waits()) return settle();  // ready after all
      bus_free();
      c->disconnected = true;
      return;
    }
  }
}

void ParallelBus::attention(bool on) {
  if (!connected_ || on == attention_) return;
  attention_ = on;
  if (on && phase_ != Phase::message_out && phase_ != Phase::message_in) {
    stalled_ = false;
    out_.clear();
    phase_ = Phase::message_out;
  } else if (!on && phase_ == Phase::message_out && !out_.empty()) {
    messages_out();
  }
}

// All bytes of a message-out phase are there.
void ParallelBus::messages_out() {
  std::vector<u8> answer;
  const std::vector<u8> bytes = std::move(out_);
  out_.clear();
  for (std::size_t at = 0, length = 1; at < bytes.size() && connected_; at += length)
    if (!message(std::span(bytes).subspan(at), length, answer)) {
      answer.push_back(MESSAGE_REJECT);
      break;
    }
  if (!connected_) return;
  if (!answer.empty()) return message_in(std::move(answer), after_);
  if (after_ == After::go_on || !command_) settle();
  else message_done();
}

// The message at the front of `rest` and its length; false when the target rejects it.
bool ParallelBus::message(std::span<const u8> rest, std::size_t& length, std::vector<u8>& answer) {
  const u8 code = rest[0];
  length = 1;
  if (code & IDENTIFY) {
    if (command_) return false;
    nexus_.lun = code & 7;
    may_disconnect_ = code & 0x40;
    return true;
  }
  switch (code) {
    case SIMPLE:
    case HEAD_OF_QUEUE:
    case ORDERED:
      if (rest.size() < 2 || command_) return false;
      length = 2;
      nexus_.queue = code == SIMPLE ? Queue::simple : code == ORDERED ? Queue::ordered : Queue::head;
      nexus_.tag = rest[1];
      return true;
    case EXTENDED: {
      if (rest.size() < 3) return false;
      length = 2u + (rest[1] ? rest[1] : 256u);  // 0 stands for 256
      if (rest.size() < length) return false;
      std::vector<u8> reply(rest.begin(), rest.begin() + long(length));
      if (reply[2] == SDTR && length == 5) {
        reply[3] = std::max(reply[3], fastest_period), reply[4] = std::min(reply[4], deepest_offset);
      } else if (reply[2] == WDTR && length == 4) {
        reply[3] = std::min<u8>(reply[3], 1);
      } else if (reply[2] == PPR && length == 8) {
        reply[3] = std::max(reply[3], fastest_period), reply[5] = std::min(reply[5], deepest_offset);
        reply[6] = std::min<u8>(reply[6], 1), reply[7] = 0;  // no double transition
      } else {
        return false;
      }
      answer.insert(answer.end(), reply.begin(), reply.end());
      return true;
    }
    case MESSAGE_REJECT:
      if (after_ == After::disconnect) after_ = After::go_on, may_disconnect_ = false;
      return true;
    case NO_OPERATION:
    case PARITY_ERROR:
    case INITIATOR_DETECTED_ERROR: return true;
    case ABORT_TASK_SET:
    case CLEAR_TASK_SET:
      command_ = nullptr;
      targets.abort_unit(nexus_.target, nexus_.lun);
      break;
    case ABORT_TASK:
      command_ = nullptr;
      targets.abort(nexus_);
      break;
    case TARGET_RESET:
      command_ = nullptr;
      targets.reset_target(nexus_.target, sense::target_reset);
      break;
    default: return false;
  }
  bus_free();
  return true;
}
}  // namespace peripherals::scsi
