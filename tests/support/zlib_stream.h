// Streams of zlib with any of its parameters.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <span>

#include "files/file.h"

namespace convtool::testing {

/// The whole stream of a text. The parameters are those of deflateInit2().
inline Bytes zlib_stream(std::span<const std::byte> text, int level, int window, int memory, int strategy) {
  z_stream state = {};
  REQUIRE(deflateInit2(&state, level, Z_DEFLATED, window, memory, strategy) == Z_OK);
  Bytes stream(deflateBound(&state, text.size()) + 1000);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(text.data()));
  state.avail_in = static_cast<uInt>(text.size());
  state.next_out = reinterpret_cast<Bytef*>(stream.data());
  state.avail_out = static_cast<uInt>(stream.size());
  REQUIRE(deflate(&state, Z_FINISH) == Z_STREAM_END);
  stream.resize(state.total_out);
  deflateEnd(&state);
  return stream;
}

}  // namespace convtool::testing
