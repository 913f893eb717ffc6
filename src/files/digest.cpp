#include "files/digest.h"

#define XXH_INLINE_ALL  // saves loading a library at every start
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

namespace convtool {
namespace {

std::string hex_text(const XXH128_hash_t& hash) {
  char text[40];
  std::snprintf(text, sizeof text, "xxh128:%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

}  // namespace

std::string digest_of(std::span<const std::byte> bytes) { return hex_text(XXH3_128bits(bytes.data(), bytes.size())); }

std::string digest_of_file(const std::string& path) { return digest_of_file(RandomAccessFile(path, ErrorKind::input)); }

std::string digest_of_file(const RandomAccessFile& file) {
  constexpr std::uint64_t kPiece = 1 << 20;
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_128bits_reset(state.get());
  std::vector<std::byte> piece(std::min(file.size(), kPiece));
  for (std::uint64_t at = 0; at < file.size(); at += kPiece) {
    piece.resize(std::min(file.size() - at, kPiece));
    file.read(at, piece);
    XXH3_128bits_update(state.get(), piece.data(), piece.size());
  }
  return hex_text(XXH3_128bits_digest(state.get()));
}

}  // namespace convtool
