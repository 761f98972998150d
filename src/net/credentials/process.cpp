#include <fmt/format.h>

#include "core/error.h"
#include "net/credentials/program.h"
#include "net/credentials/service.h"
#include "net/credentials/shell_words.h"

// credential_process: a program of the user's prints credentials as JSON, version 1.

namespace headrace {
namespace {

constexpr Duration kLimit = std::chrono::minutes(1);
constexpr std::size_t kOutputBytes = 64 * 1024;

Credentials read_output(const std::string& output, const std::string& what) {
  try {
    const JsonAnswer json(output, what);
    if (const std::string version = json.need("Version"); version != "1") {
      throw Error(ErrorKind::kInvalid, what + ": its output is not of \"Version\": 1");
    }
    return {.access_key = json.need("AccessKeyId"),
            .secret_key = json.need("SecretAccessKey"),
            .session_token = json.get("SessionToken"),
            .expires = json.time("Expiration"),
            .origin = what};
  } catch (const Error& error) {
    // What a program prints does not mend itself.
    throw Error(ErrorKind::kInvalid, error.what());
  }
}

}  // namespace

Task<Credentials> process_credentials(Clock& clock, std::string command, std::string name) {
  const std::string what = "credential_process of profile " + name;
  const auto words = shell_words(command);
  if (!words || words->empty()) {
    throw Error(ErrorKind::kInvalid, what + ": the command is empty or has an open quote");
  }
  std::exception_ptr failed;
  ProgramResult result;
  try {
    result = co_await run_program(clock, *words, kLimit, kOutputBytes);
  } catch (const Error& error) {
    failed = std::make_exception_ptr(error.during(what));
  }
  if (failed) std::rethrow_exception(failed);
  if (result.exit_code != 0) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: ended with {}; run it by hand to see what it says", what,
                            result.exit_code));
  }
  co_return read_output(result.output, what);
}

}  // namespace headrace
