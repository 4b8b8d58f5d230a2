#pragma once
// A whole Internet address inside a legacy name: letters, digits and - . _ + ' stand as they are, and so does
// the last "@"; every other byte is "=HH" in upper-case hex. Nothing of it is a delimiter of a legacy system:
// an address goes in whole and comes out whole (KB Q194191, Q254725). Escaping happens here and nowhere else
// (KB Q166556). Thread rule: pure.

#include <string>
#include <string_view>

namespace postern::addresses {

std::string encapsulate(std::string_view address);

// The exact inverse. What a person types need not be escaped: an unknown escape stands for itself.
std::string decapsulate(std::string_view capsule);

}  // namespace postern::addresses
