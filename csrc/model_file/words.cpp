#include "model_file/words.hpp"

#include <algorithm>
#include <cstdio>

namespace stemzoo::model_file {
namespace {

// Bytes of the character that begins a text, 0 where none does. By the table 3-7 of the Unicode
// standard: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t first_character(std::string_view text) {
    const auto byte = [text](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const auto continues = [byte](std::size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(at) >= low && byte(at) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = first_character(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char byte : text) count += begins_character(byte);
    return count;
}

std::string_view cut(std::string_view text, std::size_t most) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (begins_character(text[at]) && most-- == 0) break;
    }
    return text.substr(0, at);
}

std::string listed(const std::vector<std::int64_t>& numbers) {
    constexpr std::size_t most = 80;
    std::string list = "[";
    for (const std::int64_t number : numbers) {
        if (list.size() > most) break;
        list += (list.size() > 1 ? ", " : "") + std::to_string(number);
    }
    return (list + "]").substr(0, most);
}

std::string whole(double count) {
    char digits[400];  // the largest double has 309
    std::snprintf(digits, sizeof digits, "%.0f", count);
    return digits;
}

std::string brief(double number) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", number);
    return digits;
}

std::string printable(std::string text) {
    const auto is_control = [](char byte) {
        return static_cast<unsigned char>(byte) < ' ' || byte == 0x7F;
    };
    std::replace_if(text.begin(), text.end(), is_control, '?');
    return text;
}

}  // namespace stemzoo::model_file
