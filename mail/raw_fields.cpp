#include "mail/raw_fields.h"

namespace postern::mail {

RawField takeField(std::string_view& block) {
    std::size_t end = 0;
    do {
        const auto newline = block.find('\n', end);
        end = newline == std::string_view::npos ? block.size() : newline + 1;
    } while (end < block.size() && (block[end] == ' ' || block[end] == '\t'));
    RawField field;
    field.whole = block.substr(0, end);
    block.remove_prefix(end);
    const auto colon = field.whole.find(':');
    field.hasColon = colon != std::string_view::npos;
    field.name = field.whole.substr(0, colon);
    if (field.hasColon) field.value = field.whole.substr(colon + 1);
    return field;
}

}  // namespace postern::mail
