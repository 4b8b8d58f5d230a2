#pragma once
// A mail handed over by a program on this machine, as sendmail(8) takes it: any line ends, no dots to
// remove; stored like every other mail.

#include "connector/admin/commands.h"

namespace postern::admin {

Result<void> submit(const ServiceView& view, const Request& request, ByteStream& body, const RowSink& row);

// Turns CR LF, LF and a lone CR into CR LF (KB Q98209), piece by piece.
class LineEnds {
  public:
    // Appends to `out`.
    void feed(std::string_view piece, std::string& out);

  private:
    bool afterCr_ = false;
};

}  // namespace postern::admin
