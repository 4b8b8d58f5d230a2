#pragma once
// The outbound of a mailer, as binkd and others read it (FTS-5005, BinkleyTerm style): for each link a .bsy
// that says who works with it now, and flow files, lists of what is to be sent.
//
//   outbound/03e70002.flo               net 999, node 2 of our zone
//   outbound.003/...                    zone 3
//   outbound/03e70002.pnt/00000001.flo  point 1 of that node
//
// Names that a mailer of DOS made on a share count in any case: 03E70002.BSY, 03E70002.FLO.
//
// Thread rule: one thread; the caller has its own lock on the link (takeOwnLock), which LockFile requires.

#include <memory>
#include <string>
#include <vector>

#include "adapters/ftn/ftn_address.h"
#include "adapters/spool/lock_file.h"
#include "base/file.h"

namespace postern::adapters::ftn {

struct FlowPlan {
    std::string folder;                 // where the outbound folders are
    std::string outbound = "outbound";  // the one of `zone`; others have their zone behind it
    int zone = 1;
    char flavour = 'f';  // of the flow file: f normal, c crash, d direct, h hold
    unsigned fileMode = 0660, folderMode = 0770;
    LockFilePlan lock;
};

struct FlowPlace {
    std::string folder;  // relative to FlowPlan::folder
    std::string base;    // of the file names: eight hex digits
};
FlowPlace flowPlace(const Node& link, const FlowPlan& plan);

class Flow {
  public:
    // Makes the folder if need be and takes the link's .bsy. Busy: a mailer has it.
    static Result<std::unique_ptr<Flow>> open(const Node& link, const FlowPlan& plan);

    // To be called before files of these names appear: a line that is marked as sent and names one of them is
    // an older file's, and says nothing from now on. Without that, whoever finds the new file after a crash
    // takes it for sent. Durable when it returns; files that are there already keep their lines.
    Result<void> forgetSent(const Folder& packets, const std::vector<std::string>& names);

    // Lists the files `names` of `packets`, to be deleted once they are sent. One that the list holds
    // already, to be sent or as sent, is not added again; one that is not there any more was sent. Durable
    // when it returns.
    Result<void> add(const Folder& packets, const std::vector<std::string>& names);

  private:
    Flow(Folder folder, std::string file, unsigned fileMode)
        : folder_(std::move(folder)), file_(std::move(file)), fileMode_(fileMode) {}

    Result<std::string> list() const;  // empty when there is none

    const Folder folder_;
    const std::string file_;
    const unsigned fileMode_;
    std::unique_ptr<LockFile> busy_;
};

}  // namespace postern::adapters::ftn
