// A program for tests of base/child_process.h and of those who start programs, the same on every system. Its
// first argument says what it does.

#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <string>

#include "base/child_process.h"
#include "base/file.h"
#include "base/path.h"
#include "base/random.h"
#include "base/terminal.h"

namespace {

using postern::ChildProcess;
using postern::File;

[[noreturn]] void waitForEver() {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    for (;;) never.wait(lock);
}

int showArguments(const std::vector<std::string>& words) {
    for (std::size_t i = 2; i < words.size(); ++i) std::cout << "[" << words[i] << "]";
    return 0;
}

int showEnvironment() {
    for (const std::string& each : postern::ownEnvironment()) std::cout << each << "\n";
    return 0;
}

int copyInput(std::size_t most) {
    for (int c; most > 0 && (c = std::getchar()) != EOF; --most) std::putchar(c);
    return 0;
}

// What it reads becomes a file of its own in the folder words[2]; its other words, a line each, "args" there.
int store(const std::vector<std::string>& words) {
    const std::filesystem::path folder(words.at(2));
    std::ofstream taken(folder / std::to_string(postern::processId()), std::ios::binary);
    for (int c; (c = std::getchar()) != EOF;) taken.put(static_cast<char>(c));
    std::ofstream args(folder / "args", std::ios::binary);
    for (std::size_t i = 3; i < words.size(); ++i) args << words[i] << "\n";
    args.close();
    taken.close();
    return args.good() && taken.good() ? 0 : 75;
}

// Says words[3] and ends with the status words[2].
int say(const std::vector<std::string>& words) {
    copyInput(0);
    std::cout << words.at(3) << "\n";
    return std::atoi(words[2].c_str());
}

// An import program in the folder words[3]: "take" removes *.ccm, "refuse" makes them *.und and ends with 5,
// "leave" does nothing and ends with 1.
int import(const std::vector<std::string>& words) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (const auto& each : fs::directory_iterator(fs::path(std::u8string(words[3].begin(), words[3].end()))))
        if (each.path().extension() == ".ccm") files.push_back(each.path());
    for (const fs::path& each : files) {
        if (words[2] == "take") fs::remove(each);
        if (words[2] == "refuse") fs::rename(each, fs::path(each).replace_extension(".und"));
    }
    return words[2] == "take" ? 0 : words[2] == "refuse" ? 5 : 1;
}

int showHanded() {
    for (const int number : {4, 3}) {
        auto file = postern::handedFile(number);
        if (!file.ok()) return 1;
        char text[100];
        const auto got = file->readAt(0, text, sizeof text);
        if (got.ok()) std::cout << std::string(text, *got);
    }
    return postern::handedFile(5).ok() ? 2 : 0;
}

// Starts one that waits, says both numbers, and waits too or ends.
int startAnother(const std::vector<std::string>& words) {
    postern::ProcessPlan plan;
    plan.arguments = {words[0], "wait"};
    plan.mostOutput = 0;
    auto child = ChildProcess::start(plan);
    if (!child.ok()) return 1;
    std::cout << child->id() << std::endl;
    if (words.size() > 2 && words[2] == "wait") waitForEver();
    return 0;
}

int flood(int bytes) {
    std::cout << "first\n" << std::flush;
    std::cerr << "second\n";
    for (int i = 0; i < bytes; ++i) std::putchar('y');
    return 0;
}

// In a copy of this program that is called "standin": keeps what it reads in "taken" beside it, as one file
// with a name of its own, and its arguments in "args". What CommandRig::kStore says to a shell.
int takeMail(const std::vector<std::string>& words) {
    const std::string here = postern::ownProgramFolder();
    const std::string name = postern::randomName(12), taken = postern::joinPath(here, "taken");
    std::string mail, arguments;
    for (int c; (c = std::getchar()) != EOF;) mail += static_cast<char>(c);
    for (std::size_t i = 1; i < words.size(); ++i) arguments += words[i] + "\n";
    const auto folder = postern::Folder::open(taken);
    if (!folder.ok()) return 75;
    auto file = folder->create("." + name);
    if (!file.ok() || !file->write(mail).ok() || !file->close().ok()) return 75;
    if (!postern::replaceFile(postern::joinPath(here, "args"), arguments).ok()) return 75;
    const auto moved = folder->moveNoReplace("." + name, *folder, name);
    return moved.ok() && *moved == postern::Moved::Done ? 0 : 75;
}

// The real thing, also under a sanitizer, which would take the signal or a null pointer for its own report.
int crash() {
    std::signal(SIGSEGV, SIG_DFL);
    volatile int* volatile nowhere = reinterpret_cast<volatile int*>(std::uintptr_t{64});
    *nowhere = 1;
    return 0;
}

}  // namespace

int main(int count, char** values) {
    postern::useStandardStreams();
    postern::takeOrdinaryLimits();
    const auto words = postern::ownArguments(count, values);
    if (postern::lastName(words[0]).starts_with("standin")) return takeMail(words);
    const std::string what = words.size() > 1 ? words[1] : "";
    const int number = words.size() > 2 ? std::atoi(words[2].c_str()) : 0;
    if (what == "exit") return number;
    if (what == "arguments") return showArguments(words);
    if (what == "environment") return showEnvironment();
    if (what == "store") return store(words);
    if (what == "say") return say(words);
    if (what == "import") return import(words);
    if (what == "copy") return copyInput(number > 0 ? static_cast<std::size_t>(number) : SIZE_MAX);
    if (what == "handed") return showHanded();
    if (what == "another") return startAnother(words);
    if (what == "flood") return flood(number);
    if (what == "crash") return crash();
    if (what == "wait") waitForEver();
    if (what == "folder") std::cout << std::filesystem::current_path().generic_string();
    return 0;
}
