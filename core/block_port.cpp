#include "core/block_port.hpp"

#include "core/log.hpp"

namespace core {

// What the backend never has to look at: ranges outside the medium, writes to a read-only one, no medium.
void BlockPort::submit(BlockRequest r) {
  ++in_flight_;
  const bool moves = r.op != BlockOp::flush, changes = moves && r.op != BlockOp::read;
  if (!backend) r.error = BlockError::no_medium;
  else if (changes && read_only) r.error = BlockError::read_only;
  else if (moves && (r.at > size || r.length > size - r.at || (r.at | r.length) % 512))
    r.error = BlockError::out_of_range;
  if (r.error != BlockError::none) return answer(std::move(r));
  if (r.op == BlockOp::read) r.data.resize(r.length);
  backend->submit(std::move(r), [this](BlockRequest finished) { answer(std::move(finished)); });
}

void BlockPort::answer(BlockRequest r) {
  --in_flight_;
  if (done) done(r);
}
}  // namespace core
