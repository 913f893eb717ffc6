#include "pictures/tiff/libtiff_file.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <new>
#include <string_view>

#include "files/byte_reader.h"

namespace convtool {
namespace {

// Messages of libtiff 4.5 to 4.7 while it decodes a strip or tile that do not mean a lost pixel.
constexpr std::string_view kHarmless[] = {
    "not terminated with EOI code",      // LZW; a decoder that lacks data reports that too
    "Old-style LZW codes",               // decoded by methods of their own
    "Too large strip byte count",        // bytes after the data; libtiff reads fewer
    "Too large tile byte count",         // the same
    "extraneous bytes before marker",    // JPEG; bytes between its segments
    "encoded with progressive mode",     // JPEG; a warning to other readers
    "JPEG strip size exceeds expected",  // the last strip of a picture may have spare rows
    "old-style JPEG compression",        // a warning about the format
    "ubsampling",                        // JPEG: libtiff takes the factors from the data, not from the tag
    "Unexpected version number",         // LERC
};

struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

std::unique_ptr<TIFFOpenOptions, FreeOptions> open_options(void* file, TIFFErrorHandlerExtR on_error,
                                                           TIFFErrorHandlerExtR on_warning) {
  std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, file);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, file);
  return options;
}

std::uint64_t sought(std::uint64_t position, std::uint64_t size, toff_t offset, int whence) {
  return offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : size);
}

constexpr int kHandled = 1;  // libtiff then does not call its global handlers, which print

int ignore(TIFF*, void*, const char*, const char*, va_list) { return kHandled; }

int close_nothing(thandle_t) { return 0; }
void unmap_nothing(thandle_t, void*, toff_t) {}
tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }
int map_nothing(thandle_t, void**, toff_t*) { return 0; }

/// The start of `bytes`, with `page_at`, where it is not 0, in place of the offset of the first directory. libtiff
/// would otherwise find a page by walking through all before it (TIFFSetSubDirectory).
std::array<std::byte, 16> header_for_page(std::span<const std::byte> bytes, std::uint64_t page_at) {
  std::array<std::byte, 16> header = {};
  std::copy_n(bytes.begin(), std::min(bytes.size(), header.size()), header.begin());
  if (page_at == 0) return header;
  constexpr std::byte kBigEndian{'M'}, kBigTiff{43};
  const bool swaps = header[0] == kBigEndian, is_big = header[swaps ? 3 : 2] == kBigTiff;
  const std::size_t size = is_big ? 8 : 4;  // of the offset, which begins at the same place
  for (std::size_t i = 0; i < size; ++i)
    header[size + i] = static_cast<std::byte>(page_at >> 8 * (swaps ? size - 1 - i : i));
  return header;
}

}  // namespace

int TiffInput::complain(TIFF*, void* input, const char*, const char* format, va_list values) {
  char message[256];
  std::vsnprintf(message, sizeof message, format, values);
  const std::string_view text = message;
  const bool is_harmless = std::any_of(std::begin(kHarmless), std::end(kHarmless), [text](std::string_view words) {
    return text.find(words) != std::string_view::npos;
  });
  if (!is_harmless) static_cast<TiffInput*>(input)->has_complaints_ = true;
  return kHandled;
}

tmsize_t TiffInput::read(thandle_t input, void* to, tmsize_t size) {
  auto& self = *static_cast<TiffInput*>(input);
  if (self.position_ >= self.bytes_.size() || size <= 0) return 0;
  const std::size_t count = std::min(static_cast<std::size_t>(size), self.bytes_.size() - self.position_);
  std::memcpy(to, self.bytes_.data() + self.position_, count);
  if (self.position_ < self.header_.size())
    std::memcpy(to, self.header_.data() + self.position_,
                std::min<std::size_t>(count, self.header_.size() - self.position_));
  self.position_ += count;
  return static_cast<tmsize_t>(count);
}

toff_t TiffInput::seek(thandle_t input, toff_t offset, int whence) {
  auto& self = *static_cast<TiffInput*>(input);
  return self.position_ = sought(self.position_, self.bytes_.size(), offset, whence);
}

toff_t TiffInput::size(thandle_t input) { return static_cast<TiffInput*>(input)->bytes_.size(); }

int TiffInput::map(thandle_t input, void** base, toff_t* size) {
  const auto& self = *static_cast<TiffInput*>(input);
  *base = const_cast<std::byte*>(self.bytes_.data());  // libtiff only reads it
  *size = self.bytes_.size();
  return 1;
}

TiffInput::TiffInput(std::span<const std::byte> bytes, std::uint64_t most_memory, std::uint64_t page_at)
    : bytes_(bytes), header_(header_for_page(bytes, page_at)) {
  constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;
  const auto options = open_options(this, complain, complain);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(std::min(most_memory, kUnlimited)));
  // "c": libtiff does not split large uncompressed strips, whose tables would then differ from those of the file.
  tiff_.reset(TIFFClientOpenExt("", "rc", this, read, write_nothing, seek, close_nothing, size, map, unmap_nothing,
                                options.get()));
  if (!tiff_) throw_damaged("TIFF", "its directory cannot be read");
  forget_complaints();  // those about tags
}

std::span<const std::byte> TiffInput::stored_block(std::uint32_t number) const {
  const std::uint64_t offset = TIFFGetStrileOffset(get(), number), count = TIFFGetStrileByteCount(get(), number);
  if (offset > bytes_.size() || count > bytes_.size() - offset) return {};
  return bytes_.subspan(offset, count);
}

int TiffOutput::complain(TIFF*, void* output, const char*, const char*, va_list) {
  static_cast<TiffOutput*>(output)->has_failed_ = true;
  return kHandled;
}

tmsize_t TiffOutput::read(thandle_t output, void* to, tmsize_t size) {
  auto& self = *static_cast<TiffOutput*>(output);
  if (self.position_ >= self.bytes_.size() || size <= 0) return 0;
  const std::size_t count = std::min(static_cast<std::size_t>(size), self.bytes_.size() - self.position_);
  std::memcpy(to, self.bytes_.data() + self.position_, count);
  self.position_ += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t TiffOutput::write(thandle_t output, void* from, tmsize_t size) {
  auto& self = *static_cast<TiffOutput*>(output);
  const auto* const first = static_cast<const std::byte*>(from);
  const std::uint64_t end = self.position_ + static_cast<std::uint64_t>(size);
  try {
    if (self.position_ == self.bytes_.size()) {
      self.bytes_.insert(self.bytes_.end(), first, first + size);
    } else {
      if (end > self.bytes_.size()) self.bytes_.resize(end);
      std::memcpy(self.bytes_.data() + self.position_, first, static_cast<std::size_t>(size));
    }
  } catch (const std::bad_alloc&) {  // must not pass through libtiff
    self.lacks_memory_ = true;
    return -1;
  }
  self.position_ = end;
  return size;
}

toff_t TiffOutput::seek(thandle_t output, toff_t offset, int whence) {
  auto& self = *static_cast<TiffOutput*>(output);
  return self.position_ = sought(self.position_, self.bytes_.size(), offset, whence);
}

toff_t TiffOutput::size(thandle_t output) { return static_cast<TiffOutput*>(output)->bytes_.size(); }

TiffOutput::TiffOutput(bool big, std::size_t expected) {
  bytes_.reserve(expected);  // the system provides memory where bytes are written, not before
  const auto options = open_options(this, complain, ignore);
  tiff_.reset(TIFFClientOpenExt("", big ? "w8" : "w", this, read, write, seek, close_nothing, size, map_nothing,
                                unmap_nothing, options.get()));
  if (!tiff_) throw std::bad_alloc();
}

Bytes TiffOutput::finish() {
  tiff_.reset();
  if (lacks_memory_) throw std::bad_alloc();
  if (has_failed_) return {};
  return std::move(bytes_);
}

}  // namespace convtool
