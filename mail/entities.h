#pragma once
// Character references of HTML. Internal to this room. Thread rule: pure.

#include <string>
#include <string_view>

namespace postern::mail {

// Takes "&...;" from the front of `text` and appends what it stands for; an unknown one is text. A missing
// ";" is forgiven, as browsers do. REQUIRES: `text` begins with "&".
void takeEntity(std::string_view& text, std::string& out);

}  // namespace postern::mail
