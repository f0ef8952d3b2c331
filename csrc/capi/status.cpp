#include "capi/status.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "core/progress.hpp"
#include "model_file/contract.hpp"
#include "onnxruntime/runtime.hpp"

namespace stemzoo::capi {
namespace {

constexpr int most_threads = 1024;

// Plain memory: it needs no allocation, which may be what failed, and no destructor when a thread
// ends, which may be after the library has gone.
thread_local std::array<char, 2048> last_message{};

int noted(int status, const char* message) noexcept {
    std::size_t length = std::min(std::strlen(message), last_message.size() - 1);
    // Not in the middle of a character of UTF-8.
    while (message[length] != 0 && length > 0 && (message[length] & 0xC0) == 0x80) --length;
    std::memcpy(last_message.data(), message, length);
    last_message[length] = 0;
    return status;
}

}  // namespace

int failed() noexcept {
    try {
        throw;
    } catch (const Cancelled& error) {
        return noted(STEMZOO_CANCELLED, error.what());
    } catch (const model_file::ModelError& error) {
        return noted(STEMZOO_BAD_MODEL, error.what());
    } catch (const CannotRead& error) {
        return noted(STEMZOO_CANNOT_READ, error.what());
    } catch (const onnxruntime::Unavailable& error) {
        return noted(STEMZOO_NO_RUNTIME, error.what());
    } catch (const onnxruntime::Failed& error) {
        return noted(STEMZOO_RUNTIME_FAILED, error.what());
    } catch (const std::invalid_argument& error) {
        return noted(STEMZOO_BAD_ARGUMENT, error.what());
    } catch (const std::bad_alloc&) {
        return noted(STEMZOO_NO_MEMORY, "there is not enough memory for this");
    } catch (const std::exception& error) {
        return noted(STEMZOO_INTERNAL, error.what());
    } catch (...) {
        return noted(STEMZOO_INTERNAL, "an exception of an unknown kind was thrown");
    }
}

void require(const void* pointer, const char* name) {
    if (pointer != nullptr) return;
    throw std::invalid_argument(std::string(name) + " is NULL; expected a pointer");
}

unsigned threads_from(int threads) {
    if (threads >= 0 && threads <= most_threads) return static_cast<unsigned>(threads);
    throw std::invalid_argument("threads is " + std::to_string(threads) + "; expected 1 to " +
                                std::to_string(most_threads) + ", or 0 for all cores");
}

}  // namespace stemzoo::capi

extern "C" {

const char* stemzoo_version(void) { return STEMZOO_VERSION; }

const char* stemzoo_last_error(void) { return stemzoo::capi::last_message.data(); }
}
