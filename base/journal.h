#pragma once
// Whether the journal of the service manager reads what is written.

namespace postern {

// `journal_stream` is the value of JOURNAL_STREAM, or null: device and inode of the stream that the manager
// gave this process, "DEV:INODE" in decimal (systemd.exec(5)). True when `handle` is that stream: the
// variable alone says nothing, as standard error may lead to a file (StandardError=append:), and children
// inherit the variable. Any thread.
bool leadsToJournal(const char* journal_stream, int handle);

}  // namespace postern
