#pragma once
// SMTP on the streams of a program of this machine: spoken (sendmail -bs), and as a batch that nobody answers
// while it is read (RFC 2442). Both run the session that listeners run (smtp_session.h), with a listener's
// limits and its own name "submit".

#include "connector/admin/commands.h"

namespace postern::admin {

// A row "replies" first, and one for each piece of bytes, also when there is nothing to say. Ends when the
// bytes or the session end.
Result<void> talkSmtp(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

// A row for each mail: its number, the line it began in, whether it was stored, whether another try may help,
// and why not. A mail is stored for all its recipients or for none, and on its own: others are not held up. A
// mail whose final dot is missing is never stored (Exim's -bS takes torn ones). At the first line that is no
// command the rest is not believed: it may be the text of a mail.
Result<void> takeBatch(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

}  // namespace postern::admin
