// Uninitialised, aligned working memory that is kept and handed out again: fresh pages from the
// system cost more than the transforms that fill them.
#pragma once

#include <cstddef>
#include <utility>

namespace stemzoo {

void* scratch_take(std::size_t& bytes);  // `bytes` becomes the size really held
void scratch_give(void* memory, std::size_t bytes) noexcept;

template <typename T>
class Scratch {
  public:
    Scratch() = default;
    explicit Scratch(std::size_t count) : bytes_(count * sizeof(T)) {
        data_ = static_cast<T*>(scratch_take(bytes_));
    }
    Scratch(Scratch&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
    Scratch& operator=(Scratch&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Scratch() {
        if (data_ != nullptr) scratch_give(data_, bytes_);
    }

    T* data() const { return data_; }
    T& operator[](std::size_t i) const { return data_[i]; }

  private:
    T* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace stemzoo
