#include "io/digest.h"

#define XXH_INLINE_ALL  // no library to load at the start
#include <xxhash.h>

#include <cstdio>

namespace convtool {

std::string digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  char text[40];
  std::snprintf(text, sizeof text, "xxh128:%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

}  // namespace convtool
