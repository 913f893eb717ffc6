// Standard input of several pictures, filtered picture by picture to standard output, as in a pipe of ffmpeg.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "files/descriptor.h"
#include "support/program.h"
#include "support/skip.h"
#include "support/zip_file.h"

namespace {

using nlohmann::json;

/// A grey picture of one value.
std::string grey(int width, int height, char value) {
  return "P5\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" +
         std::string(static_cast<std::size_t>(width * height), value);
}

const std::vector<std::string> kPipe = {"apply", "-", "-k", "identity", "-o", "-"};

std::vector<std::string> with(std::vector<std::string> options, const std::vector<std::string>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

TEST_CASE("each picture of standard input comes out in order, as if it were alone") {
  const TempFolder folder;
  std::string input, expected;
  for (int i = 0; i < 40; ++i) {  // large ones, which take longer than the small ones after them
    const std::string picture =
        grey(i % 4 == 0 ? 800 : 3 + i % 5, i % 4 == 0 ? 600 : 4 + i % 3, static_cast<char>(7 * i));
    const std::string alone = run_convtool({"apply", "-", "-k", "sharpen", "-o", "-", "-q"}, folder, picture).out;
    CHECK(alone.size() == picture.size());
    input += picture;
    expected += alone;
  }
  for (const std::string jobs : {"1", "4"})
    CHECK(run_convtool({"apply", "-", "-k", "sharpen", "-o", "-", "-q", "-j", jobs}, folder, input).out == expected);
  const ProgramResult edges = run_convtool({"edges", "-", "-q"}, folder, input);
  CHECK(edges.code == 0);
  CHECK(edges.out.size() == expected.size());
}

TEST_CASE("each picture has a report, and warnings are not repeated") {
  const TempFolder folder;
  const std::string input = grey(3, 2, 'a') + grey(4, 2, 'b') + grey(3, 2, 'c');
  const ProgramResult text = run_convtool(kPipe, folder, input);
  CHECK(lines_of(text.err) == std::vector<std::string>{"- 1x2x3 u8 -> - 1x2x3 u8; identity 1x1, clipped 0",
                                                       "- picture 2 1x2x4 u8 -> - 1x2x4 u8; identity 1x1, clipped 0",
                                                       "- picture 3 1x2x3 u8 -> - 1x2x3 u8; identity 1x1, clipped 0",
                                                       lines_of(text.err).back()});
  CHECK(lines_of(text.err).back().starts_with("convtool: 3 done, 0 skipped, 0 failed; "));
  const ProgramResult lines = run_convtool(with(kPipe, {"--json"}), folder, input);
  for (int i = 0; i < 3; ++i) {
    const json report = json::parse(lines_of(lines.err)[static_cast<std::size_t>(i)]);
    CHECK(report["picture"] == i + 1);
    CHECK(report["input_shape"] == json({1, 2, i == 1 ? 4 : 3}));
  }

  // One picture is as it always was.
  const ProgramResult alone =
      run_convtool({"apply", "-", "-k", R"({"weight": [[9]], "padding": 0})", "-o", "-"}, folder, grey(30, 20, 100));
  CHECK(alone.err.find("warning") != std::string::npos);
  CHECK(alone.err.find("not repeated") == std::string::npos);

  const std::string changing = grey(3, 2, 'a') + "P2 1 1 255 7\n" +
                               run_convtool(with(kPipe, {"--format", "png", "-q"}), folder, grey(3, 2, 'b')).out;
  const ProgramResult mixed = run_convtool(kPipe, folder, changing + changing);
  CHECK(mixed.code == 0);
  std::vector<std::string> warnings = lines_of(mixed.err);
  std::erase_if(warnings, [](const std::string& line) { return line.find("warning") == std::string::npos; });
  CHECK(warnings == std::vector<std::string>{
                        "convtool: warning: -: picture 3: is PNG, the picture before it PNM, and so are their outputs; "
                        "--format keeps one format (not repeated for other pictures)"});
  // Where all outputs have one format, nothing is to be said.
  CHECK(run_convtool({"apply", "-", "-k", "identity", "-o", "f-{n}.png"}, folder, changing).err.find("warning") ==
        std::string::npos);
  CHECK(run_convtool(with(kPipe, {"--format", "pgm", "-q"}), folder, changing).out ==
        grey(3, 2, 'a') + grey(1, 1, 7) + grey(3, 2, 'b'));
}

TEST_CASE("damage ends a stream with an error, and the pictures before it are out") {
  const TempFolder folder;
  const std::string two = grey(3, 2, 'a') + grey(3, 2, 'b');
  const auto check = [&](const std::string& input, const std::string& out, const std::string& message) {
    const ProgramResult result = run_convtool(with(kPipe, {"-q"}), folder, input);
    CHECK(result.code == 1);
    CHECK(result.out == out);
    CHECK(result.err == "convtool: -: " + message + "\n");
  };
  check(two + grey(3, 2, 'c').substr(0, 15), two, "picture 3: at byte 34: the stream ends in the middle of it");
  check(two + "\n", two,
        "picture 3: at byte 34: the bytes after picture 2 are not a PNG, JPEG or PNM; if they belong to that picture, "
        "give it as a file of its own");
  check(grey(3, 2, 'a').substr(0, 15), "", "damaged or truncated PNM (it ends too early)");
  const std::string png = run_convtool(with(kPipe, {"--format", "png", "-q"}), folder, grey(3, 2, 'a')).out;
  std::string broken = png;
  broken[broken.find("IDAT")] = '?';
  check(png + broken + png, png,
        "picture 2: at byte " + std::to_string(png.size()) +
            ": damaged or truncated PNG (something other than a chunk before its end); the pictures after it are not "
            "read");
  // A damaged picture whose end is known is left out.
  check(grey(3, 2, 'a') + "P5 0 3 255\n" + grey(3, 2, 'b'), two, "picture 2: a picture without pixels (0x3)");
  const ProgramResult first =
      run_convtool(with(kPipe, {"-q", "--fail-fast"}), folder, grey(3, 2, 'a') + "P5 0 3 255\n" + grey(3, 2, 'b'));
  CHECK(first.code == 1);
  CHECK(first.out == grey(3, 2, 'a'));
}

TEST_CASE("one file takes one picture, and numbered files take several") {
  const TempFolder folder;
  const std::string two = grey(3, 2, 'a') + grey(3, 2, 'b');
  const ProgramResult one = run_convtool({"apply", "-", "-k", "identity", "-o", "x.pgm"}, folder, two);
  CHECK(one.code == 1);
  CHECK(one.err ==
        "convtool: -: has more than one picture, and 'x.pgm' takes one; write all to -, or to numbered files, such as "
        "-o 'frame-{n}.png'\n");
  CHECK(run_convtool({"apply", "-", "-k", "identity", "--out-dir", "out"}, folder, two).code == 1);
  CHECK(run_convtool({"apply", "-", "-k", "identity", "-o", "x.pgm"}, folder, grey(3, 2, 'a') + "?").code == 1);
  CHECK(run_convtool(with(kPipe, {"--dump-layers", "layers"}), folder, two)
            .err.find("and --dump-layers takes the layers of one; leave it out") != std::string::npos);
  const ProgramResult both =
      run_convtool({"apply", "-", "-k", "identity", "--sheet", "s-{n}.png", "--dump-layers", "layers"}, folder, two);
  CHECK(both.err.find("and --dump-layers takes the layers of one; leave it out") != std::string::npos);
  CHECK(folder.names().empty());
  CHECK(run_convtool({"apply", "-", "-k", "identity", "-o", "x.pgm"}, folder, grey(3, 2, 'a')).code == 0);
  CHECK(read_text(folder.file("x.pgm")) == grey(3, 2, 'a'));

  CHECK(run_convtool({"apply", "-", "-k", "identity", "-o", "f-{n}.pgm", "-q"}, folder, two).code == 0);
  CHECK(folder.names() == std::vector<std::string>{"f-0001.pgm", "f-0002.pgm", "x.pgm"});
  CHECK(read_text(folder.file("f-0002.pgm")) == grey(3, 2, 'b'));
  const ProgramResult kept =
      run_convtool({"apply", "-", "-k", "identity", "-o", "f-{n}.pgm", "-n"}, folder, two + grey(3, 2, 'c'));
  CHECK(lines_of(kept.err).back().starts_with("convtool: 1 done, 2 skipped, 0 failed"));
  CHECK(read_text(folder.file("f-0003.pgm")) == grey(3, 2, 'c'));
}

TEST_CASE("a live pipe shows each picture before the next one comes") {
  const TempFolder folder;
  int in[2], out[2];
  REQUIRE(pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  RunningProgram program(convtool_command(with(kPipe, {"-q"})), folder, in[0], out[1]);
  close(in[0]);
  close(out[1]);
  for (const char value : {'a', 'b', 'c'}) {
    const std::string picture = grey(3, 2, value);
    convtool::write_all(in[1], std::as_bytes(std::span(picture)));
    std::string got(picture.size(), '\0');
    std::size_t size = 0;
    while (size < got.size()) {  // waits for ever if the picture is held back
      const ssize_t more = read(out[0], got.data() + size, got.size() - size);
      REQUIRE(more > 0);
      size += static_cast<std::size_t>(more);
    }
    CHECK(got == picture);
  }
  close(in[1]);
  CHECK(program.wait().code == 0);
  close(out[0]);
}

TEST_CASE("a named pipe is read and written picture by picture") {
  const TempFolder folder;
  folder.write("two", grey(3, 2, 'a') + grey(3, 2, 'b'));
  CHECK(run_shell("mkfifo in out; cat two > in & cat out > got & "
                  "$CONVTOOL apply in -k identity -o out -q && wait && cmp two got",
                  folder)
            .code == 0);
}

TEST_CASE("the memory of a stream does not grow with its length") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  const TempFolder folder;
  const std::string frame = "P6 640 480 255\n" + std::string(640 * 480 * 3, 'x');
  folder.write("ppm", frame);
  folder.write("y4m", "FRAME\n" + std::string(640 * 480 * 3 / 2, 'x'));
  const auto peak = [&](const std::string& kind, int frames) {
    const std::string header = kind == "y4m" ? "echo YUV4MPEG2 W640 H480; " : "";
    const ProgramResult result =
        run_shell("rm -f pipe; mkfifo pipe; { " + header + "for i in $(seq " + std::to_string(frames) + "); do cat " +
                      kind + "; done; } > pipe & exec $CONVTOOL apply pipe -k sharpen -o /dev/null -q" +
                      (kind == "y4m" ? "" : " --format ppm"),
                  folder);
    CHECK(result.code == 0);
    return result.peak_memory;
  };
  // If a thirtieth of each frame stayed in memory, 300 frames would take 9.7 frames more than 10 do.
  for (const std::string kind : {"ppm", "y4m"})
    CHECK(peak(kind, 300) < peak(kind, 10) + 9 * static_cast<long>(frame.size()));
}

TEST_CASE("frames pass through ffmpeg, convtool and ffmpeg") {
  const TempFolder folder;
  if (run_shell("command -v ffmpeg", folder).code != 0) return skip("needs ffmpeg");
  const std::string ffmpeg = "ffmpeg -hide_banner -loglevel error -y ";
  REQUIRE(run_shell(ffmpeg + "-f lavfi -i testsrc=size=160x120:rate=25 -frames:v 25 -c:v ffv1 in.mkv", folder).code ==
          0);
  for (const std::string codec : {"ppm", "png", "mjpeg"}) {
    CAPTURE(codec);
    const ProgramResult result =
        run_shell("set -o pipefail; " + ffmpeg + "-i in.mkv -f image2pipe -c:v " + codec + " - | " +
                      "$CONVTOOL apply - -k sharpen -o - -q | " + ffmpeg + "-f image2pipe -c:v " + codec +
                      " -i - -c:v ffv1 out.mkv && ffprobe -v error -count_frames -show_entries "
                      "stream=nb_read_frames,width,height -of csv=p=0 out.mkv",
                  folder);
    CHECK(result.code == 0);
    CHECK(result.out == "160,120,25\n");
  }
}

TEST_CASE("a picture that cannot be written ends the stream") {
  const TempFolder folder;
  if (run_shell("[ -c /dev/full ]", folder).code != 0) return skip("needs /dev/full");
  std::string input;
  for (int i = 0; i < 20; ++i) input += grey(30, 20, 'a');
  folder.write("in", input);
  for (const std::string command :
       {"$CONVTOOL apply - -k identity -o - < in > /dev/full", "$CONVTOOL apply - -k identity -o /dev/full < in",
        "$CONVTOOL apply - -k identity -o f-{n}.pgm < in > /dev/full"}) {
    CAPTURE(command);
    const ProgramResult result = run_shell(command, folder);
    CHECK(result.code == 1);
    CHECK(result.err.find("the disk is full") != std::string::npos);
    CHECK(lines_of(result.err).size() <= 4);  // not an error for each picture
  }
}

TEST_CASE("a stream of several pictures is refused, too, where an output exists and a layer's file is missing") {
  const TempFolder folder;
  folder.write("o.pgm", "kept");
  const ProgramResult result = run_convtool({"apply", "-", "-k", "identity", "-o", "o.pgm", "--dump-layers", "l", "-n"},
                                            folder, grey(3, 2, 'a') + grey(3, 2, 'b'));
  CHECK(result.code == 1);
  CHECK(result.err.find("has more than one picture") != std::string::npos);
  CHECK(read_text(folder.file("o.pgm")) == "kept");
}

TEST_CASE("a dry run does not open the pipe that it would write to") {
  const TempFolder folder;
  folder.write("two", grey(3, 2, 'a') + grey(3, 2, 'b'));
  const ProgramResult result =
      run_shell("mkfifo out; timeout 20 $CONVTOOL apply - -k identity -o out --dry-run < two", folder);
  CHECK(result.code == 0);  // 124 if it waits for a reader
  CHECK((result.out + result.err).find("picture 2") != std::string::npos);
}

TEST_CASE("SIGINT ends an endless stream and an endless video among other inputs, and leaves whole files") {
  const TempFolder folder;
  folder.write("a.pgm", grey(3, 2, 'a'));
  folder.write("frame", "FRAME\nabcdefgh");
  for (const bool is_video : {false, true}) {
    CAPTURE(is_video);
    const std::string feed =
        is_video ? "{ echo YUV4MPEG2 W4 H2 Cmono; while cat frame; do :; done; }" : "while cat a.pgm; do :; done";
    // Once the stream's first result (or all that a video shows, its temporary file) is there, the signal is sent.
    const std::string sign = is_video ? "n/.convtool-*" : "n/*-0003.*";
    const ProgramResult result = run_shell(
        "set -m; mkfifo pipe; (" + feed +
            ") > pipe 2> /dev/null & mkdir n; "
            "$CONVTOOL apply a.pgm - -k identity -o 'n/{stem}" +
            (is_video ? ".y4m" : "-{n}.pgm") + "' < pipe > report 2> errors & program=$!; until compgen -G '" + sign +
            "' > n.list; do sleep 0.01; done; "
            "kill -INT $program; (sleep 30; kill -KILL $program) 2> /dev/null & guard=$!; wait $program; code=$?; "
            "kill -- -$guard; rm -f pipe; exit $code",
        folder);
    const std::string errors = read_text(folder.file("errors"));
    CAPTURE(errors);
    CHECK(result.code == 128 + SIGINT);
    CHECK(errors.find("interrupted between two pictures of an input, whose other pictures are not filtered; a run with "
                      "--no-clobber if all outputs are new, can be continued") != std::string::npos);
    CHECK((errors.find("convtool: -: is interrupted after frame ") != std::string::npos) == is_video);
    for (const auto& file : std::filesystem::directory_iterator(folder.file("n")))
      CHECK(read_text(file.path().string()) == grey(3, 2, 'a'));
    std::filesystem::remove_all(folder.file("n"));
  }
}

TEST_CASE("a picture that its format cannot store is left out of a stream, and the others follow") {
  const TempFolder folder;
  const std::string small = grey(3, 2, 'a'), wide = grey(70'000, 1, 'b');  // a JPEG has at most 65,535 columns
  const ProgramResult all = run_convtool(with(kPipe, {"--format", "jpg", "-q"}), folder, small + wide + small);
  CHECK(all.code == 1);
  CHECK(lines_of(all.err).size() == 1);
  CHECK(all.err.starts_with("convtool: -: picture 2: "));
  CHECK(all.out == run_convtool(with(kPipe, {"--format", "jpg", "-q"}), folder, small + small).out);
}

TEST_CASE("an option of one format does not fail the pictures of a stream that have another") {
  const TempFolder folder;
  const auto as = [&](const std::string& format) {
    return run_convtool(with(kPipe, {"--format", format, "-q"}), folder, grey(16, 16, 'a')).out;
  };
  const std::string png = as("png"), jpeg = as("jpg");
  const std::string first =
      "convtool: warning: -: --quality has no effect on png; leave it out, or write a .jpg or .webp";
  for (const std::string& stream : {png + jpeg + png, jpeg + png, png}) {
    const ProgramResult all = run_convtool(with(kPipe, {"--quality", "30"}), folder, stream);
    CHECK(all.code == 0);
    CHECK((all.err.find("--quality has no effect on png") != std::string::npos));
    CHECK(all.err.starts_with(first) == stream.starts_with(png));
  }
  const ProgramResult both = run_convtool(with(kPipe, {"--quality", "30", "-q"}), folder, jpeg + png);
  CHECK(both.out == run_convtool(with(kPipe, {"--quality", "30", "-q"}), folder, jpeg).out + png);
  // A format that was asked for is known before any work.
  CHECK(run_convtool(with(kPipe, {"--quality", "30", "--format", "png"}), folder, jpeg).code == 1);
}

TEST_CASE("bytes after a picture that must be alone are an error") {
  const TempFolder folder;
  folder.write("a.ppm", "P6 2 1 255\nabcdef");
  for (const std::string format : {"bmp", "webp", "pfm", "tif", "exr"}) {
    CAPTURE(format);
    const std::string depth = format == "pfm" || format == "exr" ? " --depth f32" : "";
    REQUIRE(run_shell("$CONVTOOL apply a.ppm -k identity -q -o a." + format + depth, folder).code == 0);
    const std::string file = read_text(folder.file("a." + format));
    CHECK(run_convtool(with(kPipe, {"-q"}), folder, file).code == 0);
    const ProgramResult two = run_convtool(with(kPipe, {"-q"}), folder, file + file);
    CHECK(two.code == 1);
    CHECK(two.out.empty());
    CHECK(two.err == "convtool: -: " + std::to_string(file.size()) +
                         " bytes follow the picture; only PNG, JPEG and PNM can be several in one stream; if they "
                         "belong to it, give it as a file of its own\n");
    CHECK(run_convtool(with(kPipe, {"-q"}), folder, file + "x").err.starts_with("convtool: -: 1 byte follows the "));
    folder.write("two", file + file);  // a file is read as it always was
    CHECK(run_convtool({"apply", "two", "-k", "identity", "-o", "-", "-q"}, folder).code == 0);
  }
}

TEST_CASE("bytes after an archive of arrays are an error") {
  const TempFolder folder;
  folder.write("a.pgm", grey(3, 2, 'a'));
  REQUIRE(run_shell("$CONVTOOL apply a.pgm -k identity -q -o a.npy", folder).code == 0);
  const convtool::Bytes archive = convtool::testing::zip_file({{"a.npy", read_text(folder.file("a.npy"))}});
  const std::string file(reinterpret_cast<const char*>(archive.data()), archive.size());
  CHECK(run_convtool(with(kPipe, {"-q"}), folder, file).out == read_text(folder.file("a.npy")));
  for (const std::string& rest : {file, std::string("xy")}) {
    const ProgramResult result = run_convtool(with(kPipe, {"-q"}), folder, file + rest);
    CHECK(result.code == 1);
    CHECK(result.out.empty());
    CHECK(result.err == "convtool: -: " + std::to_string(rest.size()) +
                            " bytes follow the archive; only PNG, JPEG and PNM can be several in one stream; if they "
                            "belong to it, give it as a file of its own\n");
  }
}
