#include "connector/chat/numerics.h"

#include <array>
#include <cstddef>

namespace postern::chat {

namespace {

struct Row {
    int number;
    std::string_view text;
};

constexpr std::array kRows = {
#define POSTERN_CHAT_ROW(name, number, text) Row{number, text},
    POSTERN_CHAT_NUMERICS(POSTERN_CHAT_ROW)
#undef POSTERN_CHAT_ROW
};

const Row& rowOf(Numeric numeric) {
    return kRows[static_cast<std::size_t>(numeric)];
}

}  // namespace

std::string numericCode(Numeric numeric) {
    const std::string digits = std::to_string(rowOf(numeric).number);
    return std::string(3 - digits.size(), '0') + digits;
}

std::string_view numericText(Numeric numeric) {
    return rowOf(numeric).text;
}

}  // namespace postern::chat
