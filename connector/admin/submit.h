#pragma once
// A mail handed over by a program on this machine, as sendmail(8) takes it: any line ends, no dots to
// remove; stored like every other mail.

#include "connector/admin/commands.h"

namespace postern::admin {

Result<void> submit(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

}  // namespace postern::admin
