#pragma once
// The command "item.preview": what the item's adapter makes of its mail, for people to read. Nothing is
// delivered, and nothing of the legacy side is touched.

#include "connector/admin/commands.h"

namespace postern::admin {

// Fields: ids (one item). Rows, by type: line {text} (UTF-8, without control characters, of the artifact's
// first 64 KiB), note {text} (what was lost or changed), refused {text} (it would be refused, and why),
// artifact {adapter, kind, bytes, whole}, last. TooLarge for a mail of more than kPreviewLimit; NotFound when
// the adapter is not in use; Busy when other previews are being made.
inline constexpr std::int64_t kPreviewLimit = 8LL << 20;
Result<void> previewItem(const ServiceView& view, const Request& request, ByteStream& body,
                         const RowSink& row);

}  // namespace postern::admin
