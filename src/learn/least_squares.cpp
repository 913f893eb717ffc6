#include "learn/least_squares.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <limits>
#include <string>

#include "conv/gradients/tap_products.h"

namespace convtool {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Solution {
  Matrix unknowns;  ///< a column for each output channel
  std::int64_t rank = 0;
};

/// The limit for finding a solution of least norm, as the sum over groups of the third power of unknowns: about 10 s.
constexpr double kMostCubed = 1e10;

/// The solution of least norm of a singular system. Its rows and columns were divided by `scale`, which makes the
/// diagonal 1, so that the rank does not depend on the units of the pixels.
Solution solve_singular(const Matrix& scaled_gram, const Matrix& scaled_rhs, const Eigen::VectorXd& scale) {
  // The largest eigenvalue that rounding can leave in place of 0 (G. Golub, C. Van Loan, Matrix Computations, 4th
  // edition, 8.1).
  const double least_variance = 4 * static_cast<double>(scaled_gram.rows()) * std::numeric_limits<double>::epsilon();
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(scaled_gram);
  const Eigen::VectorXd& values = eigen.eigenvalues();  // ascending
  Eigen::Index undetermined = 0;
  while (undetermined < values.size() && !(values[undetermined] > least_variance * values[values.size() - 1]))
    ++undetermined;
  const Eigen::Index rank = values.size() - undetermined;
  const Matrix vectors = eigen.eigenvectors().rightCols(rank);
  const Matrix in_basis = values.tail(rank).cwiseInverse().asDiagonal() * (vectors.transpose() * scaled_rhs);
  Solution solution{.unknowns = scale.cwiseInverse().asDiagonal() * (vectors * in_basis), .rank = rank};
  if (undetermined > 0) {  // remove the part that lies in the null space of the unscaled system
    const Matrix null_space = scale.cwiseInverse().asDiagonal() * eigen.eigenvectors().leftCols(undetermined);
    solution.unknowns -= null_space * null_space.colPivHouseholderQr().solve(solution.unknowns);
  }
  return solution;
}

/// `cubed` is the part of kMostCubed that earlier groups have used; solve() adds its own.
Solution solve(const Matrix& gram, const Matrix& rhs, double& cubed) {
  const Eigen::VectorXd scale = gram.diagonal().unaryExpr([](double d) { return d > 0 ? std::sqrt(d) : 1.0; });
  const auto by_scale = scale.cwiseInverse().asDiagonal();
  const Matrix scaled_gram = by_scale * gram * by_scale, scaled_rhs = by_scale * rhs;
  constexpr double kTrusted = 1e-9;  // an error of 2^-53 / kTrusted, about a float's 2^-24
  const Eigen::LLT<Matrix> cholesky(scaled_gram);
  if (cholesky.info() == Eigen::Success && cholesky.rcond() > kTrusted)
    return {.unknowns = by_scale * cholesky.solve(scaled_rhs), .rank = gram.rows()};
  const auto size = static_cast<double>(gram.rows());
  cubed += size * size * size;
  if (cubed > kMostCubed)
    refuse_shape(
        "--method",
        "the input hardly determines the " + std::to_string(gram.rows()) +
            " unknowns of an output channel, and finding the smallest solution would take minutes; add --ridge 1, or "
            "learn a smaller kernel");
  return solve_singular(scaled_gram, scaled_rhs, scale);
}

/// The products of all samples.
TapProducts sum_products(std::span<const Sample> samples, int threads) {
  TapProducts total;
  for (const Sample& sample : samples) {
    const TapProducts products =
        tap_products(sample.problem, sample.input.ref(), top_rows(sample.target.ref(), sample.learned_rows), threads);
    if (total.taps == 0) {
      total = products;
      continue;
    }
    for (std::size_t i = 0; i < total.with_taps.size(); ++i) total.with_taps[i] += products.with_taps[i];
    for (std::size_t i = 0; i < total.with_values.size(); ++i) total.with_values[i] += products.with_values[i];
  }
  return total;
}

}  // namespace

LeastSquares solve_least_squares(std::span<const Sample> samples, const LeastSquaresOptions& options) {
  const ConvProblem& problem = samples.front().problem;
  const std::int64_t weights = problem.kernel.taps(), columns = weights + (options.learns_bias ? 1 : 0);
  if (columns > kMostColumns)
    refuse_shape("--method", "least squares can find at most " + std::to_string(kMostColumns) +
                                 " weights of an output channel (got " + std::to_string(columns) +
                                 "); choose --method gd, more groups or a smaller kernel");

  const TapProducts products = sum_products(samples, options.threads);
  const std::int64_t taps = products.taps, outputs = products.outputs;
  LeastSquares result{.parameters = Parameters(problem.kernel), .columns = columns * problem.groups};
  double cubed = 0;
  for (std::int64_t group = 0; group < problem.groups; ++group) {
    using Block = Eigen::Map<const Matrix>;
    Matrix gram = Block(products.with_taps.data() + group * taps * taps, taps, taps).topLeftCorner(columns, columns);
    const Matrix rhs = Block(products.with_values.data() + group * taps * outputs, taps, outputs).topRows(columns);
    gram.diagonal().head(weights).array() += options.ridge;
    const Solution solution = solve(gram, rhs, cubed);
    result.rank += solution.rank;
    for (std::int64_t k = 0; k < outputs; ++k) {
      const std::int64_t o = group * outputs + k;
      for (std::int64_t t = 0; t < weights; ++t)
        result.parameters.weights[static_cast<std::size_t>(o * weights + t)] = solution.unknowns(t, k);
      if (options.learns_bias) result.parameters.bias[static_cast<std::size_t>(o)] = solution.unknowns(weights, k);
    }
  }
  return result;
}

}  // namespace convtool
