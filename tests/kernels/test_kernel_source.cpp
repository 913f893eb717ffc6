// The kinds of arguments that --kernel takes, their precedence, and suggestions for unknown names.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "kernels/kernel_source.h"

namespace convtool {
namespace {

using doctest::Contains;

/// An empty folder, which is the current folder while the test runs.
class CurrentFolder {
 public:
  CurrentFolder() : before_(std::filesystem::current_path()) {
    std::string path = (std::filesystem::temp_directory_path() / "kernel_source_XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
    std::filesystem::current_path(path_);
  }
  ~CurrentFolder() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(path_);
  }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;

  static void write(const std::string& name, const std::string& text) {
    std::ofstream stream(name, std::ios::binary);
    stream << text;
    REQUIRE(stream.good());
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path before_, path_;
};

std::vector<float> weights_of(const Network& network) { return network.banks.front().layers.front().weights; }

/// The message of the kernel error that loading `argument` throws.
std::string refusal(const std::string& argument) {
  try {
    load_kernel(argument);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    return error.what();
  }
  FAIL("accepted: ", argument);
  return "";
}

/// NumPy's format, version 1.0: magic, header length, header padded to 64 bytes, little-endian float32.
std::string npy(const std::string& shape, const std::vector<float>& values) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  header += std::string(128 - 10 - header.size() - 1, ' ') + "\n";
  std::string text = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  return text.append(reinterpret_cast<const char*>(values.data()), 4 * values.size());
}

TEST_CASE("inline JSON") {
  const Network network = load_kernel("[[1, -1]]");
  CHECK(network.name == "inline");
  CHECK(weights_of(network) == std::vector<float>{1, -1});
  CHECK(load_kernel(R"({"name": "step", "weight": [[1, -1]]})").name == "step");
  CHECK(weights_of(load_kernel("\n  [[2]]\n")) == std::vector<float>{2});
  CHECK(refusal("[[1, -1]").starts_with("--kernel: "));
}

TEST_CASE("printouts of NumPy and PyTorch in place of JSON") {
  for (const char* text : {"tensor([[1., 2.], [3., 4.]])", "[[1. 2.]\n [3. 4.]]", "array([[1, 2], [3, 4]])"}) {
    CAPTURE(text);
    const Layer layer = load_kernel(text).banks.front().layers.front();
    CHECK(layer.name == "inline");
    CHECK(layer.weights == std::vector<float>{1, 2, 3, 4});
  }
}

TEST_CASE("shipped names come before generated kernels") {
  CHECK(load_kernel("sobel").banks.front().layers.size() == 2);
  CHECK(load_kernel("gaussian").name == "gaussian");
  CHECK(load_kernel("gaussian:sigma=1.4,size=5").banks.front().layers.front().shape.kw == 5);
  // The name is both a shipped and a generated kernel. Without parameters it is the shipped one.
  CHECK(weights_of(load_kernel("log"))[12] == 16);
  CHECK(weights_of(load_kernel("box")) == weights_of(load_kernel("box:size=3")));
}

TEST_CASE("files by path: JSON and .npy, named by their stems") {
  const CurrentFolder folder;
  folder.write("step.json", "[[1, -1]]");
  folder.write("named.json", R"({"name": "other", "weight": [[1]]})");
  folder.write("block.npy", npy("(1, 2)", {3, 4}));
  folder.write("misnamed.json", npy("(1, 2)", {5, 6}));
  folder.write("bare", "[[7]]");
  CHECK(load_kernel("step.json").name == "step");
  CHECK(weights_of(load_kernel("./step.json")) == std::vector<float>{1, -1});
  CHECK(weights_of(load_kernel(folder.path() + "/step.json")) == std::vector<float>{1, -1});
  CHECK(load_kernel("named.json").name == "other");
  CHECK(weights_of(load_kernel("block.npy")) == std::vector<float>{3, 4});
  CHECK(load_kernel("block.npy").name == "block");
  CHECK(weights_of(load_kernel("misnamed.json")) == std::vector<float>{5, 6});  // recognized by its content
  CHECK(weights_of(load_kernel("./bare")) == std::vector<float>{7});
}

TEST_CASE("a path comes before a shipped name, and a shipped name before a file") {
  const CurrentFolder folder;
  folder.write("sobel", "[[7]]");
  folder.write("sobel.json", "[[8]]");
  CHECK(load_kernel("sobel").banks.front().layers.size() == 2);
  CHECK(weights_of(load_kernel("./sobel")) == std::vector<float>{7});
  CHECK(weights_of(load_kernel("sobel.json")) == std::vector<float>{8});
}

TEST_CASE("a pipe, as process substitution gives") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], "[[1, -1]]", 9) == 9);
  close(ends[1]);
  const Network network = load_kernel("/dev/fd/" + std::to_string(ends[0]));
  close(ends[0]);
  CHECK(weights_of(network) == std::vector<float>{1, -1});
}

TEST_CASE("files that cannot be kernels are errors of the kernel, with the path") {
  const CurrentFolder folder;
  CHECK(refusal("missing.json").find("missing.json") != std::string::npos);
  CHECK(refusal("./").find("./") != std::string::npos);
  folder.write("broken.json", "[[1,\n2,");
  CHECK(refusal("broken.json").starts_with("broken.json: "));
  folder.write("empty.json", "");
  CHECK(refusal("empty.json").starts_with("empty.json: "));
  folder.write("broken.npy", npy("(1, 2)", {1}));
  CHECK(refusal("broken.npy").starts_with("broken.npy: "));
  folder.write("large.json", "[[1]]" + std::string((std::size_t{64} << 20) - 4, ' '));  // valid, but one byte too large
  CHECK(refusal("large.json").find("large.json") != std::string::npos);
}

TEST_CASE("an unknown name suggests the most similar one, shipped or generated") {
  const CurrentFolder folder;
  CHECK(refusal("sobl") ==
        "--kernel: no kernel is called 'sobl' (expected a kernel file, a name or inline JSON); "
        "did you mean 'sobel'?");
  CHECK(refusal("guassian").ends_with("did you mean 'gaussian'?"));
  CHECK(refusal("guassian:sigma=2").ends_with("did you mean 'gaussian'?"));
  CHECK(refusal("nothing-like-it").ends_with("; 'convtool kernels list' shows the names"));
  CHECK(refusal("").ends_with("; 'convtool kernels list' shows the names"));
}

TEST_CASE("names from other programs and misplaced punctuation suggest the intended kernel") {
  const CurrentFolder folder;
  CHECK(refusal("blur").ends_with("; did you mean 'gaussian'?"));
  CHECK(refusal("gauss").ends_with("; did you mean 'gaussian'?"));
  CHECK(refusal("Mean").ends_with("; did you mean 'box'?"));
  CHECK(refusal("canny").ends_with("; 'convtool edges --thin --hysteresis auto' is a Canny detector"));
  CHECK(refusal("gaussian sigma=2").ends_with("; did you mean gaussian:sigma=2?"));
  CHECK(refusal("gaussian, sigma=2, size=7").ends_with("; did you mean gaussian:sigma=2,size=7?"));
  CHECK(refusal("gaussian(sigma=2)").ends_with("; did you mean gaussian:sigma=2?"));
}

TEST_CASE("a picture in place of a kernel") {
  const CurrentFolder folder;
  folder.write("img.png", "");
  for (const char* name : {"img.png", "./img.png", "missing.JPG"}) {
    CAPTURE(name);
    const std::string message = refusal(name);
    CHECK(message.starts_with("--kernel: '" + std::string(name) + "' is a picture;"));
    CHECK(message.ends_with("; -k takes a kernel, such as -k sobel or -k edge.json"));
  }
}

TEST_CASE("JSON that the shell has split into several arguments") {
  CHECK(refusal("[[1,").find("single quotes") != std::string::npos);
  CHECK(refusal("{weight:").find("single quotes") != std::string::npos);
  CHECK(refusal("weight:[[1").find("single quotes") != std::string::npos);
  CHECK(refusal("{weight:[[1]]}").find("single quotes") != std::string::npos);
}

TEST_CASE("a file with any name, unless a kernel has it") {
  const CurrentFolder folder;
  folder.write("mine", "[[1]]");
  folder.write("sobel.jsn", "[[2]]");
  folder.write("[2024]", "[[3]]");
  folder.write("[1].json", "[[4]]");
  CHECK(weights_of(load_kernel("mine")) == std::vector<float>{1});
  CHECK(load_kernel("mine").name == "mine");
  CHECK(weights_of(load_kernel("sobel.jsn")) == std::vector<float>{2});
  CHECK(weights_of(load_kernel("[2024]")) == std::vector<float>{3});
  CHECK(weights_of(load_kernel("[1].json")) == std::vector<float>{4});
  std::filesystem::create_directory("folder");
  CHECK(refusal("folder").starts_with("--kernel: no kernel is called 'folder'"));
}

TEST_CASE("files in every format that kernels convert reads, whatever their names") {
  const CurrentFolder folder;
  const std::vector<float> nine = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::string texts[] = {"3 3 1 0\n1 2 3\n4 5 6\n7 8 9\n",
                               "3x3+1+0: 1,2,3 4,5,6 7,8,9",
                               R"({"width":3,"height":3,"kernel":[1,2,3,4,5,6,7,8,9]})",
                               R"({"kernel":[[1,2,3],[4,5,6],[7,8,9]],"factor":1})",
                               R"({"kernel":[[1,2,3],[4,5,6],[7,8,9]]})",
                               "[[1,2,3],[4,5,6],[7,8,9]]",
                               "\xEF\xBB\xBF"
                               "3x3: 1,2,3 4,5,6 7,8,9",
                               "tensor([[1., 2., 3.],\n        [4., 5., 6.],\n        [7., 8., 9.]])",
                               npy("(3, 3)", nine)};
  for (const std::string& text : texts)
    for (const char* name : {"kernel", "kernel.txt", "kernel.json", "kernel.mat", "kernel.npy"}) {
      CAPTURE(text);
      CAPTURE(name);
      folder.write(name, text);
      const Layer layer = load_kernel(name).banks.front().layers.front();
      CHECK(layer.name == "kernel");
      CHECK(layer.weights == nine);
      CHECK(layer.shape == KernelShape{1, 1, 3, 3});
    }
}

TEST_CASE("a kernel of another program as text") {
  CHECK(weights_of(load_kernel("3x1: -1,0,1")) == std::vector<float>{-1, 0, 1});
  CHECK(weights_of(load_kernel("2 1\n3 4\n")) == std::vector<float>{3, 4});
  CHECK(weights_of(load_kernel(R"({"width":3,"height":3,"kernel":[0,0,0,0,5,0,0,0,0]})"))[4] == 5);
  CHECK(refusal("3x1: 7") == "--kernel: the kernel string has 1 value (expected 3 x 1)");
  CHECK(refusal("3x1: -1,0") == "--kernel: the kernel string has 2 values (expected 3 x 1)");
}

TEST_CASE("layers: text, JSON, and files of either") {
  const CurrentFolder folder;
  CHECK(load_layers("conv 3 4, relu").banks.size() == 2);
  CHECK(load_layers("conv 3 4, relu").name == "inline");
  CHECK(load_layers(R"( [{"kernel_size": 3, "out_channels": 4}])").banks.size() == 1);
  for (const auto& file : {std::pair{"net.layers", "conv 3 4\nrelu\n"},
                           std::pair{"net.json", R"({"layers": [{"kernel_size": 3, "out_channels": 4}, [[1]]]})"},
                           std::pair{"net", "conv 3 4\nrelu\n"}}) {
    const auto& name = file.first;
    const auto& text = file.second;
    CAPTURE(name);
    folder.write(name, text);
    const Network network = load_layers(name);
    CHECK(network.name == "net");
    REQUIRE(network.banks.size() == 2);
    CHECK(network.banks[0].layers[0].outline == Outline::kernel);
  }
  try {
    load_layers("none.layers");
    FAIL("loaded a missing file");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "--layers: none.layers: no such file");
  }
  CHECK(refusal("net.layers") ==
        "--kernel: 'net.layers' describes layers without weights; see their sizes with 'convtool shape' or 'convtool "
        "explain' and --layers");
}

TEST_CASE("files whose content is not a kernel") {
  const CurrentFolder folder;
  folder.write("words", "neither this nor that");
  CHECK(refusal("words").starts_with("words: is in none of the formats of kernels"));
  CHECK(refusal("words").ends_with("convert --from FORMAT' reads a format that its content does not show"));
  folder.write("portrait", "\x89PNG\r\n\x1a\n");
  CHECK(refusal("portrait") ==
        "--kernel: 'portrait' is a picture; -k takes a kernel, such as -k sobel or -k edge.json");
  folder.write("printed", "[[1. 2. ... 5.]]");
  CHECK(refusal("printed").starts_with("printed: line 1"));
}

}  // namespace
}  // namespace convtool
