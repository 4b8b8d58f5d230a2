#pragma once
// The four guards that make an export happen exactly once. Production code never changes the defaults: no
// configuration key, no environment variable and no command reaches them. The race tests switch each off in
// turn and must then see a message doubled or lost: a guard that can be removed unnoticed is not a guard.

namespace postern {

struct Guards {
    bool epoch = true;           // state changes by a holder compare the epoch (I3)
    bool publishingMark = true;  // nothing is published before "publishing" is committed (I4)
    bool askAdapter =
        true;  // an item cut off in publishing is handed over again only after the adapter said so (I5)
    bool noReplace =
        true;  // a spool file is published by a rename of the one staged file that replaces nothing
};

}  // namespace postern
