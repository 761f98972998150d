#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "net/credentials.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {

/// A machine to look for credentials on: a home folder, an environment, a clock, and one local
/// server that plays STS, the SSO portal, the container's service and IMDS, each by its paths.
class ChainTest : public testing::Test {
 protected:
  using Answer = std::function<ServedAnswer(const ServedRequest&)>;

  ChainTest()
      : server_(
            loop_.get_executor(), {},
            [this](ServedRequest request) { return serve(std::move(request)); }, silent_log()),
        client_(loop_.get_executor(), clock_) {
    boost::asio::co_spawn(loop_, server_.run(),
                          boost::asio::bind_cancellation_slot(
                              stop_.slot(), [this](std::exception_ptr) { stopped_ = true; }));
    config_.env = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = env_.find(name);
      if (found == env_.end()) return std::nullopt;
      return found->second;
    };
    config_.home = home_.path();
    config_.imds = url();
    config_.containers = url();
    config_.sts = url() + "/sts";
  }
  ~ChainTest() override {
    stop_.emit(boost::asio::cancellation_type::terminal);
    while (!stopped_) loop_.run_one();
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_.port()); }

  /// Runs a task to its end while the server goes on serving.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    bool ended = false;
    boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr error, T value) {
      ended = true;
      failure = error;
      if (!error) result.emplace(std::move(value));
    });
    while (!ended) loop_.run_one();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }

  std::unique_ptr<CredentialsProvider> chain() {
    return credentials_chain(client_, clock_, config_);
  }
  /// What a new chain finds.
  Credentials find() {
    const auto provider = chain();
    return *run(provider->get());
  }
  /// How a new chain fails; the message never holds a secret of these tests.
  Error failure() {
    try {
      const Credentials found = find();
      return Error(ErrorKind::kBug, "found " + found.origin);
    } catch (const Error& error) {
      const std::string text = std::regex_replace(error.what(), std::regex("AWS_SECRET_\\w+"), "");
      EXPECT_THAT(text, testing::Not(testing::HasSubstr("SECRET")));
      return error;
    }
  }
  void expect_failure(ErrorKind kind, const std::string& part) {
    const Error error = failure();
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(part));
  }

  void config_file(std::string_view text) { home_.write(".aws/config", text); }
  void credentials_file(std::string_view text) { home_.write(".aws/credentials", text); }

  std::string in(Duration span) const { return format_time(clock_.now() + span); }

  /// The XML with which STS gives a role's credentials.
  std::string sts_answer(std::string_view action, std::string_view name = "role") const {
    return fmt::format(
        "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>"
        "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>{1}-key</AccessKeyId>"
        "<SecretAccessKey>{1}-SECRET</SecretAccessKey>"
        "<SessionToken>{1}-token-SECRET</SessionToken><Expiration>{2}</Expiration></Credentials>"
        "</{0}Result></{0}Response>",
        action, name, in(std::chrono::hours(1)));
  }
  /// The JSON with which containers and machines give theirs.
  std::string json_answer(std::string_view name) const {
    return fmt::format(
        R"({{"Code":"Success","AccessKeyId":"{0}-key","SecretAccessKey":"{0}-SECRET",)"
        R"("Token":"{0}-token-SECRET","Expiration":"{1}"}})",
        name, in(std::chrono::hours(1)));
  }

  boost::asio::io_context loop_;
  ManualClock clock_;
  TempFolder home_;
  std::map<std::string, std::string> env_;
  std::map<std::string, Answer> answers_;  ///< By "METHOD /path"; others are 404.
  std::vector<ServedRequest> requests_;
  ChainConfig config_;

 private:
  Task<ServedAnswer> serve(ServedRequest request) {
    requests_.push_back(request);
    const auto found = answers_.find(request.method + " " + request.path);
    if (found == answers_.end()) co_return ServedAnswer{.status = 404, .headers = {}, .body = {}};
    co_return found->second(request);
  }

  HttpServer server_;

 protected:
  HttpClient client_;

 private:
  boost::asio::cancellation_signal stop_;
  bool stopped_ = false;
};

/// An answer that is always the same.
inline std::function<ServedAnswer(const ServedRequest&)> always(std::string body,
                                                                int status = 200) {
  return [body = std::move(body), status](const ServedRequest&) {
    return ServedAnswer{.status = status, .headers = {}, .body = body};
  };
}

/// The fields of a form's body, decoded.
inline std::map<std::string, std::string> form_of(const ServedRequest& request) {
  std::map<std::string, std::string> fields;
  std::string_view text = request.body;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t equals = part.find('=');
    fields[uri_decode(part.substr(0, equals), true)] = uri_decode(part.substr(equals + 1), true);
  }
  return fields;
}

}  // namespace headrace
