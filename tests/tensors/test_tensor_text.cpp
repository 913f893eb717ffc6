// Tensors in text: printouts of NumPy and PyTorch, tables, and aligned JSON.
#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "tensors/tensor_io.h"
#include "tensors/tensor_text.h"

using namespace convtool;

namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// The tensor in JSON, or the error. Checks that the shape is known from the separators.
std::string read(std::string_view text) {
  try {
    const RankedTensor tensor = parse_tensor_text(text, "t");
    const std::optional<RankedShape> scanned = scan_text_shape(std::as_bytes(std::span(std::string_view(text))));
    REQUIRE(scanned);
    CHECK(scanned->rank == tensor.rank);
    CHECK(scanned->shape == tensor.tensor.shape());
    const std::string json = text_of(format_tensor_json(tensor));
    return json.substr(0, json.size() - 1);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
}

std::string aligned(const std::string& json) {
  return text_of(format_tensor_json(parse_tensor_json(json, "t"), TensorText::aligned));
}

}  // namespace

TEST_CASE("what NumPy prints is read") {
  CHECK(read("[[1. 2.]\n [3. 4.]]") == "[[1,2],[3,4]]");
  CHECK(read("[[ 1  -2]\n [30 400]]\n") == "[[1,-2],[30,400]]");
  CHECK(read("[[ 1.e-05 -2.5e+10]\n [ 0.    +1.   ]]") == "[[1e-05,-2.5e+10],[0,1]]");
  CHECK(read("array([[1., 2.],\n       [3., 4.]])") == "[[1,2],[3,4]]");
  CHECK(read("array([[1, 2]], dtype=uint8)") == "[[1,2]]");
  CHECK(read("array([[[ .5, 1.]],\n\n       [[2., 3.]]],\n      dtype=float32)") == "[[[0.5,1]],[[2,3]]]");
  CHECK(read("[[[1 2]\n  [3 4]]\n\n [[5 6]\n  [7 8]]]") == "[[[1,2],[3,4]],[[5,6],[7,8]]]");
  CHECK(read("[[1 2][3 4]]") == "[[1,2],[3,4]]");  // without the line break
}

TEST_CASE("what PyTorch prints is read") {
  CHECK(read("tensor([[1., 2.],\n        [3., 4.]])") == "[[1,2],[3,4]]");
  CHECK(read("tensor([[1.0000e+00, -2.5000e-03]], dtype=torch.float64)") == "[[1,-0.0025]]");
  CHECK(read("tensor([[[[1, 2]]]], device='cuda:0', grad_fn=<ConvolutionBackward0>)") == "[[[[1,2]]]]");
  CHECK(read("Parameter containing:\ntensor([[0.5000]], requires_grad=True)\n") == "[[0.5]]");
}

TEST_CASE("tables are read, with commas, semicolons, tabs or spaces") {
  CHECK(read("1,2\n3,4\n") == "[[1,2],[3,4]]");
  CHECK(read("\xEF\xBB\xBF"
             "1, 2.5\r\n-3,+4e1\r\n") == "[[1,2.5],[-3,40]]");
  CHECK(read("1;2\n\n3;4") == "[[1,2],[3,4]]");
  CHECK(read("1\t2\n3\t 4\n") == "[[1,2],[3,4]]");
  CHECK(read("# x y\n 1.000000000000000000e+00 2.0\n   3 4 \n") == "[[1,2],[3,4]]");
  CHECK(read("7") == "[[7]]");
  CHECK(read("1\n2") == "[[1],[2]]");
}

TEST_CASE("JSON stays JSON") {
  CHECK(read(" [\n[1, 2.0], [3.5, -4e-1]]") == "[[1,2],[3.5,-0.4]]");
  CHECK(read("[[1],[2,3]]") == "t: /1: ragged: a list of 2 (expected 1, the length of the first list at this level)");
  CHECK(read("{\"a\": 1}") == "t: an object is not a tensor (expected nested lists of numbers)");
  CHECK(read("") == "t: the JSON text is empty");
}

TEST_CASE("text that is no tensor is refused, with the place") {
  const std::string dots = read("[[1. 2. ... 3.]]");
  CHECK(dots.starts_with("t: line 1, column 9: '...' stands for values that the printout leaves out; save"));
  CHECK(read("[[1. 2.]\n ...\n [3. 4.]]").starts_with("t: line 2, column 2: '...'"));
  CHECK(read("[[1. 2.]\n [3. 4.]") == "t: line 2, column 9: not valid JSON (unexpected end of input; expected ']')");
  CHECK(read("[[1. 2.]\n [3.]]").starts_with("t: /1: ragged: a list of 1 (expected 2"));
  CHECK(read("[[1. nan]]").starts_with("t: line 1, column 7: NaN and Infinity are not JSON numbers"));
  CHECK(read("[[True False]]").starts_with("t: line 1, column "));
  CHECK(read("tensor([1., 2.])").starts_with("t: lists nested 1 deep (expected 2"));
  CHECK(read("tensor([[1.]]) + 1").starts_with("t: line 1, column "));
  CHECK(read("tensor([[1.]") == "t: line 1, column 13: not valid JSON (unexpected end of input; expected ']')");
  CHECK(read("[[1e39 2]]").starts_with("t: /0/0: a number beyond float32"));

  CHECK(read("1,2\n3\n") == "t: line 2, column 1: a line of 1 number (expected 2, as in the first line)");
  CHECK(read("1,2\n3,4,5") == "t: line 2, column 1: a line of 3 numbers (expected 2, as in the first line)");
  CHECK(read("1,,2") == "t: line 1, column 3: nothing where a number belongs");
  CHECK(read("1,2,\n") == "t: line 1, column 5: nothing where a number belongs");
  CHECK(read("r,g\n1,2") ==
        "t: line 1, column 1: expected a number, got 'r'; delete the line of titles, or begin it with #");
  CHECK(read("1,2\n3,x") == "t: line 2, column 3: expected a number, got 'x'");
  CHECK(read("1,5;2") == "t: line 1, column 1: expected a number, got '1,5'; write decimal points, not commas");
  CHECK(read("1 2\n3 1e39").starts_with("t: line 2, column 3: a number beyond float32 (1e39"));
  CHECK(read("# only\n") == "t: a table without numbers");
}

TEST_CASE("tensors in text are recognised by their beginning, and pictures are not taken for them") {
  for (const char* text :
       {" \n\t[[1]]", "\xEF\xBB\xBF[[1]]", "tensor([[1.]])", "array([[1]])", "Parameter containing:\n", "1,2\n",
        "-1.5 2\n", "+1;2", ".5\t1", "r,g\n1,2\n", "\"width; mm\";h\r\n1;2\n"}) {
    CAPTURE(text);
    CHECK(looks_like_tensor_text(std::as_bytes(std::span(std::string_view(text)))));
  }
  for (const char* text : {"", "  ", "{\"a\":1}", "P2\n1 1\n255\n7\n", "BM6", "hello, world", "1,2\nabc",
                           "dear all,\nhello", "r,\x01\n1,2"}) {
    CAPTURE(text);
    CHECK(!looks_like_tensor_text(std::as_bytes(std::span(std::string_view(text)))));
  }
}

TEST_CASE("aligned JSON has a line for each row, and the points of each column in line") {
  CHECK(aligned("[[1,10],[200,-3]]") == "[[  1, 10],\n [200, -3]]\n");
  CHECK(aligned("[[1.5,2],[-10,0.25],[1e-10,3]]") ==
        "[[  1.5,   2],\n"
        " [-10,     0.25],\n"
        " [  1e-10, 3]]\n");
  CHECK(aligned("[[[1,2],[3,4]],[[5,6],[7,80]]]") ==
        "[[[1,  2],\n"
        "  [3,  4]],\n"
        "\n"
        " [[5,  6],\n"
        "  [7, 80]]]\n");
  CHECK(aligned("[[[[1]],[[2]]],[[[3]],[[4]]]]") == "[[[[1]],\n\n  [[2]]],\n\n\n [[[3]],\n\n  [[4]]]]\n");
  const std::string json = "[[[0.1,-200.5,3e+20],[1,2,3]],[[4,5,6],[7,8,9]]]\n";
  CHECK(text_of(format_tensor_json(parse_tensor_json(aligned(json), "t"))) == json);
}
