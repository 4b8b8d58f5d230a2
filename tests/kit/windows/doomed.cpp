#include "tests/kit/doomed.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <windows.h>

#include <gtest/gtest.h>

#include "base/child_process.h"
#include "base/environment.h"
#include "base/text.h"

namespace postern::tests {

namespace {

// How it ends, and the words: "calls 12 ..." or "steps 3 ...".
constexpr const char* kVariable = "POSTERN_DOOMED";
constexpr int kKilled = 137;

// What may change a file, its name, or who has it locked.
constexpr const char* kCalls[] = {
    "NtCreateFile", "NtOpenFile",         "NtWriteFile",          "NtSetInformationFile", "NtClose",
    "NtLockFile",   "NtFlushBuffersFile", "NtFlushBuffersFileEx", "NtUnlockFile",         "NtFsControlFile"};
// The first instruction of each: mov r10, rcx.
constexpr unsigned char kBegin[] = {0x4C, 0x8B, 0xD1};
constexpr unsigned char kBreakpoint = 0xCC;

void* places[std::size(kCalls)];
std::atomic<int> left{0};

[[noreturn]] void kill() {
    ::TerminateProcess(::GetCurrentProcess(), kKilled);
    std::abort();
}

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::_Exit(70);
}

// Stands at the begin of each call, counts, and does itself what the breakpoint took the place of.
LONG CALLBACK atCall(EXCEPTION_POINTERS* seen) {
    void* const place = seen->ExceptionRecord->ExceptionAddress;
    if (seen->ExceptionRecord->ExceptionCode != EXCEPTION_BREAKPOINT ||
        std::find(std::begin(places), std::end(places), place) == std::end(places))
        return EXCEPTION_CONTINUE_SEARCH;
    if (--left == 0) kill();
    seen->ContextRecord->R10 = seen->ContextRecord->Rcx;
    seen->ContextRecord->Rip = reinterpret_cast<DWORD64>(place) + sizeof kBegin;
    return EXCEPTION_CONTINUE_EXECUTION;
}

void standAtCalls(int calls) {
    left = calls;
    if (::AddVectoredExceptionHandler(1, &atCall) == nullptr) die("no handler of exceptions");
    const HMODULE system = ::GetModuleHandleW(L"ntdll.dll");
    for (std::size_t i = 0; i < std::size(kCalls); ++i) {
        auto* const place = reinterpret_cast<unsigned char*>(::GetProcAddress(system, kCalls[i]));
        if (place == nullptr) continue;  // older systems have no NtFlushBuffersFileEx
        if (std::memcmp(place, kBegin, sizeof kBegin) != 0) die(std::string(kCalls[i]) + " begins otherwise");
        places[i] = place;
        DWORD before = 0;
        if (::VirtualProtect(place, 1, PAGE_EXECUTE_READWRITE, &before) == 0)
            die("its code can not be changed");
        *place = kBreakpoint;
        ::VirtualProtect(place, 1, before, &before);
        ::FlushInstructionCache(::GetCurrentProcess(), place, 1);
    }
}

// This program with this one test. True when it was killed.
bool play(const std::string& how, int n, const std::string& words) {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    wchar_t path[MAX_PATH] = {};
    ::GetModuleFileNameW(nullptr, path, MAX_PATH);
    const auto own = std::filesystem::path(path).u8string();
    ProcessPlan plan;
    plan.arguments = {std::string(own.begin(), own.end()),
                      std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name()};
    for (const std::string& each : ownEnvironment())
        if (!each.starts_with("GTEST_")) plan.environment.push_back(each);
    plan.environment.push_back(std::string(kVariable) + "=" + how + " " + std::to_string(n) + " " + words);
    const ProcessEnd end = runProgram(plan, Millis(120'000), nullptr);
    if (!end.exitedWith(kKilled) && !end.exitedWith(0))
        throw std::runtime_error("the process that was to be killed " + end.text() + ": " + end.output +
                                 end.trouble.text);
    return end.exitedWith(kKilled);
}

}  // namespace

bool killedAtCall(int n, const std::string& words, const DoomedWork&) {
    return play("calls", n, words);
}

void killedAfterSteps(int steps, const std::string& words, const DoomedWork&) {
    if (!play("steps", steps, words)) throw std::runtime_error("it ended before its last step");
}

std::optional<std::string> doomedWords() {
    const auto all = environmentVariable(kVariable);
    if (!all) return std::nullopt;
    return all->substr(all->find(' ', all->find(' ') + 1) + 1);
}

void doomed(const DoomedWork& work) {
    const std::string all = environmentVariable(kVariable).value_or("");
    const int n = std::atoi(all.substr(all.find(' ')).c_str());
    const bool counted = all.starts_with("steps ");
    if (counted && n == 0) kill();
    left = n;
    if (!counted) standAtCalls(n);
    work([&] {
        if (counted && --left == 0) kill();
    });
    std::_Exit(0);
}

}  // namespace postern::tests
