#pragma once
// What an operator types in the chat, understood: "hold 17 wrong address" is a request to the queue, "mute
// 1h" is between him and the chat. Pure; any thread.

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connector/admin/control.h"

namespace postern::chat {

struct Wish {
    enum class Kind {
        Ask,      // `request`, carried out at once
        Confirm,  // `request`, with what it would change told first, and done on a second word
        Help,     // about `words`, or about everything
        Agree,    // to the one that waits for it: `words` has the token
        Filter,   // `words`: none shows, "off" ends, else key=value
        Mute,     // `words`: none shows, "off" ends, else a time
        Ack,      // `words`: items, then a note
    };
    Kind kind = Kind::Ask;
    admin::Request request{};
    std::vector<std::string> words{};
};

// `text` without the "!" that marks it in a channel. Invalid says how it is written.
Result<Wish> understand(std::string_view text, WallTime now);

// One line a verb; with the verb's name, its line alone. Invalid: there is no such verb.
Result<std::vector<std::string>> helpAbout(std::string_view verb);

// Whether a word names items: "17", "3-7", "m12", and several with commas.
bool namesItems(std::string_view word);

}  // namespace postern::chat
