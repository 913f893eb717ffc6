// The loops of dot_rows(). Included inside a namespace, once for each instruction set and with its code generation
// switched on; hence neither an include guard nor includes.
//
// A block is V::kRows rows of outputs, two vectors wide. Its sums stay in registers while the input rows it sees pass
// from top to bottom. Each input row is spread once, and added to every output row that sees it, with the weights of a
// different kernel row:
//
//   input row    0  1  2  3  4  5  6  7  8  9        a kernel of 3 rows, 8 rows of outputs
//   outputs      0 01 012 123 ...      567 67 7
//
// Which outputs see a row is known at compile time, so that each sum has its own register.
//
// V describes the vectors: V(step), V::Sum, V::lanes(), zero(), spread(bytes), broadcast(weights),
// add(pixels, weights, sum), store(sum, to).

/// sums[j] += pixels * the weights of row `r` - j, for kFirst <= j < kLast.
template <class V, int kFirst, int kLast, class Pixels>
HWY_INLINE void AddToOutputs(const std::int32_t* weights, std::int64_t r, const Pixels pixels0, const Pixels pixels1,
                             typename V::Sum (&sums)[V::kRows][2]) {
  if constexpr (kFirst < kLast) {
    const auto weight = V::broadcast(weights[r - kFirst]);
    V::add(pixels0, weight, sums[kFirst][0]);
    V::add(pixels1, weight, sums[kFirst][1]);
    AddToOutputs<V, kFirst + 1, kLast>(weights, r, pixels0, pixels1, sums);
  }
}

/// Adds input row `r` of the block, from `bytes` on, to the outputs that see it.
template <class V, int kFirst, int kLast>
HWY_INLINE void AddInputRow(const V& vectors, const DotTask& task, const std::int32_t* weights, std::int64_t r,
                            const std::uint8_t* bytes, typename V::Sum (&sums)[V::kRows][2]) {
  const std::int64_t advance = V::kTaps * task.step;
  for (std::int64_t group = 0; group < task.groups; ++group) {
    AddToOutputs<V, kFirst, kLast>(weights, r, vectors.spread(bytes), vectors.spread(bytes + V::lanes()), sums);
    bytes += advance;
    weights += task.kh;
  }
}

/// Adds the input rows of a block from `r` on. `kKernelRows` is kh, or V::kRows where kh is as large or larger; then a
/// loop adds all rows that every output sees.
template <class V, int kKernelRows, int kStep = 0>
HWY_INLINE void AddInputRows(const V& vectors, const DotTask& task, const std::int32_t* weights,
                             const std::uint8_t* const* rows, std::int64_t x, std::int64_t r,
                             typename V::Sum (&sums)[V::kRows][2]) {
  if constexpr (kStep < kKernelRows + V::kRows - 1) {
    constexpr int kFirst = kStep < kKernelRows ? 0 : kStep - kKernelRows + 1;
    constexpr int kLast = kStep < V::kRows ? kStep + 1 : V::kRows;
    const std::int64_t end = r + (kFirst == 0 && kLast == V::kRows ? task.kh - V::kRows + 1 : 1);
    for (; r < end; ++r) AddInputRow<V, kFirst, kLast>(vectors, task, weights, r, rows[r] + x, sums);
    AddInputRows<V, kKernelRows, kStep + 1>(vectors, task, weights, rows, x, r, sums);
  }
}

template <class V, int kRow = 0>
HWY_INLINE void ClearSums(typename V::Sum (&sums)[V::kRows][2]) {
  if constexpr (kRow < V::kRows) {
    sums[kRow][0] = sums[kRow][1] = V::zero();
    ClearSums<V, kRow + 1>(sums);
  }
}

template <class V, int kRow = 0>
HWY_INLINE void StoreSums(const typename V::Sum (&sums)[V::kRows][2], std::int32_t* to, std::int64_t pitch) {
  if constexpr (kRow < V::kRows) {
    V::store(sums[kRow][0], to);
    V::store(sums[kRow][1], to + V::lanes());
    StoreSums<V, kRow + 1>(sums, to + pitch, pitch);
  }
}

/// All columns of the block of output rows from `first` on.
template <class V, int kKernelRows>
void DotBlock(const DotTask& task, std::int64_t first) {
  const V vectors(task.step);
  for (std::int64_t x = 0; x < task.width; x += 2 * V::lanes()) {
    typename V::Sum sums[V::kRows][2];
    ClearSums<V>(sums);
    for (std::int64_t c = 0; c < task.inputs; ++c) {
      AddInputRows<V, kKernelRows>(vectors, task, task.weights + c * task.groups * task.kh,
                                   task.rows + c * (task.kh + kDotRows - 1) + first, x, 0, sums);
    }
    StoreSums<V>(sums, task.sums + first * task.pitch + x, task.pitch);
  }
}

/// Picks the DotBlock for this height of kernel.
template <class V, int kKernelRows = 1>
void DotAll(const DotTask& task) {
  static_assert(kDotRows % V::kRows == 0);
  if constexpr (kKernelRows < V::kRows) {
    if (task.kh > kKernelRows) return DotAll<V, kKernelRows + 1>(task);
  }
  for (std::int64_t first = 0; first < kDotRows; first += V::kRows) DotBlock<V, kKernelRows>(task, first);
}
