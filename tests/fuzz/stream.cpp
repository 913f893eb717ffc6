// Streams of several pictures, and videos: no byte is lost or invented, whatever the stream says of its parts.
#include <algorithm>
#include <vector>

#include "fuzz/memory_file.h"
#include "fuzz/picture_seeds.h"
#include "fuzz/target.h"
#include "pictures/stream/picture_stream.h"
#include "pictures/stream/y4m.h"

namespace convtool::fuzz {
namespace stream {

constexpr std::size_t kMost = std::size_t{1} << 20;  // bytes of a picture

bool is_space(std::byte b) { return b == std::byte{' '} || (b >= std::byte{9} && b <= std::byte{13}); }

/// Each picture begins where the one before ends, apart from white space.
bool run_pictures(std::span<const std::byte> input) {
  const MemoryFile file(input);
  StreamReader reader(file.path());
  if (!PictureStream::can_follow(reader.look(PictureStream::kSignature))) return false;
  PictureStream stream(reader, {.bytes = kMost});
  std::uint64_t end = 0;
  std::int64_t count = 0;
  return accepts({ErrorKind::input}, [&] {
    while (const std::optional<StreamedPicture> picture = stream.next()) {
      check(picture->number == ++count, "a picture with the number of another");
      check(
          picture->offset >= end && std::all_of(input.begin() + static_cast<std::ptrdiff_t>(end),
                                                input.begin() + static_cast<std::ptrdiff_t>(picture->offset), is_space),
          "bytes between two pictures");
      end = picture->offset + picture->bytes.size();
      check(end <= input.size() && !picture->bytes.empty() && picture->bytes.size() <= kMost, "an impossible size");
      check(std::equal(picture->bytes.begin(), picture->bytes.end(),
                       input.begin() + static_cast<std::ptrdiff_t>(picture->offset)),
            "other bytes than those of the stream");
    }
    check(std::all_of(input.begin() + static_cast<std::ptrdiff_t>(end), input.end(), is_space), "bytes that are lost");
    check(!stream.next(), "a picture after the end");
  });
}

/// The header has impossible sizes for no plane, and comes back from its line; frames follow one another.
bool run_video(std::span<const std::byte> input) {
  const MemoryFile file(input);
  StreamReader reader(file.path());
  if (!looks_like_y4m(reader.look(kY4mSignature))) return false;
  return accepts({ErrorKind::input}, [&] {
    const Y4mHeader header = read_y4m_header(reader);
    check(header.bits >= 8 && header.bits <= 16 && !header.planes.empty(), "impossible samples");
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < header.planes.size(); ++i) {
      const RasterLayout layout = header.layout(i);
      check(layout.offset == end && layout.size() > 0, "planes that do not follow one another");
      end += layout.size();
    }
    check(end == header.frame_size(), "a frame larger than its planes");
    const Bytes line = header.line();
    const MemoryFile again_file(line);
    StreamReader again_reader(again_file.path());
    const Y4mHeader again = read_y4m_header(again_reader);
    check(again.parameters == header.parameters && again.width == header.width && again.colours == header.colours,
          "a header that changes");
    if (header.frame_size() > kMost) return;
    Y4mReader frames(reader, header);
    std::uint64_t position = reader.position();
    while (const std::optional<Y4mFrame> frame = frames.next()) {
      position += frame->line.size() + frame->planes.size();
      check(frame->planes.size() == header.frame_size() && position == reader.position(), "a frame of another size");
    }
    check(position == input.size(), "bytes that are lost");
  });
}

bool run(std::span<const std::byte> input) {
  const bool is_stream = run_pictures(input);
  return run_video(input) || is_stream;
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all = seeds_of({"YUV4MPEG2 W3 H2 F25:1 C420\nFRAME\nabcdefuUvVFRAME Ip\nabcdefuUvV",
                                     "YUV4MPEG2 W1 H1 Cmono10\nFRAME\nab", "YUV4MPEG2 H1 W2 C411\n",
                                     "YUV4MPEG2 W1 H1 C444alpha XA=B\nFRAME\nyuva",
                                     "P1 2 1 10P2 1 1 9 3 P3 1 1 9 1 2 3", "P5 1 1 255\nxP6 1 1 255\nabcP4 1 1 x"});
  Bytes before;
  for (const Bytes& picture : picture_seeds()) {
    if (!PictureStream::can_follow(picture)) continue;
    all.push_back(before);
    all.back().insert(all.back().end(), picture.begin(), picture.end());
    before = picture;
  }
  return all;
}

}  // namespace stream

Target stream_target() { return {"stream", stream::run, stream::seeds()}; }

}  // namespace convtool::fuzz
