#include "pictures/compression.h"

#include <isa-l.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "pictures/literal_block.h"

namespace convtool {
namespace {

Bytes deflate_by_zlib(std::span<const std::byte> data, int level, PngStrategy strategy) {
  constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
  constexpr int kLargestWindow = 15, kMostMemory = 9;
  z_stream state = {};
  if (deflateInit2(&state, level, Z_DEFLATED, kLargestWindow, kMostMemory, kStrategies[static_cast<int>(strategy)]) !=
      Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&state, deflateEnd);
  Bytes result;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::size_t written = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const auto given = static_cast<uInt>(std::min<std::size_t>(data.size(), std::numeric_limits<uInt>::max()));
    result.resize(written + kPiece);
    state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));  // zlib only reads it
    state.avail_in = given;
    state.next_out = reinterpret_cast<Bytef*>(result.data() + written);
    state.avail_out = static_cast<uInt>(kPiece);
    status = ::deflate(&state, given == data.size() ? Z_FINISH : Z_NO_FLUSH);
    data = data.subspan(given - state.avail_in);
    written += kPiece - state.avail_out;
  }
  result.resize(written);
  return result;
}

/// Empty if `data` is, or if ISA-L fails; then zlib is used.
///
/// Without a dictionary, ISA-L enters the third byte into its table of repetitions at a place computed from the address
/// of its state (.write_first_byte in igzip_icf_body_h1_gr_bt.asm, versions 2.30 to 2.32), and rarely finds others for
/// it. So the first byte is stored, in a block of its own, and is the dictionary of the rest.
Bytes deflate_part_by_isal(std::span<const std::byte> data, bool is_last) {
  if (data.empty()) return {};
  const std::byte stored[] = {std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0xFE}, std::byte{0xFF}, data[0]};
  // Optimal codes of 286 symbols take no more than codes that are all of 9 bits. A block, but for the last, has more
  // than 65536 tokens, each of a byte or more, and a header of at most ISAL_DEF_MAX_HDR_SIZE.
  constexpr std::size_t kTokens = ISAL_DEF_LVL1_EXTRA_LARGE, kFlush = 5;
  const std::size_t blocks = data.size() / 65536 + 2;
  const std::size_t bound =
      std::size(stored) + data.size() + data.size() / 8 + blocks * (ISAL_DEF_MAX_HDR_SIZE + kFlush);
  const auto state = std::make_unique_for_overwrite<isal_zstream>();
  const auto tokens = std::make_unique_for_overwrite<std::uint8_t[]>(kTokens);
  const auto part = std::make_unique_for_overwrite<std::byte[]>(bound);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(data.data()));  // ISA-L only reads it
  isal_deflate_init(state.get());
  state->level = 1;
  state->level_buf = tokens.get();
  state->level_buf_size = kTokens;
  state->flush = FULL_FLUSH;
  state->end_of_stream = is_last;
  state->next_in = bytes + 1;
  state->avail_in = static_cast<std::uint32_t>(data.size() - 1);
  std::byte* const rest = std::copy(std::begin(stored), std::end(stored), part.get());
  state->next_out = reinterpret_cast<std::uint8_t*>(rest);
  state->avail_out = static_cast<std::uint32_t>(bound - std::size(stored));
  const bool is_done = isal_deflate_set_dict(state.get(), bytes, 1) == COMP_OK && isal_deflate(state.get()) == COMP_OK;
  if (!is_done || state->avail_in > 0 || state->avail_out == 0) return {};
  return Bytes(part.get(), rest + state->total_out);
}

Bytes deflate_part_by_zlib(std::span<const std::byte> data, bool is_last) {
  constexpr int kLevel = 4;  // the first that finds long repetitions well
  constexpr int kRawWindow = -15, kMostMemory = 9;
  z_stream state = {};
  if (deflateInit2(&state, kLevel, Z_DEFLATED, kRawWindow, kMostMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&state, deflateEnd);
  constexpr uLong kFlush = 16;
  const uLong bound = deflateBound(&state, data.size()) + kFlush;
  const auto part = std::make_unique_for_overwrite<std::byte[]>(bound);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));  // zlib only reads it
  state.avail_in = static_cast<uInt>(data.size());
  state.next_out = reinterpret_cast<Bytef*>(part.get());
  state.avail_out = static_cast<uInt>(bound);
  ::deflate(&state, is_last ? Z_FINISH : Z_FULL_FLUSH);
  return Bytes(part.get(), part.get() + state.total_out);
}

Bytes deflate_by_search(std::span<const std::byte> data, bool is_last) {
  // ISA-L takes half of libdeflate's time for photographs, at the same size. It makes twice of zlib's size of drawings
  // and flat areas, for which zlib takes little time.
  constexpr std::size_t kMuchSmaller = 8;
  Bytes part = deflate_part_by_isal(data, is_last);
  return part.size() > data.size() / kMuchSmaller ? part : deflate_part_by_zlib(data, is_last);
}

/// Whether `data` becomes smaller by a search for repetitions, judged by a sample from its middle.
bool has_repetitions(std::span<const std::byte> data) {
  constexpr std::size_t kSample = std::size_t{1} << 15;  // the window of Deflate
  const std::size_t size = std::min(data.size(), kSample);
  const auto sample = data.subspan((data.size() - size) / 2, size);
  return deflate_part_by_isal(sample, true).size() < LiteralBlock(sample).size();
}

/// One block after another, as a part.
Bytes deflate_literals(std::span<const LiteralBlock> blocks, bool is_last) {
  constexpr std::size_t kFlush = 1 + 4, kRoom = 8;  // an empty stored block; what BitPacker wants
  std::size_t bound = kFlush + kRoom;
  for (const LiteralBlock& block : blocks) bound += block.size();
  Bytes part(bound);
  BitPacker writer(part.data());
  for (const LiteralBlock& block : blocks) block.write(is_last && &block == &blocks.back(), writer);
  if (!is_last) LiteralBlock({}).write(false, writer);
  writer.align();
  part.resize(static_cast<std::size_t>(writer.end() - part.data()));
  return part;
}

/// The number of bytes that a stream decompresses to, or nothing if that is more than `most` or the checksum is wrong.
/// Takes more time than libdeflate, and no memory.
std::optional<std::size_t> measure_stream(std::span<const std::byte> stream, std::size_t most) {
  z_stream state = {};
  if (inflateInit(&state) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&state, inflateEnd);
  std::vector<Bytef> piece(std::size_t{1} << 16);
  int status = Z_OK;
  while (status == Z_OK && state.total_out <= most) {
    if (state.avail_in == 0) {
      const std::size_t given = std::min<std::size_t>(stream.size(), std::numeric_limits<uInt>::max());
      state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));  // zlib only reads it
      state.avail_in = static_cast<uInt>(given);
      stream = stream.subspan(given);
    }
    state.next_out = piece.data();
    state.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&state, Z_NO_FLUSH);  // Z_BUF_ERROR when the stream ends too early
  }
  if (status != Z_STREAM_END || state.total_out > most) return std::nullopt;
  return state.total_out;
}

}  // namespace

std::string isal_version() {
  return std::to_string(ISAL_MAJOR_VERSION) + "." + std::to_string(ISAL_MINOR_VERSION) + "." +
         std::to_string(ISAL_PATCH_VERSION);
}

Bytes deflate(std::span<const std::byte> data, int level, std::optional<PngStrategy> strategy) {
  if (strategy) return deflate_by_zlib(data, level, *strategy);
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
      libdeflate_alloc_compressor(level), libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  // The bound is as large as the data, the result usually much smaller; pages that are not written take no memory.
  const std::size_t bound = libdeflate_zlib_compress_bound(compressor.get(), data.size());
  const auto stream = std::make_unique_for_overwrite<std::byte[]>(bound);
  const std::size_t size = libdeflate_zlib_compress(compressor.get(), data.data(), data.size(), stream.get(), bound);
  return Bytes(stream.get(), stream.get() + size);
}

Bytes deflate_part(std::span<const std::byte> data, bool is_last) {
  if (data.empty() || has_repetitions(data)) return deflate_by_search(data, is_last);
  std::vector<LiteralBlock> blocks;
  cut_evenly(std::ssize(data), LiteralBlock::kMost, [&](std::int64_t begin, std::int64_t end) {
    blocks.emplace_back(data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  });
  // Flat parts of a picture become much smaller than the shortest codes of literals.
  const auto is_flat = [](const LiteralBlock& block) { return block.size() < block.data().size() / 5; };
  Bytes part;
  for (auto block = blocks.begin(); block != blocks.end();) {
    const bool is_run_flat = is_flat(*block);
    const auto end = std::find_if(block, blocks.end(), [&](const auto& next) { return is_flat(next) != is_run_flat; });
    const bool has_end = is_last && end == blocks.end();
    const std::span<const LiteralBlock> run(block, end);
    Bytes bytes = is_run_flat ? deflate_by_search({run.front().data().begin(), run.back().data().end()}, has_end)
                              : deflate_literals(run, has_end);
    if (part.empty())
      part = std::move(bytes);
    else
      part.insert(part.end(), bytes.begin(), bytes.end());
    block = end;
  }
  return part;
}

Bytes deflate_fast(std::span<const std::byte> data) {
  Bytes stream = deflate_part(data, true);
  stream.insert(stream.begin(), std::begin(kZlibHeader), std::end(kZlibHeader));
  const std::uint32_t checksum = adler32_of(data, kAdler32OfNothing);
  for (int shift = 24; shift >= 0; shift -= 8) stream.push_back(static_cast<std::byte>(checksum >> shift));
  return stream;
}

std::string inflate_start(std::span<const std::byte> stream, std::size_t most) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  std::string text(std::min(most, kMost), '\0');
  z_stream state = {};
  state.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));  // zlib only reads it
  state.avail_in = static_cast<uInt>(std::min(stream.size(), kMost));
  state.next_out = reinterpret_cast<Bytef*>(text.data());
  state.avail_out = static_cast<uInt>(text.size());
  if (inflateInit(&state) != Z_OK) return {};
  inflate(&state, Z_SYNC_FLUSH);
  text.resize(text.size() - state.avail_out);
  inflateEnd(&state);
  return text;
}

std::optional<Bytes> inflate_whole(std::span<const std::byte> stream, std::size_t most) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  constexpr std::size_t kLeast = 4096, kUsualRatio = 4;
  for (std::size_t room = std::min(most, std::max(kLeast, kUsualRatio * stream.size()));;
       room = std::min(most, kUsualRatio * room)) {
    Bytes text(room);
    std::size_t size = 0;
    const libdeflate_result result =
        libdeflate_zlib_decompress(decompressor.get(), stream.data(), stream.size(), text.data(), text.size(), &size);
    if (result == LIBDEFLATE_SUCCESS) {
      text.resize(size);
      return text;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE || room == most) return std::nullopt;
  }
}

bool inflate_raw(std::span<const std::byte> stream, std::span<std::byte> text) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  std::size_t used = 0, produced = 0;
  return libdeflate_deflate_decompress_ex(decompressor.get(), stream.data(), stream.size(), text.data(), text.size(),
                                          &used, &produced) == LIBDEFLATE_SUCCESS &&
         used == stream.size() && produced == text.size();
}

std::optional<std::size_t> size_of_sound_stream(std::span<const std::byte> stream, std::size_t size, std::size_t most) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  const auto output = std::make_unique_for_overwrite<std::byte[]>(size);
  std::size_t used = 0, produced = 0;
  switch (libdeflate_zlib_decompress_ex(decompressor.get(), stream.data(), stream.size(), output.get(), size, &used,
                                        &produced)) {
    case LIBDEFLATE_SUCCESS: return produced == size ? std::optional(size) : std::nullopt;
    case LIBDEFLATE_INSUFFICIENT_SPACE: return measure_stream(stream, most);
    default: return std::nullopt;
  }
}

std::uint32_t crc32_of(std::span<const std::byte> data, std::uint32_t before) {
  return data.empty() ? before
                      : libdeflate_crc32(before, data.data(), data.size());  // libdeflate restarts at a null pointer
}

std::uint32_t adler32_of(std::span<const std::byte> data, std::uint32_t before) {
  return data.empty() ? before : libdeflate_adler32(before, data.data(), data.size());
}

std::uint32_t join_adler32(std::uint32_t first, std::uint32_t second, std::size_t size) {
  return static_cast<std::uint32_t>(adler32_combine(first, second, static_cast<z_off_t>(size)));
}

}  // namespace convtool
