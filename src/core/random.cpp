#include "core/random.h"

#include <fmt/format.h>

#include <random>

namespace headrace {
namespace {

class MachineRandom final : public Random {
 public:
  std::uint64_t next() override {
    thread_local SeededRandom generator = [] {
      std::random_device device;
      return SeededRandom((std::uint64_t{device()} << 32) ^ device());
    }();
    // One draw of real randomness per thread, then splitmix64: ids stay distinct between processes.
    return generator.next();
  }
};

}  // namespace

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  const std::uint64_t reject = (0 - bound) % bound;  // Keeps the answer uniform.
  while (true) {
    const std::uint64_t value = next();
    if (value >= reject) return value % bound;
  }
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::string Random::uuid() {
  const std::uint64_t high = (next() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (next() & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFULL);
}

Random& real_random() {
  static MachineRandom random;
  return random;
}

std::uint64_t SeededRandom::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace headrace
