#include "connector/manual/command.h"

namespace postern::manual {

const Command* commandNamed(const Command& command, const std::string& name) {
    for (const Command& each : command.commands)
        if (each.name == name) return &each;
    return nullptr;
}

}  // namespace postern::manual
