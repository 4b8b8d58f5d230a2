#pragma once
// A part of the free space that somebody is about to use. Others do not get it until this ends.
// Thread rule: any thread, one at a time.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace postern::disk {

class Claim {
  public:
    using Sum = std::shared_ptr<std::atomic<std::int64_t>>;  // of all that is claimed

    Claim() = default;  // of nothing
    Claim(Sum sum, std::int64_t bytes) : sum_(std::move(sum)), bytes_(bytes) { *sum_ += bytes_; }
    Claim(Claim&& other) noexcept : sum_(std::move(other.sum_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Claim& operator=(Claim&& other) noexcept {
        std::swap(sum_, other.sum_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Claim() {
        if (sum_) *sum_ -= bytes_;
    }

    // Becomes one with it. REQUIRES: of the same sum, or of nothing.
    void add(Claim other) {
        if (!sum_) return void(*this = std::move(other));
        bytes_ += std::exchange(other.bytes_, 0);
    }

  private:
    Sum sum_;
    std::int64_t bytes_ = 0;
};

}  // namespace postern::disk
