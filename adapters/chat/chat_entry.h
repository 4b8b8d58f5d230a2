#pragma once
// The chat's log of a channel or a person: a folder, and in it a file for each mail, its name the next number
// (adapters/spool/running_numbers.h). The adapter writes it, and the chat only reads it, so that the log
// alone says what was delivered: published by one rename, recovered by the spool's evidence, told from there.
//
//     postern-chat 1
//     item 17
//     to #alerts
//                                         an empty line, then what is said, a line each
//     17> Ann <ann@example.org>: The roof
//     17| is dry again
//
// Thread rule: pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace postern::adapters::chat {

inline constexpr std::string_view kChatKind = "chat";
inline constexpr std::size_t kMostEntryBytes = 16 * 1024;

struct Entry {
    ItemId item;
    std::string to;  // "#alerts"; or the account of a person
    std::vector<std::string> lines;
};

std::string entryText(const Entry& entry);
// Invalid when it is none; the lines are clean whoever wrote them (chat_text.h).
Result<Entry> readEntry(std::string_view text);

bool isChannel(std::string_view target);
// Why mail for a person waits: the items that wait for him are known by it.
std::string awayReason(std::string_view account);
// Why there can be no such channel or account; empty: there can.
std::string targetProblem(std::string_view target);
// The folder of a target's log; letters of both cases are the same. Invalid: it can have none.
Result<std::string> logFolder(std::string_view target);
// Whose log `folder` is, in small letters; empty: nobody's.
std::string targetOfLog(std::string_view folder);

}  // namespace postern::adapters::chat
