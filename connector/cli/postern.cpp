// The program `postern`: what operators type. Everything is in cli.h.

#include <cstdlib>
#include <iostream>

#include "base/child_process.h"
#include "base/peer.h"
#include "base/service_manager.h"
#include "base/terminal.h"
#include "connector/cli/cli.h"
#include "connector/cli/exits.h"

int main(int count, char** words) {
    postern::useStandardStreams();
    postern::ignoreBrokenPipes();
    postern::ignoreFileLimits();
    std::ios::sync_with_stdio(false);
    postern::cli::Console console{std::cin, std::cout, std::cerr, postern::Clock::system()};
    console.terminal = postern::standardOutputIsTerminal();
    console.width = postern::terminalWidth();
    const char* noColour = std::getenv("NO_COLOR");
    const bool dumb = !postern::terminalTakesSequences();
    console.colour = console.terminal && !dumb && (noColour == nullptr || noColour[0] == '\0');
    console.bars = postern::standardErrorIsTerminal() && !dumb;
    if (postern::standardInputIsTerminal()) console.askSecret = postern::askSecret;
    if (postern::standardInputIsTerminal() && console.terminal && !dumb)
        console.openScreen = postern::LiveScreen::open;
    auto arguments = postern::ownArguments(count, words);
    if (!arguments.empty()) arguments.erase(arguments.begin());
    const int status = postern::cli::runCli(arguments, console);
    // A full disk behind a redirection must not look like success.
    if (std::cout.flush()) return status;
    std::cerr << "postern: the output could not be written\n";
    return status == 0 ? postern::cli::kExitIo : status;
}
