#include "adapters/command/runner.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::string_view kVersion = "postern-run-1";
constexpr std::array<std::string_view, 5> kEnds = {"exited", "signalled", "timed-out", "cancelled",
                                                   "not-started"};

}  // namespace

std::vector<std::string> orderArguments(const RunOrder& order) {
    std::vector<std::string> arguments = {std::string(kVersion),
                                          order.stage,
                                          order.run,
                                          order.key,
                                          std::to_string(order.limit.count()),
                                          order.sharesLock ? "shares-lock" : "keeps-lock",
                                          order.folder,
                                          "--"};
    arguments.insert(arguments.end(), order.command.begin(), order.command.end());
    return arguments;
}

std::optional<RunOrder> parseOrder(const std::vector<std::string>& arguments) {
    constexpr std::size_t kOwn = 8;
    if (arguments.size() <= kOwn || arguments[0] != kVersion || arguments[7] != "--") return std::nullopt;
    const auto limit = parseInt(arguments[4]);
    const bool shares = arguments[5] == "shares-lock";
    if (!limit || *limit < 0 || (!shares && arguments[5] != "keeps-lock")) return std::nullopt;
    RunOrder order{arguments[1], arguments[2], arguments[3], Millis(*limit), shares, arguments[6], {}};
    order.command.assign(arguments.begin() + kOwn, arguments.end());
    return order;
}

std::string installedRunner() {
    const std::string own = ownProgramFolder();
    for (const std::string& folder : {own, joinPath(parentPath(own), "libexec/postern")}) {
        std::string path = joinPath(folder, "postern-runner");
        if (canRun(path).ok()) return path;
    }
    return {};
}

std::string formatResult(const ProcessEnd& end) {
    std::string text(kVersion);
    for (const std::string& field :
         {std::string(kEnds.at(static_cast<std::size_t>(end.how))), std::to_string(end.code),
          std::to_string(end.took.count()), std::to_string(end.inputLeft),
          std::string(end.outputCut ? "cut" : "whole"), std::to_string(static_cast<int>(end.trouble.code)),
          std::to_string(end.output.size())})
        text += " " + field;
    return text + "\n" + escapeLine(end.trouble.text, 1000) + "\n" + end.output + "\nend\n";
}

std::optional<ProcessEnd> parseResult(std::string_view text) {
    const std::size_t line = text.find('\n');
    const std::size_t next = line == std::string_view::npos ? line : text.find('\n', line + 1);
    if (next == std::string_view::npos) return std::nullopt;
    const auto fields = split(text.substr(0, line), ' ');
    if (fields.size() != 8 || fields[0] != kVersion) return std::nullopt;
    const auto how = std::find(kEnds.begin(), kEnds.end(), fields[1]);
    const auto code = parseInt(fields[2]), took = parseInt(fields[3]), left = parseInt(fields[4]);
    const auto trouble = parseInt(fields[6]), size = parseInt(fields[7]);
    if (how == kEnds.end() || !code || !took || !left || !trouble || !size) return std::nullopt;
    if (*code != static_cast<int>(*code)) return std::nullopt;  // what it would be cut to may be 0
    if (*trouble < 0 || *trouble > static_cast<int>(Errc::Internal) || *size < 0) return std::nullopt;
    const std::string_view rest = text.substr(next + 1);
    if (rest.size() != static_cast<std::size_t>(*size) + 5 || !rest.ends_with("\nend\n")) return std::nullopt;
    ProcessEnd end;
    end.how = static_cast<ProcessEnd::How>(how - kEnds.begin());
    end.code = static_cast<int>(*code);
    end.took = Millis(*took);
    end.inputLeft = *left;
    end.outputCut = fields[5] == "cut";
    end.trouble = {static_cast<Errc>(*trouble), std::string(text.substr(line + 1, next - line - 1))};
    end.output = rest.substr(0, static_cast<std::size_t>(*size));
    return end;
}

}  // namespace postern::adapters
