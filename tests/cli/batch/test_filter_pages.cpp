// TIFF of several pages: which are filtered, and what becomes of them.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/page_data.h"
#include "support/program.h"
#include "support/skip.h"

namespace {

using nlohmann::json;

cv::Mat page(int number, int height = 4, int type = CV_8UC3) {
  cv::Mat mat(height, 6, type);
  cv::RNG(static_cast<std::uint64_t>(number)).fill(mat, cv::RNG::UNIFORM, 0, 200);
  return mat;
}

void write_pages(const TempFolder& folder, const std::string& name, const std::vector<cv::Mat>& pages) {
  REQUIRE(cv::imwritemulti(folder.file(name), pages));
}

std::vector<cv::Mat> read_pages(const TempFolder& folder, const std::string& name) {
  std::vector<cv::Mat> pages;
  REQUIRE(cv::imreadmulti(folder.file(name), pages, cv::IMREAD_UNCHANGED));
  return pages;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

ProgramResult apply_pages(const TempFolder& folder, std::vector<std::string> more, const std::string& input = "") {
  more.insert(more.begin(), {"apply", "-k", "identity"});
  return run_convtool(more, folder, input);
}

}  // namespace

TEST_CASE("all pages of a TIFF become a TIFF of these pages, of any size and depth, with a report each") {
  const TempFolder folder;
  const std::vector<cv::Mat> pages = {page(1), page(2, 700), page(3, 5, CV_16UC1), page(4, 4, CV_32FC1),
                                      page(5, 3, CV_8UC1)};
  write_pages(folder, "in.tif", pages);
  for (const std::string compression : {"deflate", "lzw", "none"}) {
    CAPTURE(compression);
    const ProgramResult result =
        apply_pages(folder, {"in.tif", "--pages", "all", "-o", "out.tif", "--json", "--tiff-compression", compression});
    CHECK(result.code == 0);
    const std::vector<std::string> reports = lines_of(result.out);
    REQUIRE(reports.size() == pages.size());
    const std::vector<cv::Mat> written = read_pages(folder, "out.tif");
    REQUIRE(written.size() == pages.size());
    for (std::size_t i = 0; i < pages.size(); ++i) {
      CHECK(json::parse(reports[i])["page"] == i + 1);
      CHECK(json::parse(reports[i])["output"] == "out.tif");
      CHECK(same(written[i], pages[i]));
    }
  }
  const ProgramResult text = apply_pages(folder, {"in.tif", "--pages", "2-3"});
  CHECK(lines_of(text.out).front() ==
        "in.tif page 2 3x700x6 u8 -> in.identity.tif 3x700x6 u8; identity 1x1, clipped 0");
  CHECK(text.err.find("is read") == std::string::npos);  // nothing is left out unasked
  const std::vector<cv::Mat> two = read_pages(folder, "in.identity.tif");
  REQUIRE(two.size() == 2);
  CHECK(same(two[0], pages[1]));
  CHECK(same(two[1], pages[2]));
  // The same through pipes, and the same bytes for any number of threads.
  CHECK(apply_pages(folder, {"-", "--pages", "all", "-o", "-", "-q", "--threads", "3", "--tiff-compression", "none"},
                    read_text(folder.file("in.tif")))
            .out == read_text(folder.file("out.tif")));
}

TEST_CASE("every page of a TIFF of either byte order, and of a BigTIFF, is found") {
  const TempFolder folder;
  if (run_shell("command -v tiffcp", folder).code != 0) return skip("needs libtiff's tools");
  write_pages(folder, "in.tif", {page(1), page(2), page(3)});
  for (const std::string option : {"-B", "-L", "-8 -B", "-8 -L"}) {
    CAPTURE(option);
    REQUIRE(run_shell("tiffcp -c lzw " + option + " in.tif other.tif", folder).code == 0);
    CHECK(apply_pages(folder, {"other.tif", "--pages", "all", "-o", "p{n}.png", "-q"}).code == 0);
    for (int number = 1; number <= 3; ++number)
      CHECK(same(cv::imread(folder.file("p000" + std::to_string(number) + ".png")), page(number)));
  }
}

TEST_CASE("one page of a TIFF is a picture like any other") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2), page(3)});
  CHECK(apply_pages(folder, {"in.tif", "--pages", "3", "-o", "three.png"}).code == 0);
  CHECK(same(cv::imread(folder.file("three.png")), page(3)));
  CHECK(apply_pages(folder, {"in.tif", "--pages", "2"}).code == 0);
  CHECK(same(cv::imread(folder.file("in.identity.png")), page(2)));
  for (const std::vector<std::string>& first : {std::vector<std::string>{}, {"--pages", "first"}}) {
    std::vector<std::string> options = {"in.tif", "-o", "one.png"};
    options.insert(options.end(), first.begin(), first.end());
    const ProgramResult result = apply_pages(folder, options);
    CHECK(same(cv::imread(folder.file("one.png")), page(1)));
    CHECK(result.err == "convtool: warning: in.tif: only the first of its 3 pages is read\n");
  }
  CHECK(apply_pages(folder, {"in.tif", "--pages", "1", "-o", "one.png"}).err.empty());
  CHECK(apply_pages(folder, {"in.tif", "--pages", "2-3", "-o", "p{n}.png"}).code == 0);
  CHECK(same(cv::imread(folder.file("p0002.png")), page(2)));
  CHECK(same(cv::imread(folder.file("p0003.png")), page(3)));
  CHECK(run_convtool({"edges", "in.tif", "--pages", "all", "-o", "e.tif"}, folder).code == 0);
  // A numbered name never replaces the input.
  write_pages(folder, "q0002.tif", {page(1), page(2)});
  const std::string before = read_text(folder.file("q0002.tif"));
  CHECK(apply_pages(folder, {"q0002.tif", "--pages", "all", "-o", "q{n}.tif"}).code != 0);
  CHECK(read_text(folder.file("q0002.tif")) == before);
  CHECK(read_pages(folder, "e.tif").size() == 3);
}

TEST_CASE("pages of one size and depth become a stack in .npy") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2), page(3)});
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "out.npy"}).code == 0);
  const json stack = json::parse(
      run_convtool({"apply", "out.npy", "-k", "identity", "-o", "-", "--format", "json", "-q"}, folder).out);
  REQUIRE(stack.size() == 3);
  for (std::size_t n = 0; n < 3; ++n) {
    const cv::Mat expected = page(static_cast<int>(n) + 1);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 6; ++x)
          CHECK(stack[n][static_cast<std::size_t>(c)][static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] ==
                expected.at<cv::Vec3b>(y, x)[2 - c]);
  }

  write_pages(folder, "sizes.tif", {page(1), page(2, 5)});
  write_pages(folder, "depths.tif", {page(1, 4, CV_8UC1), page(2, 4, CV_16UC1)});
  CHECK(apply_pages(folder, {"sizes.tif", "--pages", "all", "-o", "x.npy"}).err ==
        "convtool: sizes.tif: an .npy stores pages of one size and depth (page 1 is 3x4x6 u8, page 2 is 3x5x6 u8); "
        "write .tif, or choose pages that are alike\n");
  CHECK(apply_pages(folder, {"depths.tif", "--pages", "all", "-o", "x.npy"}).code == 1);
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "x.png"}).err ==
        "convtool: in.tif: png stores one picture, and 3 pages are chosen; write .tif or .npy, or numbered files, such "
        "as -o '{stem}-{n}.png'\n");
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "x.tif", "--dump-layers", "layers"}).code == 1);
  CHECK(folder.names() == std::vector<std::string>{"depths.tif", "in.tif", "out.npy", "sizes.tif"});
}

TEST_CASE("pages that do not exist, and damaged ones, are errors, and nothing is written") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2, 300), page(3)});
  folder.write("x.pgm", "P5 1 1 255\nx");
  const auto message = [&](const std::vector<std::string>& options) {
    const ProgramResult result = apply_pages(folder, options);
    CHECK(result.code != 0);
    return result.err;
  };
  CHECK(message({"in.tif", "--pages", "4"}) == "convtool: in.tif: has pages 1 to 3 (asked for page 4)\n");
  CHECK(message({"in.tif", "--pages", "2-9"}) == "convtool: in.tif: has pages 1 to 3 (asked for pages 2 to 9)\n");
  CHECK(message({"x.pgm", "--pages", "2"}) == "convtool: x.pgm: has one page (asked for page 2)\n");
  CHECK(message({"x.pgm", "--pages", "1-2"}) == "convtool: x.pgm: has one page (asked for pages 1 to 2)\n");
  folder.write("x.y4m", "YUV4MPEG2 W1 H1 Cmono\nFRAME\nx");
  const std::string all = "--pages chooses pages of a TIFF; leave it out: all ";
  CHECK(message({"x.y4m", "--pages", "2"}) == "convtool: x.y4m: " + all + "frames of a video are filtered\n");
  std::filesystem::remove(folder.file("x.y4m"));
  CHECK(apply_pages(folder, {"-", "--pages", "2", "-o", "-"}, "P5 1 1 255\nxP5 1 1 255\ny").err ==
        "convtool: -: " + all + "pictures of a stream are filtered\n");
  for (const std::string quiet : {"all", "first", "1"})
    CHECK(apply_pages(folder, {"x.pgm", "--pages", quiet, "-o", "y.pgm"}).code == 0);
  std::filesystem::remove(folder.file("y.pgm"));
  for (const std::string bad : {"", "0", "none", "1-", "-1", "2-x", "1-2-3", "1,2"})
    CHECK(message({"in.tif", "--pages", bad}) ==
          "convtool: --pages: '" + bad + "' is not valid (expected first, all, N or N-M, from 1, such as 2-5)\n");
  CHECK(message({"in.tif", "--pages", "3-2"}).find("ends before it begins") != std::string::npos);

  // The link from the second page to the third leads out of the file: the first page is sound, the others are not lost
  // without a word.
  const std::string bytes = read_text(folder.file("in.tif"));
  folder.write("short.tif", bytes.substr(0, bytes.size() - 40));
  CHECK(message({"short.tif", "--pages", "all"}).starts_with("convtool: short.tif: "));
  // Damage to the pixels of one page.
  std::string changed = bytes;
  const std::size_t middle = bytes.size() / 2;
  for (std::size_t i = middle; i < middle + 100; ++i) changed[i] = '\xff';
  folder.write("changed.tif", changed);
  const std::string damage = message({"changed.tif", "--pages", "all", "-o", "z.tif"});
  CHECK(damage.starts_with("convtool: changed.tif: page 2: "));
  CHECK(folder.names() == std::vector<std::string>{"changed.tif", "in.tif", "short.tif", "x.pgm"});
  // Into files of their own, the others are written.
  CHECK(apply_pages(folder, {"changed.tif", "--pages", "all", "-o", "p{n}.png"}).code == 1);
  CHECK(same(cv::imread(folder.file("p0003.png")), page(3)));
}

TEST_CASE("SIGINT ends a file of several pages between two of them, and nothing of it is left") {
  const TempFolder folder;
  folder.write("a.pgm", "P5 1 1 255\nx");
  std::vector<cv::Mat> pages;
  for (int i = 0; i < 300; ++i) pages.push_back(page(i, 300));
  write_pages(folder, "in.tif", pages);
  // Once the other input is done, and the first page is in a temporary file, the signal is sent.
  const ProgramResult result = run_shell(
      "set -m; mkdir n; $CONVTOOL apply a.pgm in.tif -k identity --pages all -o 'n/{stem}.tif' > report 2> errors & "
      "program=$!; until [ -e n/a.tif ] && compgen -G 'n/.convtool-*' > list; do sleep 0.01; done; "
      "kill -INT $program; wait $program",
      folder);
  const std::string errors = read_text(folder.file("errors"));
  CAPTURE(errors);
  CHECK(result.code == 128 + SIGINT);
  CHECK(errors.find("convtool: in.tif: is interrupted after page ") != std::string::npos);
  CHECK(errors.find("interrupted between two pictures of an input, whose other pictures are not filtered; a run with "
                    "--manifest, or with --no-clobber if all outputs are new, can be continued") != std::string::npos);
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("n/"); });
  CHECK(names == std::vector<std::string>{"n/a.tif"});
}

TEST_CASE("a file of pages is kept, skipped and recorded like any output") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2)});
  const std::vector<std::string> run = {"in.tif", "--pages", "all", "-o", "out.tif"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), run.begin(), run.end());
    return apply_pages(folder, more);
  };
  CHECK(lines_of(with({"--dry-run"}).out).size() == 2);
  CHECK(folder.names() == std::vector<std::string>{"in.tif"});
  CHECK(with({"--manifest", "m"}).code == 0);
  CHECK(with({"--manifest", "m"}).out == "in.tif skipped: out.tif is up to date\n");
  CHECK(with({"-n"}).out == "in.tif skipped: out.tif exists\n");
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "p{n}.tif", "--manifest", "m"}).err ==
        "convtool: --manifest: records one output of each input; leave {n} out of --output\n");
}

TEST_CASE("each page keeps its metadata, and other programs read all pages") {
  const TempFolder folder;
  if (run_shell("command -v exiftool && command -v convert && command -v tiffinfo", folder).code != 0)
    return skip("needs exiftool, ImageMagick and libtiff's tools");
  REQUIRE(run_shell("for i in 1 2 3; do convert -size 9x7 xc:red -density 10$i -units PixelsPerInch p$i.tif && "
                    "exiftool -q -overwrite_original -Artist=A$i -UserComment=C$i p$i.tif; done && "
                    "tiffcp p1.tif p2.tif in.tif",
                    folder)
              .code == 0);
  CHECK(apply_pages(folder, {"p3.tif", "--pages", "all", "-o", "one.tif"}).code == 0);
  CHECK(run_shell("exiftool -s3 -UserComment one.tif", folder).out == "C3\n");
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "out.tif"}).code == 0);
  CHECK(run_shell("identify -format '%w %h %x\\n' out.tif", folder).out == "9 7 101\n9 7 102\n");
  CHECK(run_shell("tiffinfo out.tif 2>&1 | grep -c -i warning", folder).out == "0\n");
  // A file whose pages have EXIF directories of their own, which are moved with them.
  REQUIRE(apply_pages(folder, {"p1.tif", "--pages", "all", "-o", "a.tif"}).code == 0);
}

TEST_CASE("the result and the sheet of a page are files of their own, with its number") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2)});
  const auto run = [&](const std::string& sheet) {
    return apply_pages(folder, {"in.tif", "--pages", "2", "-o", "o-{n}.png", "--sheet", sheet});
  };
  const ProgramResult refused = run("o-0002.png");
  CHECK(refused.code == 1);
  CHECK(refused.err.find("o-0002.png: would be both the result and its sheet or a layer's file") != std::string::npos);
  CHECK(run("s-{n}.png").code == 0);
  CHECK(folder.names() == std::vector<std::string>{"in.tif", "o-0002.png", "s-0002.png"});
}

TEST_CASE("the numbered sheet of a page is no link to another file") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2)});
  std::filesystem::create_symlink("other.png", folder.file("s-0002.png"));
  const ProgramResult result =
      apply_pages(folder, {"in.tif", "--pages", "2", "-o", "o-{n}.png", "--sheet", "s-{n}.png"});
  CHECK(result.code == 1);
  CHECK(result.err.find("s-0002.png: is a link to") != std::string::npos);
  CHECK(folder.names() == std::vector<std::string>{"in.tif", "s-0002.png"});
}

TEST_CASE("a report shows the first 200 of many pages") {
  const TempFolder folder;
  write_pages(folder, "in.tif", std::vector<cv::Mat>(203, page(1)));
  for (const std::string output : {"out.tif", "{n}.png"}) {
    CAPTURE(output);
    CHECK(apply_pages(folder, {"in.tif", "--pages", "2-203", "-o", output, "-q", "--report", "page.html"}).code == 0);
    const json data = page_data(read_text(folder.file("page.html")));
    REQUIRE(data.at("inputs").size() == 202);
    for (std::size_t i = 0; i < 202; ++i) {
      CAPTURE(i);
      CHECK(data["inputs"][i].at("report").at("page") == i + 2);
      CHECK(data["inputs"][i].contains("before") == (i < 200));
    }
  }
}

TEST_CASE("a file of pages beyond the memory limit is refused with the option that raises it") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1, 100'000), page(2)});
  REQUIRE(apply_pages(folder, {"in.tif", "--pages", "all", "-o", "out.tif", "--tiff-compression", "none"}).code == 0);
  for (const std::string input : {"out.tif", "-"})
    CHECK(
        run_shell("$CONVTOOL apply " + input + " --pages all -k identity -o o.tif --memory-limit 1M < out.tif", folder)
            .err.find("is larger than 1 MiB, the limit; raise --memory-limit\n") != std::string::npos);
}

TEST_CASE("pages that need files of different formats are not joined") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2, 4, CV_8UC1)});
  const std::string swap = "[[[[1]],[[0]],[[0]]],[[[0]],[[1]],[[0]]],[[[0]],[[0]],[[1]]]]";
  const ProgramResult refused = run_convtool(
      {"apply", "in.tif", "-k", swap, "--input-scale", "1", "--map", "clip", "--pages", "all", "--format", "same"},
      folder);
  CHECK(refused.code == 1);
  CHECK(refused.err.find("page 2 needs another format than page 1, and one file has one format") != std::string::npos);
}

TEST_CASE("inputs without pages are refused where another page than the first is chosen") {
  const TempFolder folder;
  folder.write("z.npz", "");
  CHECK(apply_pages(folder, {"[[1]]", "--pages", "2"}).err == "convtool: inline: has one page (asked for page 2)\n");
  CHECK(apply_pages(folder, {"z.npz#a", "--pages", "2"}).err == "convtool: z.npz#a: has one page (asked for page 2)\n");
  CHECK(apply_pages(folder, {"[[1]]", "--pages", "all"}).out == "[[1]]\n");
}

TEST_CASE("several pages leave no sheet or layer of one page in the place of another's") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2)});
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--dump-layers", "layers"}, {"--sheet", "sheet.png"}, {"--sheet", "-"}}) {
    std::vector<std::string> all = {"in.tif", "--pages", "all", "-o", "o-{n}.png"};
    all.insert(all.end(), more.begin(), more.end());
    const ProgramResult result = apply_pages(folder, all);
    CHECK(result.code == 1);
    CHECK(result.err ==
          "convtool: in.tif: --sheet and --dump-layers take one page, and 2 pages are chosen; choose one with --pages "
          "N, or write only sheets, numbered, such as --sheet '{stem}-{n}.png'\n");
  }
  CHECK(folder.names() == std::vector<std::string>{"in.tif"});
  CHECK(apply_pages(folder, {"in.tif", "--pages", "all", "--sheet", "{stem}-{n}.png"}).code == 0);
  CHECK(folder.names() == std::vector<std::string>{"in-0001.png", "in-0002.png", "in.tif"});
  CHECK(apply_pages(folder, {"in.tif", "--pages", "2", "-o", "o-{n}.png", "--dump-layers", "layers"}).code == 0);
}

TEST_CASE("the chosen page is filtered again where only a layer's file is missing") {
  const TempFolder folder;
  write_pages(folder, "in.tif", {page(1), page(2)});
  const std::vector<std::string> run = {"in.tif", "--pages",       "2",     "-o", "o.npy", "-n",
                                        "--json", "--dump-layers", "layers"};
  CHECK(json::parse(apply_pages(folder, run).out)["page"] == 2);
  const std::string layer = folder.file("layers/in.01-identity.npy"), second = read_text(layer);
  std::filesystem::remove(layer);
  CHECK(json::parse(apply_pages(folder, run).out)["page"] == 2);
  CHECK(read_text(layer) == second);
  CHECK(json::parse(apply_pages(folder, run).out)["status"] == "skipped");
}
