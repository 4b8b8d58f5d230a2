#pragma once
// What an adapter hears of items long after their export (Adapter::attend), made durable: each answer is
// committed with its report, once for its token, before the adapter may forget it.
//
// Thread rule: one thread at a time for each adapter.

#include "connector/export/exporter.h"

namespace postern::exporting {

struct Attended {
    int answers = 0;       // new ones; more may wait
    std::string unusable;  // set: the adapter can not work now, and why
};

// An Error is the store's: the answers that are left are given again.
Result<Attended> attend(const Post& post, const std::function<bool()>& stopping);

}  // namespace postern::exporting
