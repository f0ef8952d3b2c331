// Compiled once for each instruction set; see core/fft.hpp.
#include "drift/pixel_kernels.hpp"

#include <algorithm>

#include "drift/row_vectors.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

// 1 where a pixel is to count, 0 where it is lost; several vectors at a time, in a plain loop, for
// GCC converts vectors of bytes one by one.
struct Kept {
    static constexpr std::size_t count = 4 * L;

    explicit Kept(const std::uint8_t* lost) {
        for (std::size_t i = 0; i < count; ++i) of[i] = lost[i] != 0 ? 0.0f : 1.0f;
    }

    float of[count];
};

class RowPixelKernels final : public drift::PixelKernels {
  public:
    double sum(const float* row, std::size_t cols) const override {
        // In eight sums, which a compiler keeps in vectors.
        double sums[8] = {}, total = 0;
        std::size_t x = 0;
        for (; x + 8 <= cols; x += 8) {
            for (std::size_t i = 0; i < 8; ++i) sums[i] += static_cast<double>(row[x + i]);
        }
        for (; x < cols; ++x) total += static_cast<double>(row[x]);
        for (const double part : sums) total += part;
        return total;
    }

    drift::RowSurvey survey(const float* row, std::size_t cols) const override {
        drift::RowSurvey found{0, 0, row[0], row[0]};
        V total{}, square{}, low = V{} + row[0], high = low;
        std::size_t x = 0;
        for (; x + L <= cols; x += L) {
            const V v = load(row + x);
            total += v;
            square += v * v;
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        for (; x < cols; ++x) {
            found.sum += row[x];
            found.square += row[x] * row[x];
            found.lowest = std::min(found.lowest, row[x]);
            found.highest = std::max(found.highest, row[x]);
        }
        for (std::size_t i = 0; i < L; ++i) {
            found.sum += total[i];
            found.square += square[i];
            found.lowest = std::min(found.lowest, low[i]);
            found.highest = std::max(found.highest, high[i]);
        }
        return found;
    }

    void add(const float* row, std::size_t cols, float* sums) const override {
        for (std::size_t x = 0; x < cols; ++x) sums[x] += row[x];
    }

    bool compare(const float* row, const float* first, std::size_t cols,
                 std::int32_t* same) const override {
        std::int32_t any = 0;
        for (std::size_t x = 0; x < cols; ++x) {
            same[x] = row[x] == first[x] ? same[x] : 0;
            any |= same[x];
        }
        return any != 0;
    }

    float differences(const float* row, const float* below, std::size_t cols) const override {
        // Computes all differences and adds up the even ones, so that each vector is one load.
        V parts{};
        float rest = 0;
        std::size_t x = 0;
        for (; x + L + 1 <= cols; x += L) {
            const V d =
                (load(row + x) - load(below + x)) - (load(row + x + 1) - load(below + x + 1));
            parts += d * d;
        }
        for (; x + 2 <= cols; x += 2) {
            const float d = (row[x] - below[x]) - (row[x + 1] - below[x + 1]);
            rest += d * d;
        }
        for (std::size_t i = 0; i < L; i += 2) rest += parts[i];
        return rest;
    }

    drift::RowSums sums(const float* row, const std::uint8_t* lost,
                        std::size_t cols) const override {
        V total{}, square{}, count{};
        std::size_t x = 0;
        for (; x + Kept::count <= cols; x += Kept::count) {
            const Kept kept(lost + x);
            for (std::size_t i = 0; i < Kept::count; i += L) {
                const V keep = load(kept.of + i), v = load(row + x + i) * keep;
                total += v;
                square += v * v;
                count += keep;
            }
        }
        drift::RowSums found{};
        for (; x < cols; ++x) {
            if (lost[x] != 0) continue;
            found.sum += row[x];
            found.square += row[x] * row[x];
            found.count += 1;
        }
        for (std::size_t i = 0; i < L; ++i) {
            found.sum += total[i];
            found.square += square[i];
            found.count += count[i];
        }
        return found;
    }

    void centre(const float* row, const std::uint8_t* lost, std::size_t cols, float mean,
                float scale, float* out) const override {
        for (std::size_t x = 0; x < cols; ++x) {
            const float centred = (row[x] - mean) * scale;
            out[x] = lost[x] != 0 ? 0.0f : centred;
        }
    }

    void weigh(const std::uint8_t* counts, const float* across, float down, std::size_t count,
               float* values) const override {
        for (std::size_t x = 0; x < count; ++x) {
            values[x] *= static_cast<float>(counts[x]) * (down * across[x]);
        }
    }

    void window_sums(const std::uint8_t* values, std::size_t width, std::size_t count,
                     std::uint8_t* sums) const override {
        constexpr std::size_t wide = 4 * L;  // bytes in a vector
        const auto bytes = [](const std::uint8_t* from) {
            return stemzoo::STEMZOO_ISA::load<std::uint8_t, wide>(from);
        };
        std::size_t x = 0;
        for (; x + 2 * wide <= count; x += 2 * wide) {
            Vector<std::uint8_t, wide> left{}, right{};
            for (std::size_t i = 0; i < width; ++i) {
                left += bytes(values + x + i);
                right += bytes(values + x + i + wide);
            }
            store(left, sums + x);
            store(right, sums + x + wide);
        }
        for (; x < count; ++x) {
            std::uint8_t total = 0;
            for (std::size_t i = 0; i < width; ++i) total += values[x + i];
            sums[x] = total;
        }
    }
};

}  // namespace

const drift::PixelKernels& drift_pixel_kernels() {
    static const RowPixelKernels kernels;
    return kernels;
}

}  // namespace stemzoo::STEMZOO_ISA
