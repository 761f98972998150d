#pragma once

#include <cstdint>
#include <string>

namespace headrace {

/// Where chance comes from. The raw sources are used only in core/random.cpp; tests seed their own.
class Random {
 public:
  virtual ~Random() = default;
  /// 64 uniform bits. real_random() may be called from any thread, a seeded one from one thread.
  virtual std::uint64_t next() = 0;

  /// Uniform in [0, bound); 0 if bound is 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  /// A random UUID (version 4), lower case with dashes.
  std::string uuid();
};

/// The machine's randomness. Good for ids and jitter, not for keys.
Random& real_random();

/// The same sequence for the same seed, on every machine (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace headrace
