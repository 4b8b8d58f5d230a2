// The program `postern-sendmail`, also called sendmail, mailq and newaliases. Everything is in sendmail.h.

#include <iostream>

#include "base/service_manager.h"
#include "connector/cli/exits.h"
#include "connector/cli/sendmail.h"

int main(int count, char** words) {
    postern::ignoreBrokenPipes();
    postern::ignoreFileLimits();
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    postern::cli::Console console{std::cin, std::cout, std::cerr, postern::Clock::system()};
    const std::string program = count > 0 ? words[0] : "sendmail";
    const int status =
        postern::cli::runSendmail(program, {words + (count > 0 ? 1 : 0), words + count}, console);
    if (std::cout.flush() || status != 0) return status;
    std::cerr << "postern-sendmail: the output could not be written\n";
    return postern::cli::kExitIo;
}
