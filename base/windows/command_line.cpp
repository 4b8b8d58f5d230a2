#include "base/windows/command_line.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "base/windows/system.h"

namespace postern::windows {

namespace {

constexpr std::size_t kLongestLine = 32'766;  // characters, without the zero

bool isFile(const std::string& path) {
    const DWORD facts = ::GetFileAttributesW(systemPath(path).c_str());
    return facts != INVALID_FILE_ATTRIBUTES && (facts & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

std::string_view lastName(std::string_view path) {
    const std::size_t cut = path.find_last_of("/\\");
    return cut == std::string_view::npos ? path : path.substr(cut + 1);
}

// As CreateProcess looks at it: dots and blanks at a name's end do not count.
bool isBatch(std::string_view path) {
    std::string name = lowerAscii(lastName(path));
    while (!name.empty() && (name.back() == '.' || name.back() == ' ')) name.pop_back();
    return name.ends_with(".bat") || name.ends_with(".cmd");
}

// Both kinds of programs, and neither a text nor anything else, begin with these two bytes.
Result<void> looksLikeProgram(const std::string& path) {
    POSTERN_LET(file, File::openRead(path));
    char begin[2] = {};
    POSTERN_LET(got, file.readAt(0, begin, sizeof begin));
    if (got == sizeof begin && begin[0] == 'M' && begin[1] == 'Z') return {};
    return fail(Errc::Denied, path + " is no program");
}

// A quotation mark gets a backslash, and so does every backslash right before one, the closing one too.
std::wstring quoted(const std::wstring& argument) {
    if (!argument.empty() && argument.find_first_of(L" \t\n\v\r\"") == std::wstring::npos) return argument;
    std::wstring made = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t c : argument) {
        if (c == L'"') made.append(backslashes + 1, L'\\');
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        made += c;
    }
    made.append(backslashes, L'\\');
    return made + L"\"";
}

Result<std::wstring> checkedWide(const std::string& text) {
    if (validUtf8(text)) return wide(text);
    return fail(Errc::Invalid,
                "'" + escapeLine(text, 60) + "' is no UTF-8: a program on Windows can not be told it");
}

std::wstring_view nameIn(std::wstring_view variable) {
    return variable.substr(0, variable.find(L'='));
}

int compareNames(std::wstring_view a, std::wstring_view b) {
    return ::CompareStringOrdinal(a.data(), static_cast<int>(a.size()), b.data(), static_cast<int>(b.size()),
                                  TRUE);
}

std::wstring systemRoot() {
    wchar_t path[MAX_PATH];
    const UINT size = ::GetWindowsDirectoryW(path, MAX_PATH);
    return L"SystemRoot=" + std::wstring(path, size < MAX_PATH ? size : 0);
}

}  // namespace

Result<std::string> programFile(const std::string& path) {
    std::string found = path;
    if (!isFile(found)) found += ".exe";
    if (!isFile(found)) {
        const DWORD facts = ::GetFileAttributesW(systemPath(path).c_str());
        if (facts != INVALID_FILE_ATTRIBUTES) return fail(Errc::Denied, path + " is no program");
        return systemError(ERROR_FILE_NOT_FOUND, path);
    }
    if (isBatch(found))
        return fail(Errc::Invalid, found +
                                       " is a batch file: what cmd.exe makes of its arguments can not be "
                                       "known; name a program");
    POSTERN_TRY(looksLikeProgram(found));
    return found;
}

Result<std::wstring> commandLine(const std::vector<std::string>& arguments) {
    std::wstring line;
    for (const std::string& argument : arguments) {
        POSTERN_LET(text, checkedWide(argument));
        // In the program's own name a backslash is only itself.
        line += line.empty() ? L'"' + text + L'"' : L' ' + quoted(text);
    }
    if (line.size() > kLongestLine)
        return fail(Errc::Invalid, "its arguments are " + std::to_string(line.size()) +
                                       " characters long, and Windows takes " + std::to_string(kLongestLine));
    return line;
}

Result<std::wstring> environmentBlock(const std::vector<std::string>& environment) {
    std::vector<std::wstring> variables;
    for (const std::string& variable : environment) {
        POSTERN_LET(text, checkedWide(variable));
        variables.push_back(std::move(text));
    }
    const std::wstring root = systemRoot();
    if (std::none_of(variables.begin(), variables.end(), [&](const std::wstring& variable) {
            return compareNames(nameIn(variable), nameIn(root)) == CSTR_EQUAL;
        }))
        variables.push_back(root);
    std::stable_sort(variables.begin(), variables.end(), [](const std::wstring& a, const std::wstring& b) {
        return compareNames(nameIn(a), nameIn(b)) == CSTR_LESS_THAN;
    });
    std::wstring block;
    for (const std::wstring& variable : variables) block.append(variable).push_back(L'\0');
    block.push_back(L'\0');
    return block;
}

}  // namespace postern::windows
