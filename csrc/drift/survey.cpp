#include "drift/survey.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "drift/pixel_kernels.hpp"

namespace stemzoo::drift {

double PixelStatistics::deviation() const {
    return std::sqrt(std::max(mean_square - mean * mean, 0.0));
}

bool PixelStatistics::no_outliers() const {
    constexpr double suspect = 16;  // standard deviations
    const double limit = suspect * deviation();
    return static_cast<double>(highest) - mean < limit &&
           mean - static_cast<double>(lowest) < limit;
}

Survey::Survey(const View<const float>& pixels)
    : lowest(pixels.data[0]),
      highest(pixels.data[0]),
      row_means(pixels.shape.rows),
      column_means(pixels.shape.cols),
      same_rows(pixels.shape.rows),
      same_columns(pixels.shape.cols, 1) {
    bool any_same = true;
    const std::size_t rows = pixels.shape.rows, cols = pixels.shape.cols;
    double sum = 0, square = 0, differences = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        const float* const row = pixels.row(r);
        const RowSurvey found = pixel_kernels().survey(row, cols);
        row_means[r] = found.sum / static_cast<float>(cols);
        same_rows[r] = found.lowest == found.highest;
        sum += static_cast<double>(found.sum);
        square += static_cast<double>(found.square);
        lowest = std::min(lowest, found.lowest);
        highest = std::max(highest, found.highest);
        pixel_kernels().add(row, cols, column_means.data());
        any_same =
            any_same && pixel_kernels().compare(row, pixels.row(0), cols, same_columns.data());
        if (r % 2 == 0 && r + 1 < rows) {
            differences +=
                static_cast<double>(pixel_kernels().differences(row, pixels.row(r + 1), cols));
        }
    }
    for (float& column : column_means) column /= static_cast<float>(rows);
    mean = sum / static_cast<double>(rows * cols);
    mean_square = square / static_cast<double>(rows * cols);
    noise = differences / static_cast<double>((rows / 2) * (cols / 2)) / 4;
}

}  // namespace stemzoo::drift
