#pragma once
// Who wants to be told what. Thread rule: pure.

#include <string_view>

#include "queue/fate.h"

namespace postern::reports {

// `notify` is queue::RecipientRow::notify. RFC 3461 4.1: "never" and a list are the sender's word and are
// kept to the letter. Without NOTIFY failures and delays are told, successes are not (5.2.2 permits the
// choice). An `automatic` sender (RFC 3834 5, Auto-Submitted) that says nothing is told of failures only: no
// program reads that something is late, and no two programs must begin to talk.
bool wants(std::string_view notify, queue::Fate::Kind kind, bool automatic);

}  // namespace postern::reports
