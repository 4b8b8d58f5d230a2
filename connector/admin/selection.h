#pragma once
// Items as operators name them: "3", "3-7", "m12" (every item of message 12), several of them with blanks or
// commas between.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/database.h"

namespace postern::admin {

struct Selection {
    struct Part {
        std::int64_t first = 0, last = 0;  // ids of items; the same for a single one
        MessageId message;                 // set: its items instead
    };
    std::vector<Part> parts;
};

// Invalid: names the part that is none, or a range of more than 100,000 ids. An empty text is Invalid too.
Result<Selection> parseSelection(std::string_view text);

// The items, each once, in the order given. Of a range those that exist; an item named alone is kept as it
// is: who uses it says that it does not exist. NotFound when a message has no items.
Result<std::vector<ItemId>> selectItems(store::ReadSession& session, const Selection& selection);

}  // namespace postern::admin
