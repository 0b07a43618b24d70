#include "peripherals/virtio/virtio_rng.hpp"

#include <algorithm>

namespace peripherals::virtio {

void Rng::notified(unsigned) noexcept {
  if (!source_) return;  // buffers wait, as they do for a source that is slow
  Queue& q = *queue(0);
  Chain chain;
  for (u16 n = q.waiting(); n > 0 && q.pop(chain); --n) {
    std::vector<u8> bytes(std::min(total_length(chain.writable), most));
    source_(bytes);
    if (!write(chain.writable, 0, bytes)) return;
    q.push(chain.head, u32(bytes.size()));
  }
  q.notify();
}
}  // namespace peripherals::virtio
