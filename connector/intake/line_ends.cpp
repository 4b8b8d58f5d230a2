#include "connector/intake/line_ends.h"

namespace postern::intake {

void LineEnds::feed(std::string_view piece, std::string& out) {
    while (!piece.empty()) {
        if (afterCr_ && piece.front() == '\n') piece.remove_prefix(1);
        afterCr_ = false;
        const auto end = piece.find_first_of("\r\n");
        out.append(piece.substr(0, end));
        if (end == std::string_view::npos) return;
        out.append("\r\n");
        afterCr_ = piece[end] == '\r';
        piece.remove_prefix(end + 1);
    }
}

}  // namespace postern::intake
