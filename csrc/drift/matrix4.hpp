// The inverse of a 4 x 4 matrix.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace stemzoo::drift {

using Vector4 = std::array<double, 4>;
using Matrix4 = std::array<Vector4, 4>;

// The inverse, or nothing if it has none; Gauss-Jordan with pivoting on a scaled copy.
inline std::optional<Matrix4> inverse(const Matrix4& m) {
    double a[4][8] = {};
    for (int i = 0; i < 4; ++i) {
        double largest = 0;
        for (int j = 0; j < 4; ++j) largest = std::max(largest, std::abs(m[i][j]));
        if (!(largest > 0) || !std::isfinite(largest)) return std::nullopt;
        for (int j = 0; j < 4; ++j) a[i][j] = m[i][j] / largest;
        a[i][4 + i] = 1 / largest;
    }
    for (int k = 0; k < 4; ++k) {
        int pivot = k;
        for (int i = k + 1; i < 4; ++i) {
            if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
        }
        if (!(std::abs(a[pivot][k]) > 1e-9)) return std::nullopt;
        std::swap(a[k], a[pivot]);
        for (int j = 7; j >= k; --j) a[k][j] /= a[k][k];
        for (int i = 0; i < 4; ++i) {
            if (i == k) continue;
            for (int j = 7; j >= k; --j) a[i][j] -= a[i][k] * a[k][j];
        }
    }
    Matrix4 out;
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j) out[i][j] = a[i][4 + j];
    }
    return out;
}

}  // namespace stemzoo::drift
