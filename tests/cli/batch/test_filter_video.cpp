// YUV4MPEG2 videos through apply and edges.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/program.h"
#include "support/skip.h"

namespace {

using nlohmann::json;

/// Two frames of 4 x 2 luma and 2 x 1 chroma.
const std::string kHeader = "YUV4MPEG2 W4 H2 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n";
const std::string kVideo = kHeader + "FRAME\nabcdefghuvUV" + "FRAME Xparameter\nijklmnopwxWX";

std::vector<std::string> to_stdout(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"apply", "-", "-o", "-", "-q"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("the luma of a video is filtered; chroma and parameters pass through") {
  const TempFolder folder;
  const std::string shift = R"({"weight": [[1]], "bias": 1})";
  const std::string shifted = kHeader + "FRAME\nbcdefghiuvUV" + "FRAME Xparameter\njklmnopqwxWX";
  for (const std::string jobs : {"1", "3"})
    CHECK(run_convtool(to_stdout({"-k", shift, "-j", jobs}), folder, kVideo).out == shifted);
  CHECK(run_convtool(to_stdout({"-k", shift, "--planes", "all"}), folder, kVideo).out ==
        shifted);  // a bias is of the luma alone
  CHECK(run_convtool(to_stdout({"-k", shift, "--gray"}), folder, kVideo).out ==
        kHeader + "FRAME\nbcdefghi\x80\x80\x80\x80" + "FRAME Xparameter\njklmnopq\x80\x80\x80\x80");

  folder.write("v.y4m", kVideo);
  folder.write("k.json", shift);
  const ProgramResult file = run_convtool({"apply", "v.y4m", "-k", "k.json"}, folder);
  CHECK(file.code == 0);
  CHECK(file.out == "v.y4m 1x2x4 u8 -> v.k.y4m 1x2x4 u8; k 1x1, 2 frames, clipped 0\n");
  CHECK(read_text(folder.file("v.k.y4m")) == shifted);
  const json report = json::parse(run_convtool({"apply", "v.y4m", "-k", "k.json", "--json"}, folder).out);
  CHECK(report["frames"] == 2);
  CHECK(report["min"] == 'a' + 1);
  CHECK(report["max"] == 'p' + 1);
  CHECK(run_convtool({"apply", "v.y4m", "-k", "k.json", "-n"}, folder).out.find("skipped") != std::string::npos);
  CHECK(run_convtool({"apply", "v.y4m", "-k", "k.json", "--manifest", "m"}, folder).code == 0);
  CHECK(run_convtool({"apply", "v.y4m", "-k", "k.json", "--manifest", "m"}, folder).out.find("up to date") !=
        std::string::npos);
}

TEST_CASE("the luma has the pixels of the same picture alone") {
  const TempFolder folder;
  std::string luma;
  for (int i = 0; i < 16 * 12; ++i) luma += static_cast<char>(i * i % 251);
  const std::string picture = "P5\n16 12\n255\n" + luma;
  const std::string video = "YUV4MPEG2 W16 H12 C422\nFRAME\n" + luma + std::string(16 * 12, 'c');
  for (const std::vector<std::string>& command : {std::vector<std::string>{"apply", "-k", "sharpen"},
                                                  {"apply", "-k", "gaussian:sigma=2", "--padding", "same"},
                                                  {"edges"},
                                                  {"edges", "--output-kind", "binary"}}) {
    std::vector<std::string> all = command;
    all.insert(all.end(), {"-", "-o", "-", "-q"});
    const std::string alone = run_convtool(all, folder, picture).out, out = run_convtool(all, folder, video).out;
    REQUIRE(out.size() == video.size());
    CHECK(out.substr(video.find("FRAME") + 6, luma.size()) == alone.substr(alone.size() - luma.size()));
    CHECK(out.ends_with(std::string(16 * 12, command.front() == "apply" ? 'c' : '\x80')));
  }
}

TEST_CASE("chroma is filtered around its neutral value") {
  const TempFolder folder;
  const std::string start = "YUV4MPEG2 W3 H1 C444\nFRAME\n", luma = "\x10\x20\x30";
  const auto chroma = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = to_stdout(more);
    all.insert(all.end(), {"--planes", "all"});
    const ProgramResult result = run_convtool(all, folder, start + luma + "\x7e\x80\x88\xff\x80" + std::string(1, 0));
    CHECK(result.err == "");
    return result.out.substr(result.out.size() - 6);
  };
  const std::string neutral = "\x80\x80\x80\x80\x80\x80";
  // -2, 0, 8 and 127, 0, -128 doubled; clipped to 127 and -128
  CHECK(chroma({"-k", "[[2]]"}) == std::string("\x7c\x80\x90\xff\x80\0", 6));
  CHECK(chroma({"-k", "[[2]]", "--bias", "50"}) == std::string("\x7c\x80\x90\xff\x80\0", 6));
  CHECK(chroma({"-k", "[[1]]", "--map", "offset"}) == "\x7f\x80\x84\xc0\x80\x40");  // 63.5 is rounded to even
  // The neighbour on the left; none is neutral, whatever the padding of the luma.
  CHECK(chroma({"-k", "[[1,0,0]]", "--padding", "same"}) == "\x80\x7e\x80\x80\xff\x80");
  CHECK(chroma({"-k", "[[1,0,0]]", "--padding", "same", "--padding-mode", "constant", "--padding-value", "255"}) ==
        "\x80\x7e\x80\x80\xff\x80");
  // Two layers, the first of which doubles, while the second adds the neighbours.
  CHECK(chroma({"-k", R"({"layers": [{"weight": [[2]], "bias": 9}, {"weight": [[1,1,0]], "padding": "same"}]})"}) ==
        std::string("\x7c\x7c\x90\xff\xff\0", 6));
  for (const std::vector<std::string>& more : {std::vector<std::string>{"-k", "sobel"},
                                               {"-k", "[[1]]", "--map", "abs"},
                                               {"-k", "[[1]]", "--map", "normalize"},
                                               {"-k", "[[1]]", "--threshold", "20"},
                                               {"-k", R"({"weight": [[1]], "activation": "relu"})"},
                                               {"-k", "[[2]]", "--gray"}}) {
    CAPTURE(more[1]);
    CAPTURE(more.back());
    if (more[1] == "sobel") {
      const std::string flat(3 * 16, 'x');
      const std::string out = run_convtool(to_stdout({"-k", "sobel", "--padding", "same", "--planes", "all"}), folder,
                                           "YUV4MPEG2 W4 H4 C444\nFRAME\n" + flat)
                                  .out;
      CHECK(out.ends_with(std::string(32, '\x80')));
    } else {
      CHECK(chroma(more) == neutral);
    }
  }
}

TEST_CASE("samples of more than eight bits are filtered in their range and units") {
  const TempFolder folder;
  const std::string start = "YUV4MPEG2 W4 H1 Cmono10\nFRAME\n";
  const auto bytes = [](const std::vector<int>& samples) {
    std::string text;
    for (const int sample : samples) text += {static_cast<char>(sample & 255), static_cast<char>(sample >> 8)};
    return text;
  };
  const auto expect = [&](const std::vector<std::string>& more, const std::vector<int>& samples) {
    const ProgramResult result = run_convtool(to_stdout(more), folder, start + bytes({0, 100, 1023, 512}));
    CAPTURE(more.back());
    CHECK(result.err == "");
    CHECK(result.out == start + bytes(samples));
  };
  expect({"-k", "[[2]]"}, {0, 200, 1023, 1023});
  expect({"-k", "[[1]]", "--bias", "100"}, {100, 200, 1023, 612});
  expect({"-k", "[[1]]", "--threshold", "500"}, {0, 0, 1023, 1023});
  expect({"-k", "[[-1]]", "--map", "abs"}, {0, 100, 1023, 512});
  expect({"-k", "[[-1]]", "--map", "offset"}, {512, 462, 0, 256});  // 512 - 1023 / 2 is 0.5, rounded to even
  expect({"-k", "[[0.5]]", "--map", "normalize"}, {0, 100, 1023, 512});
  expect({"-k", "[[1,0,0]]", "--padding", "same", "--padding-mode", "constant", "--padding-value", "1000"},
         {1000, 0, 100, 1023});

  folder.write("v.y4m", start + bytes({0, 100, 1023, 512}));
  const json report = json::parse(run_convtool({"apply", "v.y4m", "-k", "[[2]]", "-o", "o.y4m", "--json"}, folder).out);
  CHECK(report["max"] == 2046);
  CHECK(report["clipped"]["high"] == 2);
  // Chroma of 10 bits, too: 512 is neutral.
  CHECK(run_convtool(to_stdout({"-k", "[[2]]", "--planes", "all"}), folder,
                     "YUV4MPEG2 W1 H1 C444p10\nFRAME\n" + bytes({300, 510, 600}))
            .out == "YUV4MPEG2 W1 H1 C444p10\nFRAME\n" + bytes({600, 508, 688}));
}

TEST_CASE("a video whose planes keep their ratio may change its size") {
  const TempFolder folder;
  const std::string mono = "YUV4MPEG2 W3 H2 F1:1 Cmono\nFRAME\nabcdef";
  CHECK(run_convtool(to_stdout({"-k", "[[0,1]]"}), folder, mono).out == "YUV4MPEG2 W2 H2 F1:1 Cmono\nFRAME\nbcef");
  CHECK(run_convtool(to_stdout({"-k", "[[1]]", "--stride", "2", "--planes", "all"}), folder, kVideo).out ==
        "YUV4MPEG2 W2 H1 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\nFRAME\nacuU"
        "FRAME Xparameter\nikwW");
  const ProgramResult luma = run_convtool(to_stdout({"-k", "[[0,1]]"}), folder, kVideo);
  CHECK(luma.code == 1);
  CHECK(luma.out.empty());
  CHECK(luma.err ==
        "convtool: -: the luma would become 3x2 (from 4x2), and other planes keep their size; keep it with --padding "
        "same, or filter all planes with --planes all\n");
  CHECK(run_convtool(to_stdout({"-k", "[[1,1,1]]", "--planes", "all"}), folder,
                     "YUV4MPEG2 W8 H2\nFRAME\n" + std::string(24, 'x'))
            .err ==
        "convtool: -: the luma would become 6x2, to which chroma of 3x1 belongs (got 2x1); keep the size with "
        "--padding same\n");
}

TEST_CASE("bad videos, and outputs that are no videos, are refused") {
  const TempFolder folder;
  const std::string frame = kHeader + "FRAME\nabcdefghuvUV";
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& input,
                           const std::string& message) {
    const ProgramResult result = run_convtool(arguments, folder, input);
    CHECK(result.code == 1);
    CHECK(result.err.find(message) != std::string::npos);
    return result.out;
  };
  const std::vector<std::string> same = to_stdout({"-k", "identity"});
  CHECK(refused(same, frame + "FRAME\nabc", "frame 2, at byte 72: the stream ends in the middle of it") == frame);
  CHECK(refused(same, frame + "?", "frame 2, at byte 72: expected a frame") == frame);
  folder.write("v.y4m", frame + "FRAME\nabc");
  refused({"apply", "v.y4m", "-k", "identity"}, "", "frame 2, at byte 72");
  CHECK(folder.names() == std::vector<std::string>{"v.y4m"});  // all or nothing
  refused(to_stdout({"-k", "identity", "--depth", "u16"}), frame, "a video keeps its depth, u8");
  refused(to_stdout({"-k", "identity", "--depth", "f32"}), frame,
          "1 channel of f32, which a video cannot store; leave --depth out");
  refused(to_stdout({"-k", "identity", "--map", "signed"}), frame,
          "3 channels of u8, which a video cannot store; choose another --map");
  for (const std::string kind : {"overlay", "components"})
    refused({"edges", "-", "--output-kind", kind, "-o", "-"}, frame,
            "which a video cannot store; choose another --output-kind");
  refused({"edges", "-", "--map", "signed", "-o", "-"}, frame,
          "3 channels of u8, which a video cannot store; choose another --map");
  refused(to_stdout({"-k", "[[[[1]]],[[[2]]]]"}), frame,
          "2 channels of u8, which a video cannot store; choose a kernel with one channel of output");
  refused(to_stdout({"-k", "identity", "-k", "identity"}), frame,
          "2 channels of u8, which a video cannot store; combine the channels with --combine");
  refused(to_stdout({"-k", "identity", "--max-pixels", "7"}), frame, "4x2 is more than 7 pixels");
  refused(to_stdout({"-k", "identity", "--format", "png"}), frame, "a video is written as y4m only (got png)");
  refused(to_stdout({"-k", "identity", "--planes", "all"}), "P5 1 1 255\nx", "--planes applies to videos");
  refused({"apply", "-", "-k", "identity", "-o", "x.y4m"}, "P5 1 1 255\nx", "y4m stores a video, and the input is pnm");
  refused({"apply", "-", "-k", "identity", "--sheet", "x.png"}, frame, "--sheet and --dump-layers are for pictures");
  folder.write("plain.y4m", "P5 1 1 255\nx");  // by its content, not by its name
  refused({"apply", "plain.y4m", "-k", "identity"}, "", "y4m stores a video, and the input is pnm");
  folder.write("video.ppm", frame);
  refused({"apply", "video.ppm", "-k", "identity"}, "", "from a file named .y4m or from standard input");
}

TEST_CASE("a video passes through ffmpeg, convtool and ffmpeg in every pixel format") {
  const TempFolder folder;
  if (run_shell("command -v ffmpeg", folder).code != 0) return skip("needs ffmpeg");
  for (const std::string pixels :
       {"yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuva444p", "gray", "yuv420p10le", "yuv422p12le", "gray16le"}) {
    CAPTURE(pixels);
    const std::string ffmpeg = "ffmpeg -hide_banner -loglevel error -y ";
    REQUIRE(run_shell(ffmpeg + "-f lavfi -i testsrc=size=90x62:rate=25 -frames:v 5 -pix_fmt " + pixels +
                          " -strict -1 -f yuv4mpegpipe in.y4m",
                      folder)
                .code == 0);
    CHECK(run_shell("$CONVTOOL apply - -k identity -o - -q < in.y4m | cmp - in.y4m", folder).code == 0);
    CHECK(run_shell("set -o pipefail; $CONVTOOL apply in.y4m -k sharpen -o - -q | " + ffmpeg + "-i - -f null -", folder)
              .code == 0);
  }
}

TEST_CASE("where few frames fit in memory, a video is filtered with fewer of them at a time") {
  const TempFolder folder;
  const std::string frame = "FRAME\n" + std::string(400 * 300, 'x');
  const std::string video = "YUV4MPEG2 W400 H300 Cmono\n" + frame + frame + frame;
  const auto memory = [&](const std::string& jobs, const std::string& limit) {
    std::vector<std::string> dry = {"apply", "-", "-k", "sharpen", "-o", "-", "--dry-run", "--json", "-j", jobs};
    if (!limit.empty()) dry.insert(dry.end(), {"--memory-limit", limit});
    const ProgramResult result = run_convtool(dry, folder, video);
    CAPTURE(result.err);
    return result.code == 0
               ? json::parse(result.err.empty() ? result.out : result.err)["memory_needed"].get<std::int64_t>()
               : std::int64_t{0};
  };
  const std::int64_t two = memory("1", ""), one = two / 2;
  REQUIRE(two > 0);
  CHECK(memory("7", "") == 7 * one);
  CHECK(memory("7", std::to_string(3 * one + one / 2)) == 3 * one);
  CHECK(memory("7", std::to_string(one)) == one);
  CHECK(memory("7", std::to_string(one - 1)) == 0);
  CHECK(run_convtool(to_stdout({"-k", "identity", "--memory-limit", std::to_string(one)}), folder, video).out == video);
}
