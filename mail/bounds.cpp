#include "mail/bounds.h"

#include "mail/structure.h"

namespace postern::mail {

Result<Shape> measure(ByteSource& source, const Bounds& bounds) {
    POSTERN_LET(structure, readStructure(source, bounds));
    return structure.shape;
}

}  // namespace postern::mail
