// The program `postern-sendmail`, also called sendmail, mailq and newaliases. Everything is in sendmail.h.

#include <iostream>

#include "base/child_process.h"
#include "base/service_manager.h"
#include "base/terminal.h"
#include "connector/cli/exits.h"
#include "connector/cli/sendmail.h"

int main(int count, char** words) {
    postern::useStandardStreams();
    postern::ignoreBrokenPipes();
    postern::ignoreFileLimits();
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    postern::cli::Console console{std::cin, std::cout, std::cerr, postern::Clock::system()};
    auto arguments = postern::ownArguments(count, words);
    const std::string program = arguments.empty() ? "sendmail" : arguments.front();
    if (!arguments.empty()) arguments.erase(arguments.begin());
    const int status = postern::cli::runSendmail(program, arguments, console);
    if (std::cout.flush() || status != 0) return status;
    std::cerr << "postern-sendmail: the output could not be written\n";
    return postern::cli::kExitIo;
}
