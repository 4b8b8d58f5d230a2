#pragma once
// The command "account" of the control socket. A password never comes here: the tool sends a verifier.

#include "connector/admin/commands.h"

namespace postern::admin {

Result<void> account(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

}  // namespace postern::admin
