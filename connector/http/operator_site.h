#pragma once
// What operators reach by HTTP: the page, the commands of admin/commands.h as JSON, health, metrics, events.
//
//   GET  /                        the page, and its own files; nothing comes from elsewhere
//   GET  /healthz, /readyz        200, or 503 with the reason
//   GET  /metrics                 Prometheus text
//   GET  /events                  server-sent events; fields of "watch" as the query
//   GET  /openapi.json            this interface, made from the list of commands
//   POST /api/login, /api/logout  {"name":..., "password":...}; a cookie
//   GET  /api/me                  {"name":..., "role":...}
//   GET  /api/run/VERB?field=..   a command that only looks (role viewer)
//   POST /api/run/VERB            any command, its fields as a JSON object: {"rows":[...],"more":n}, where
//                                 "more" counts rows beyond the first 5000
//   GET  /api/mail/ITEM           the original mail
//
// Errors are {"error":"...","code":"..."} with a status that fits. Who may: by cookie or by a password in
// each request (RFC 7617), with the account's role; without either as a viewer, when that is allowed. What
// changes something must say Content-Type: application/json and, from a browser, come from our own page
// (Origin): no other site can make a browser do that. Names of hosts that are not ours are refused, so that
// no other name can be made to lead here.
//
// Thread rule: any thread.

#include <functional>
#include <string>
#include <vector>

#include "connector/admin/commands.h"
#include "connector/http/logins.h"
#include "connector/http/message.h"

namespace postern::http {

struct SiteOptions {
    bool anonymousLooks = false;     // who has not logged on may look
    std::vector<std::string> hosts;  // further names that clients may call us by, behind a proxy
};

class OperatorSite final : public Site {
  public:
    // `view` is called for each request. REQUIRES: both outlive the site.
    OperatorSite(SiteOptions options, std::function<admin::ServiceView()> view, Logins& logins);
    HttpAnswer answer(const HttpRequest& request) override;

  private:
    HttpAnswer dispatch(const HttpRequest& request);
    HttpAnswer api(const HttpRequest& request, const Person& person);
    HttpAnswer run(const HttpRequest& request, const Person& person, const std::string& verb);
    HttpAnswer events(const HttpRequest& request) const;
    HttpAnswer mail(const std::string& item) const;
    HttpAnswer logOn(const HttpRequest& request);
    HttpAnswer logOff(const HttpRequest& request);
    HttpAnswer ready() const;
    bool calledByOurName(const HttpRequest& request) const;
    Result<Person> whoIs(const HttpRequest& request) const;

    const SiteOptions options_;
    const std::function<admin::ServiceView()> view_;
    Logins& logins_;
};

// OpenAPI 3.1 of the above.
std::string openApi();

}  // namespace postern::http
