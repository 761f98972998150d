#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/error.h"
#include "core/task.h"
#include "net/credentials.h"
#include "net/credentials/ini.h"
#include "net/credentials/surroundings.h"
#include "net/http_client.h"

namespace headrace {

// The services that give out credentials. Each function asks once; every request has a total time
// limit. None shows an answer's body, which may hold a secret, in a message.

/// What the services need from the chain. All outlive the tasks.
struct ServiceContext {
  HttpClient& client;
  Clock& clock;
  const Surroundings& surroundings;
};

/// Asks and reads the answer, within `limit` in all.
Task<HttpAnswer> ask(ServiceContext context, HttpRequest request, std::string what,
                     Duration limit = std::chrono::seconds(10));

/// A status other than 200 as an Error: 408, 429 and 5xx are kTransient, others kInvalid.
/// `code` is the service's own word for it, shown if it is one word.
Error refusal(std::string_view what, int status, std::string_view code, std::string_view hint);

/// A JSON object from outside, flat but for one level that `inner` names.
class JsonAnswer {
 public:
  /// Throws kTransient if `text` is no such object.
  JsonAnswer(std::string_view text, std::string what, const char* inner = nullptr);
  /// A text or whole number; empty if absent.
  std::string get(std::string_view name) const;
  /// The same; throws kTransient if it is absent.
  std::string need(std::string_view name) const;
  /// A time as RFC 3339, absent if the field is; throws kTransient if it is none.
  std::optional<Time> time(std::string_view name) const;

 private:
  std::string what_;
  std::map<std::string, std::string, std::less<>> fields_;
};

/// container.cpp. nullopt if the environment names no such service.
Task<std::optional<Credentials>> container_credentials(ServiceContext context);

/// imds.cpp. `why_not` says why there are none.
struct MachineAnswer {
  std::optional<Credentials> credentials;
  std::string why_not;
};
Task<MachineAnswer> machine_credentials(ServiceContext context);

/// sso.cpp. nullopt if the profile says nothing about SSO.
Task<std::optional<Credentials>> sso_credentials(ServiceContext context, IniSection profile,
                                                 IniSections sessions, std::string name);

/// process.cpp: runs `command` without a shell and reads what it prints.
Task<Credentials> process_credentials(Clock& clock, std::string command, std::string name);

/// sts.cpp
struct RoleRequest {
  std::string role_arn;
  std::string session_name;  ///< Empty: one of ours.
  std::string external_id;
  std::string duration;  ///< Seconds as text; empty: the role's own.
  std::string origin;
};
Task<Credentials> assume_role(ServiceContext context, RoleRequest role, Credentials source);
Task<Credentials> assume_role_with_token(ServiceContext context, RoleRequest role,
                                         std::string token);

}  // namespace headrace
