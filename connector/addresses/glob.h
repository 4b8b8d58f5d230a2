#pragma once
#include <string_view>

namespace postern::addresses {

// Whether the whole of `text` is `pattern`: * is any text, ? one character (UTF-8), ASCII case is ignored.
// At most one step for each pair of a byte of the text and one of the pattern, whatever they are.
bool globMatches(std::string_view pattern, std::string_view text);

}  // namespace postern::addresses
