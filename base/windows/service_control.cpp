#include "base/service_control.h"

#include <array>

#include "base/file.h"
#include "base/windows/service_rights.h"
#include "base/windows/system.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using windows::lastError;
using windows::narrow;
using windows::wide;

constexpr const char* kServiceKey = "SYSTEM\\CurrentControlSet\\Services\\";
constexpr const char* kSourceKey = "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\";
constexpr const wchar_t* kConfigValue = L"ConfigFile";
// The manager tells nobody that is not a service of a change that he did not ask for: its state is looked
// at, with a deadline.
constexpr DWORD kLookMillis = 100;
constexpr DWORD kDay = 86'400, kPreshutdownMillis = 120'000;

class Handle {
  public:
    explicit Handle(SC_HANDLE handle) : handle_(handle) {}
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ~Handle() {
        if (handle_ != nullptr) ::CloseServiceHandle(handle_);
    }
    SC_HANDLE get() const { return handle_; }

  private:
    SC_HANDLE handle_;
};

Error managerError(const std::string& doing) {
    const DWORD number = ::GetLastError();
    switch (number) {
        case ERROR_ACCESS_DENIED:
            return fail(Errc::Denied, doing +
                                          ": only an administrator may; begin the command prompt with "
                                          "\"Run as administrator\"");
        case ERROR_SERVICE_DOES_NOT_EXIST:
            return fail(Errc::NotFound, std::string("there is no service ") + kServiceName +
                                            " on this machine: 'postern service install' makes it");
        case ERROR_SERVICE_MARKED_FOR_DELETE:
            return fail(Errc::Busy, doing +
                                        ": it is being taken off the list, but some program still looks "
                                        "at it; close the Services window, then try again");
        default: return systemError(static_cast<int>(number), doing);
    }
}

Result<Handle> openManager(DWORD rights) {
    Handle manager(::OpenSCManagerW(nullptr, nullptr, rights));
    if (manager.get() == nullptr) return managerError("asking the service manager");
    return manager;
}

Result<Handle> openService(DWORD rights) {
    POSTERN_LET(manager, openManager(SC_MANAGER_CONNECT));
    Handle service(::OpenServiceW(manager.get(), wide(kServiceName).c_str(), rights));
    if (service.get() == nullptr) return managerError(std::string("the service ") + kServiceName);
    return service;
}

Result<SERVICE_STATUS_PROCESS> look(const Handle& service) {
    SERVICE_STATUS_PROCESS status{};
    DWORD size = 0;
    if (!::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<LPBYTE>(&status),
                                sizeof status, &size))
        return managerError("asking for its state");
    return status;
}

// Until it is in one of the two states; nothing when `limit` passed before.
Result<std::optional<SERVICE_STATUS_PROCESS>> waitFor(const Handle& service, DWORD one, DWORD other,
                                                      milliseconds limit) {
    const auto deadline = steady_clock::now() + limit;
    for (;;) {
        POSTERN_LET(status, look(service));
        if (status.dwCurrentState == one || status.dwCurrentState == other)
            return std::optional<SERVICE_STATUS_PROCESS>(status);
        if (steady_clock::now() >= deadline) return std::optional<SERVICE_STATUS_PROCESS>();
        ::Sleep(kLookMillis);
    }
}

std::int64_t exitOf(const SERVICE_STATUS_PROCESS& status) {
    if (status.dwWin32ExitCode == ERROR_SERVICE_NEVER_STARTED) return 0;
    return status.dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR ? status.dwServiceSpecificExitCode
                                                                  : status.dwWin32ExitCode;
}

std::string seconds(milliseconds limit) {
    return std::to_string(limit.count() / 1000) + " seconds";
}

// --- Registry

Result<void> setValue(const std::string& key, const wchar_t* name, DWORD type, const void* data, DWORD size) {
    const LSTATUS failed = ::RegSetKeyValueW(HKEY_LOCAL_MACHINE, wide(key).c_str(), name, type, data, size);
    if (failed != ERROR_SUCCESS) return systemError(static_cast<int>(failed), "HKEY_LOCAL_MACHINE\\" + key);
    return {};
}

Result<void> setText(const std::string& key, const wchar_t* name, const std::string& text) {
    const std::wstring value = wide(text);
    return setValue(key, name, REG_SZ, value.c_str(),
                    static_cast<DWORD>((value.size() + 1) * sizeof(wchar_t)));
}

Result<void> registerSource(const std::string& program) {
    const std::string key = std::string(kSourceKey) + kServiceName;
    const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    POSTERN_TRY(setText(key, L"EventMessageFile", program));
    return setValue(key, L"TypesSupported", REG_DWORD, &types, sizeof types);
}

std::string parametersKey() {
    return std::string(kServiceKey) + kServiceName + "\\Parameters";
}

// --- What an installed service has besides its program

std::string accountOf(const ServicePlan& plan) {
    return plan.account.empty() ? std::string("NT SERVICE\\") + kServiceName : plan.account;
}

// Collects what could not be set.
class Extras {
  public:
    explicit Extras(const Handle& service) : service_(service) {}
    template <class T>
    void set(DWORD level, T& info, const std::string& what) {
        if (!::ChangeServiceConfig2W(service_.get(), level, &info))
            missing_.push_back(what + " can not be set: " + lastError("the service manager").text);
    }
    void note(const Result<void>& done) {
        if (!done.ok()) missing_.push_back(done.error().text);
    }
    std::vector<std::string> missing() && { return std::move(missing_); }

  private:
    const Handle& service_;
    std::vector<std::string> missing_;
};

void setText(Extras& extras) {
    std::wstring text =
        L"Takes Internet mail and exports it, exactly once, to legacy mail systems. Its log is in the Event "
        L"Log and in the folder log below its configuration; 'postern status' says how it is.";
    SERVICE_DESCRIPTIONW description{text.data()};
    extras.set(SERVICE_CONFIG_DESCRIPTION, description, "the description");
}

// After 5 seconds, after 30, and every minute from then on; also when it ends with a failure of its own.
void setRecovery(Extras& extras) {
    std::array<SC_ACTION, 3> actions{
        {{SC_ACTION_RESTART, 5'000}, {SC_ACTION_RESTART, 30'000}, {SC_ACTION_RESTART, 60'000}}};
    SERVICE_FAILURE_ACTIONSW recovery{};
    recovery.dwResetPeriod = kDay;
    recovery.cActions = static_cast<DWORD>(actions.size());
    recovery.lpsaActions = actions.data();
    extras.set(SERVICE_CONFIG_FAILURE_ACTIONS, recovery, "the recovery actions");
    SERVICE_FAILURE_ACTIONS_FLAG failures{TRUE};
    extras.set(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, failures, "recovery after failures of its own");
}

void setManners(Extras& extras, const ServicePlan& plan) {
    SERVICE_DELAYED_AUTO_START_INFO delayed{plan.start == ServicePlan::Start::Delayed};
    extras.set(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, delayed, "the delayed start");
    SERVICE_PRESHUTDOWN_INFO preshutdown{kPreshutdownMillis};
    extras.set(SERVICE_CONFIG_PRESHUTDOWN_INFO, preshutdown, "the time for a stop before a shutdown");
    SERVICE_SID_INFO identity{SERVICE_SID_TYPE_UNRESTRICTED};
    extras.set(SERVICE_CONFIG_SERVICE_SID_INFO, identity, "the service's own identifier");
    // Nothing more than passing through folders; its account brings others that it never uses.
    std::wstring privileges(L"SeChangeNotifyPrivilege\0", 24);
    SERVICE_REQUIRED_PRIVILEGES_INFOW required{privileges.data()};
    extras.set(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, required, "the reduced privileges");
}

Result<void> prepareFolder(const ServicePlan::Owned& folder, const std::vector<unsigned char>& identity) {
    POSTERN_TRY(makeFolders(folder.path));
    return windows::setFolderRights(folder.path, identity, folder.writes);
}

Result<Handle> enlist(const ServicePlan& plan) {
    POSTERN_LET(manager, openManager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE));
    const std::wstring name = wide(kServiceName), program = wide("\"" + plan.program + "\"");
    const std::wstring account = wide(accountOf(plan));
    const wchar_t* shown = L"Postern mail gateway";
    const DWORD start = plan.start == ServicePlan::Start::Manual ? SERVICE_DEMAND_START : SERVICE_AUTO_START;
    Handle made(::CreateServiceW(manager.get(), name.c_str(), shown, SERVICE_ALL_ACCESS,
                                 SERVICE_WIN32_OWN_PROCESS, start, SERVICE_ERROR_NORMAL, program.c_str(),
                                 nullptr, nullptr, nullptr, account.c_str(), nullptr));
    if (made.get() != nullptr) return made;
    if (::GetLastError() != ERROR_SERVICE_EXISTS) return managerError("installing the service");
    Handle found(::OpenServiceW(manager.get(), name.c_str(), SERVICE_ALL_ACCESS));
    if (found.get() == nullptr) return managerError("the service that is there already");
    if (!::ChangeServiceConfigW(found.get(), SERVICE_WIN32_OWN_PROCESS, start, SERVICE_ERROR_NORMAL,
                                program.c_str(), nullptr, nullptr, nullptr, account.c_str(), nullptr, shown))
        return managerError("changing the service that is there already");
    return found;
}

const char* stateName(DWORD state) {
    switch (state) {
        case SERVICE_RUNNING: return "running";
        case SERVICE_STOPPED: return "stopped";
        case SERVICE_START_PENDING: return "starting";
        case SERVICE_STOP_PENDING: return "stopping";
        default: return "other";
    }
}

const char* startName(DWORD start, bool delayed) {
    if (start == SERVICE_AUTO_START) return delayed ? "delayed" : "automatic";
    return start == SERVICE_DEMAND_START ? "manual" : "disabled";
}

std::string unquoted(std::string path) {
    if (path.size() > 1 && path.front() == '"') path = path.substr(1, path.find('"', 1) - 1);
    return path;
}

}  // namespace

Result<std::vector<std::string>> installService(const ServicePlan& plan) {
    std::vector<unsigned char> identity;
    if (plan.account != "LocalSystem") {
        POSTERN_LET(found, windows::accountIdentity(accountOf(plan)));
        identity = std::move(found);
    }
    POSTERN_LET(service, enlist(plan));
    // Without these two it would run with another configuration, or not at all: no installation.
    POSTERN_TRY(setText(parametersKey(), kConfigValue, plan.configuration));
    for (const ServicePlan::Owned& folder : plan.folders) POSTERN_TRY(prepareFolder(folder, identity));
    Extras extras(service);
    setText(extras);
    setRecovery(extras);
    setManners(extras, plan);
    extras.note(registerSource(plan.program));
    return std::move(extras).missing();
}

Result<void> removeService(milliseconds limit) {
    POSTERN_TRY(stopService(limit));
    {
        POSTERN_LET(service, openService(DELETE));
        if (!::DeleteService(service.get())) return managerError("removing the service");
    }
    // It may never have been there; the rest of the key goes with the service.
    (void)::RegDeleteTreeW(HKEY_LOCAL_MACHINE, wide(std::string(kSourceKey) + kServiceName).c_str());
    const auto deadline = steady_clock::now() + limit;
    while (openService(SERVICE_QUERY_STATUS).ok()) {
        if (steady_clock::now() >= deadline)
            return fail(Errc::Busy,
                        "the service goes off the list once no program looks at it any more: "
                        "close the Services window");
        ::Sleep(kLookMillis);
    }
    return {};
}

Result<void> startService(milliseconds limit) {
    POSTERN_LET(service, openService(SERVICE_START | SERVICE_QUERY_STATUS));
    if (!::StartServiceW(service.get(), 0, nullptr) && ::GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        return managerError("starting the service");
    POSTERN_LET(reached, waitFor(service, SERVICE_RUNNING, SERVICE_STOPPED, limit));
    if (!reached)
        return fail(Errc::Unavailable,
                    "the service has not become ready within " + seconds(limit) + "; it is still starting");
    if (reached->dwCurrentState == SERVICE_RUNNING) return {};
    return fail(Errc::Unavailable, "the service ended at its start, with status " +
                                       std::to_string(exitOf(*reached)) + "; its log says why");
}

Result<void> stopService(milliseconds limit) {
    POSTERN_LET(service, openService(SERVICE_STOP | SERVICE_QUERY_STATUS));
    const auto deadline = steady_clock::now() + limit;
    SERVICE_STATUS status{};
    while (!::ControlService(service.get(), SERVICE_CONTROL_STOP, &status)) {
        if (::GetLastError() == ERROR_SERVICE_NOT_ACTIVE) return {};
        // While it starts or stops it takes no more requests.
        if (::GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL || steady_clock::now() >= deadline)
            return managerError("stopping the service");
        ::Sleep(kLookMillis);
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    POSTERN_LET(reached, waitFor(service, SERVICE_STOPPED, SERVICE_STOPPED, left));
    if (reached) return {};
    return fail(Errc::Unavailable,
                "the service has not stopped within " + seconds(limit) + "; it is still stopping");
}

Result<ServiceFacts> serviceFacts() {
    POSTERN_LET(service, openService(SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG));
    POSTERN_LET(status, look(service));
    std::vector<unsigned char> buffer(8192);  // the most that the call ever wants
    DWORD size = 0;
    auto* config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
    if (!::QueryServiceConfigW(service.get(), config, static_cast<DWORD>(buffer.size()), &size))
        return managerError("asking for its settings");
    SERVICE_DELAYED_AUTO_START_INFO delayed{};
    (void)::QueryServiceConfig2W(service.get(), SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
                                 reinterpret_cast<LPBYTE>(&delayed), sizeof delayed, &size);
    ServiceFacts facts;
    facts.state = stateName(status.dwCurrentState);
    facts.process = status.dwProcessId;
    facts.lastExit = exitOf(status);
    facts.account = config->lpServiceStartName == nullptr ? "" : narrow(config->lpServiceStartName);
    facts.start = startName(config->dwStartType, delayed.fDelayedAutostart != FALSE);
    facts.program = unquoted(narrow(config->lpBinaryPathName));
    facts.configuration = installedConfiguration().value_or("");
    return facts;
}

const char* stopCommand() {
    return "postern service stop";
}

std::optional<std::string> installedConfiguration() {
    const std::wstring key = wide(parametersKey());
    DWORD size = 0;
    const auto read = [&](void* into) {
        return ::RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), kConfigValue, RRF_RT_REG_SZ, nullptr, into,
                              &size);
    };
    if (read(nullptr) != ERROR_SUCCESS || size < sizeof(wchar_t)) return std::nullopt;
    std::wstring value(size / sizeof(wchar_t), L'\0');
    if (read(value.data()) != ERROR_SUCCESS) return std::nullopt;
    value.resize(value.find(L'\0') == std::wstring::npos ? value.size() : value.find(L'\0'));
    if (value.empty()) return std::nullopt;
    return narrow(value);
}

}  // namespace postern
