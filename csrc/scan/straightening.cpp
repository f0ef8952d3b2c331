#include "scan/straightening.hpp"

#include <cmath>
#include <stdexcept>

#include "scan/centring.hpp"
#include "scan/resample_rows.hpp"

namespace stemzoo::scan {
namespace {

constexpr double settled_change = 0.01;  // px rms: displacements that change less are final

// A pixel that is not finite becomes the one before it in the row, or what is typical.
void fill(float* pixels, Shape shape) {
    for (std::size_t row = 0; row < shape.rows; ++row) {
        float before = 0;
        for (std::size_t col = 0; col < shape.cols; ++col, ++pixels) {
            if (std::isfinite(*pixels)) before = *pixels;
            *pixels = before;
        }
    }
}

void add(double offset, float* pixels, std::size_t count) {
    if (offset == 0) return;
    for (std::size_t i = 0; i < count; ++i) {
        pixels[i] = static_cast<float>(static_cast<double>(pixels[i]) + offset);
    }
}

bool have_moved(const Rows& rows) {
    const auto count = static_cast<double>(rows.displacement.size());
    const bool alike = rows.memory.x > 0 && rows.noise < weak_noise;
    const double least = alike ? moved_alike_evidence : moved_common_evidence;
    return rows.evidence.x >= moved_evidence * count && rows.common_evidence.x >= least * count;
}

std::vector<double> change_of(const Rows& to, const Rows& from, double Pair::* axis) {
    std::vector<double> change;
    for (std::size_t row = 0; row < to.displacement.size(); ++row) {
        change.push_back(to.displacement[row].*axis - from.displacement[row].*axis);
    }
    return change;
}

}  // namespace

Straightening::Straightening(const AnyView& image, const StraighteningOptions& options)
    : shape_(shape_of(image)), options_(options), offset_(typical(image)), pixels_(shape_.size()) {
    if (options.passes == 0) throw std::invalid_argument("passes is 0; expected 1 or more");
    centre(image, offset_, pixels_.data());
    rows_.displacement.resize(shape_.rows);
    rows_.sigma.resize(shape_.rows);
}

const float* Straightening::next() {
    if (done_) return nullptr;
    image_.resize(shape_.size());
    if (pass_ == 0) {
        image_ = pixels_;
    } else {
        resample_rows(pixels_.data(), shape_, rows_.displacement, image_.data(),
                      options_.rows.threads);
    }
    fill(image_.data(), shape_);
    add(offset_, image_.data(), image_.size());
    return image_.data();
}

void Straightening::take(const AnyView& pilot) {
    if (shape_of(pilot) != shape_) {
        throw std::invalid_argument("image is " + shape_.text() + " and pilot " +
                                    shape_of(pilot).text() + "; expected equal shapes");
    }
    pilot_.resize(shape_.size());
    centre(pilot, offset_, pilot_.data());
    const Reach reach = options_.rows.reach;
    const bool both = reach.y > 0 && options_.passes > 1, last = ++pass_ == options_.passes;
    if (both && (last || settled_)) {
        rows_ = found(pilot_.data(), reach);
        done_ = true;
        return;
    }
    Rows now = found(pilot_.data(), {0, reach.x});
    if (pass_ == 1) {
        moved_ = have_moved(now);
        if (!moved_) {
            rows_.evidence = now.evidence;
            done_ = true;
            return;
        }
        rows_ = std::move(now);
    } else {
        change(now);
    }
    done_ = last || (settled_ && !both);
}

void Straightening::result(float* out) const {
    resample_rows(pixels_.data(), shape_, rows_.displacement, out, options_.rows.threads);
    add(offset_, out, shape_.size());
}

Rows Straightening::found(const float* pilot, Reach reach) const {
    RowOptions options = options_.rows;
    options.reach = reach;
    return find_rows(pixels_.data(), pilot, shape_, options);
}

// Moves the displacements towards those that were found, by as much as damping allows.
void Straightening::change(const Rows& found) {
    const std::vector<double> y = across_.limited(change_of(found, rows_, &Pair::y));
    const std::vector<double> x = along_.limited(change_of(found, rows_, &Pair::x));
    double squares = 0;
    for (std::size_t row = 0; row < shape_.rows; ++row) {
        rows_.displacement[row].y += y[row];
        rows_.displacement[row].x += x[row];
        squares += x[row] * x[row];
    }
    rows_.sigma = found.sigma;
    rows_.evidence = found.evidence;
    settled_ = std::sqrt(squares / static_cast<double>(shape_.rows)) < settled_change;
}

}  // namespace stemzoo::scan
