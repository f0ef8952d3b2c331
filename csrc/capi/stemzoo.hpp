// stemzoo.h for C++17: objects that close themselves, errors as exceptions. Nothing else is added,
// and all of it is inline.
//
//     stemzoo::Model model("denoise-live-1.0.0.onnx");
//     model.run(stemzoo::image(pixels, 512, 512), clean, 512);
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "stemzoo.h"

namespace stemzoo {

class Error : public std::runtime_error {
  public:
    Error(int status, const char* message) : std::runtime_error(message), status_(status) {}
    int status() const { return status_; }  // enum stemzoo_status

  private:
    int status_;
};

inline void check(int status) {
    if (status != STEMZOO_OK) throw Error(status, stemzoo_last_error());
}

inline int dtype_of(const std::uint8_t*) { return STEMZOO_U8; }
inline int dtype_of(const std::int8_t*) { return STEMZOO_I8; }
inline int dtype_of(const std::uint16_t*) { return STEMZOO_U16; }
inline int dtype_of(const std::int16_t*) { return STEMZOO_I16; }
inline int dtype_of(const std::uint32_t*) { return STEMZOO_U32; }
inline int dtype_of(const std::int32_t*) { return STEMZOO_I32; }
inline int dtype_of(const std::uint64_t*) { return STEMZOO_U64; }
inline int dtype_of(const std::int64_t*) { return STEMZOO_I64; }
inline int dtype_of(const float*) { return STEMZOO_F32; }
inline int dtype_of(const double*) { return STEMZOO_F64; }

// Contiguous pixels.
template <typename T>
stemzoo_image image(const T* pixels, std::size_t rows, std::size_t cols) {
    const auto stride = static_cast<std::ptrdiff_t>(cols);
    return {pixels, dtype_of(pixels), rows, cols, stride, 1, nullptr, 0};
}

constexpr double no_time = std::numeric_limits<double>::quiet_NaN();

class Model {
  public:
    explicit Model(const std::string& path, const stemzoo_model_options* options = nullptr) {
        stemzoo_model* made = nullptr;
        check(stemzoo_model_open(path.c_str(), options, &made));
        handle_.reset(made);
    }
    Model(const void* bytes, std::size_t size, const stemzoo_model_options* options = nullptr) {
        stemzoo_model* made = nullptr;
        check(stemzoo_model_open_memory(bytes, size, options, &made));
        handle_.reset(made);
    }

    // Empty if the model does not say.
    std::string metadata(const std::string& key) const {
        const char* value = nullptr;
        check(stemzoo_model_metadata(get(), key.c_str(), &value));
        return value == nullptr ? "" : value;
    }
    void run(const stemzoo_image& image, float* out, std::ptrdiff_t out_row_stride,
             const stemzoo_run_options* options = nullptr) const {
        check(stemzoo_model_run(get(), &image, options, out, out_row_stride));
    }
    stemzoo_model* get() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(stemzoo_model* handle) const { stemzoo_model_close(handle); }
    };
    std::unique_ptr<stemzoo_model, Close> handle_;
};

class Ncc {
  public:
    Ncc(const stemzoo_image& reference, std::size_t max_dy, std::size_t max_dx,
        double min_overlap = 0, int threads = 0) {
        stemzoo_ncc* made = nullptr;
        check(stemzoo_ncc_create(&reference, max_dy, max_dx, min_overlap, threads, &made));
        handle_.reset(made);
    }

    void run(const stemzoo_image& moving, float* surface) const {
        check(stemzoo_ncc_run(get(), &moving, surface));
    }
    stemzoo_ncc* get() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(stemzoo_ncc* handle) const { stemzoo_ncc_close(handle); }
    };
    std::unique_ptr<stemzoo_ncc, Close> handle_;
};

class Estimator {
  public:
    Estimator(std::size_t rows, std::size_t cols, const stemzoo_drift_options* options = nullptr) {
        stemzoo_estimator* made = nullptr;
        check(stemzoo_estimator_create(rows, cols, options, &made));
        handle_.reset(made);
    }

    stemzoo_drift run(const stemzoo_image& reference, const stemzoo_image& moving) const {
        stemzoo_drift drift;
        check(stemzoo_estimator_run(get(), &reference, &moving, &drift));
        return drift;
    }
    stemzoo_estimator* get() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(stemzoo_estimator* handle) const { stemzoo_estimator_close(handle); }
    };
    std::unique_ptr<stemzoo_estimator, Close> handle_;
};

// Features are expected to have moved by (dy, dx) px since the first reference.
struct Prediction {
    double dy, dx, sigma_y, sigma_x;
};

class DriftTracker {
  public:
    explicit DriftTracker(const stemzoo_image& reference,
                          const stemzoo_drift_options* options = nullptr) {
        stemzoo_tracker* made = nullptr;
        check(stemzoo_tracker_create(&reference, options, &made));
        handle_.reset(made);
    }

    stemzoo_drift push(const stemzoo_image& frame, double time = no_time) {
        stemzoo_drift drift;
        check(stemzoo_tracker_push(get(), &frame, time, &drift));
        return drift;
    }
    Prediction predict(double time = no_time) const {
        Prediction next;
        check(
            stemzoo_tracker_predict(get(), time, &next.dy, &next.dx, &next.sigma_y, &next.sigma_x));
        return next;
    }
    stemzoo_tracker* get() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(stemzoo_tracker* handle) const { stemzoo_tracker_close(handle); }
    };
    std::unique_ptr<stemzoo_tracker, Close> handle_;
};

// One for each row of the image. `progress` is as in stemzoo_rows_find_progress.
inline std::vector<stemzoo_row> find_rows(const float* image, const float* pilot, std::size_t rows,
                                          std::size_t cols,
                                          const stemzoo_rows_options* options = nullptr,
                                          stemzoo_progress progress = nullptr,
                                          void* user = nullptr) {
    std::vector<stemzoo_row> found(rows);
    check(stemzoo_rows_find_progress(image, pilot, rows, cols, options, progress, user,
                                     found.data()));
    return found;
}

// `out` has the pixels of the image, and may be the image.
inline void apply_rows(const float* image, std::size_t cols, const std::vector<stemzoo_row>& found,
                       float* out) {
    check(stemzoo_rows_apply(image, found.size(), cols, found.data(), out));
}

}  // namespace stemzoo
