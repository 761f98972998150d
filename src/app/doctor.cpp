#include "app/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "core/error.h"
#include "store/s3/failure.h"
#include "store/s3/fields.h"
#include "store/s3/messages.h"

namespace headrace {
namespace {

using setup::Kind;

/// S3 refuses requests that are 15 minutes off; SQS too.
constexpr Duration kMostSkew = std::chrono::minutes(5);
constexpr Duration kExpiresSoon = std::chrono::minutes(5);
constexpr std::uint64_t kLeastSpace = std::uint64_t{1} << 30;

/// What an error says to do, behind its last semicolon; `fix` if it says nothing.
std::string remedy_in(std::string& says, std::string fix) {
  const std::size_t at = says.rfind("; ");
  if (at == std::string::npos) return fix;
  fix = says.substr(at + 2);
  says.resize(at);
  return fix;
}

/// Does the store refuse whoever asks, rather than what was asked?
bool refuses_the_asker(std::string_view code) {
  static const std::set<std::string_view> kCodes{
      "SignatureDoesNotMatch", "InvalidAccessKeyId",
      "InvalidClientTokenId",  "ExpiredToken",
      "InvalidToken",          "TokenRefreshRequired",
      "RequestTimeTooSkewed",  "AuthorizationHeaderMalformed"};
  return kCodes.contains(code);
}

class Doctor {
 public:
  Doctor(const StackFile& stack, StackSetup& setup, Clock& clock,
         std::function<void(const Finding&)> found)
      : stack_(stack),
        setup_(setup),
        clock_(clock),
        found_(std::move(found)),
        needs_(setup_needs(stack)) {}

  Task<> run() {
    check_folder("ledger", "folder", stack_.state);
    for (const auto& [name, stanza] : stack_.stores) {
      if (const auto* s3 = std::get_if<S3StoreStanza>(&*stanza)) {
        co_await check_s3(name, *s3);
      } else {
        const auto& file = std::get<FileStoreStanza>(*stanza);
        check_folder("store " + name, "folder", file.path);
      }
    }
    for (const auto& source : needs_.sources) {
      if (source.sqs) co_await check_queue(source);
    }
    co_await check_setup();
  }

 private:
  void good(const std::string& about, const std::string& check, std::string says) {
    found_({about, check, true, std::move(says)});
  }
  void bad(const std::string& about, const std::string& check, std::string says, std::string fix) {
    found_({about, check, false, std::move(says), std::move(fix)});
  }

  /// Awaits `look`; what it throws becomes a finding, whose fix is `fix` unless the error knows
  /// better. False if it threw.
  Task<bool> attempt(std::string about, std::string check, std::string fix,
                     std::function<Task<>()> look) {
    std::string says;
    try {
      co_await look();
      co_return true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      says = error.what();
    }
    fix = remedy_in(says, std::move(fix));
    bad(about, check, std::move(says), std::move(fix));
    co_return false;
  }

  void check_folder(const std::string& about, const std::string& check,
                    std::filesystem::path folder) {
    std::error_code failed;
    folder = std::filesystem::absolute(folder);
    // It is made when it is needed: what counts is the nearest folder that is there.
    while (!std::filesystem::exists(folder, failed) && folder.has_parent_path() &&
           folder != folder.parent_path()) {
      folder = folder.parent_path();
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
      bad(about, check, folder.string() + " can't be written to",
          "let the user that runs headrace write there");
      return;
    }
    const auto space = std::filesystem::space(folder, failed);
    const std::string says = fmt::format("{} can be written to, {} MiB are free", folder.string(),
                                         space.available >> 20);
    if (!failed && space.available < kLeastSpace) {
      bad(about, check, says, "make room: the ledger needs some GiB");
    } else {
      good(about, check, says);
    }
  }

  Task<> check_s3(std::string name, const S3StoreStanza& stanza) {
    const std::string about = "store " + name;
    S3Store* store = nullptr;
    const bool made =
        co_await attempt(about, "configuration", "mend the store's stanza", [&]() -> Task<> {
          store = &setup_.store(name);
          co_return;
        });
    if (!made) co_return;
    good(about, "endpoint",
         fmt::format("{}, region {}", stanza.endpoint.empty() ? "Amazon's own" : stanza.endpoint,
                     stanza.region.empty() ? "of the environment, else us-east-1" : stanza.region));
    const bool signs = co_await attempt(about, "credentials",
                                        "give `credentials`, or what the AWS chain looks for",
                                        [&] { return check_credentials(about, *store); });
    if (!signs) co_return;
    const bool reached = co_await attempt(about, "reachable", "look at endpoint, proxy and network",
                                          [&] { return check_reach(about, stanza, *store); });
    if (!reached) co_return;
    std::set<std::string> buckets;
    for (const auto& [home, bucket] : needs_.buckets) {
      if (home == name) buckets.insert(bucket);
    }
    for (const std::string& bucket : buckets) co_await check_bucket(name, bucket, *store);
  }

  Task<> check_credentials(std::string about, S3Store& store) {
    const auto credentials = co_await store.credentials();
    if (!credentials) {
      good(about, "credentials", "none: requests are not signed");
      co_return;
    }
    std::string says =
        fmt::format("access key {} from {}", credentials->access_key, credentials->origin);
    if (!credentials->expires) {
      good(about, "credentials", says);
      co_return;
    }
    says += ", until " + format_time(*credentials->expires);
    if (*credentials->expires < clock_.now() + kExpiresSoon) {
      bad(about, "credentials", says, "renew them, or sign in again");
    } else {
      good(about, "credentials", says);
    }
  }

  Task<> check_reach(std::string about, const S3StoreStanza& stanza, S3Store& store) {
    const HttpAnswer answer = co_await store.call({.bucket = ""});
    if (answer.status >= 500) {
      throw Error(ErrorKind::kTransient, fmt::format("it answers {}", answer.status));
    }
    check_clock(about, answer);
    const auto error = s3::parse_error(answer.body);
    if (answer.status != 200 && error && refuses_the_asker(error->code)) {
      const auto credentials = co_await store.credentials();
      throw s3::error_of({.status = answer.status,
                          .code = error->code,
                          .text = error->text,
                          .region = error->region,
                          .condition = {}},
                         "GET", "the list of buckets",
                         {.access_key = credentials ? credentials->access_key : "",
                          .origin = credentials ? credentials->origin : "",
                          .region = stanza.region,
                          .clock_skew = {}});
    }
    good(about, "reachable",
         answer.status == 200
             ? "it answers"
             : fmt::format("it answers {} when asked for its buckets", answer.status));
  }

  void check_clock(const std::string& about, const HttpAnswer& answer) {
    const auto date = s3::parse_http_date(answer.headers.get("Date"));
    if (!date) return;
    const Duration skew = *date - clock_.now();
    const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(skew));
    if (std::chrono::abs(skew) > kMostSkew) {
      bad(about, "clock",
          fmt::format("this machine's clock is {} {}", format_duration(seconds),
                      skew.count() > 0 ? "behind" : "ahead"),
          "set the clock (NTP): stores refuse what is signed at another time");
    } else {
      good(about, "clock", fmt::format("within {} of the store's", format_duration(seconds)));
    }
  }

  Task<> check_bucket(std::string store_name, std::string bucket, S3Store& store) {
    const std::string about = fmt::format("bucket {}://{}", store_name, bucket);
    bool there = false;
    const bool looked =
        co_await attempt(about, "exists", "let these credentials see the bucket",
                         [&]() -> Task<> { there = co_await store.has_bucket(bucket); });
    if (!looked) co_return;
    if (!there) {
      bad(about, "exists", "there is no such bucket", "headrace apply");
      co_return;
    }
    co_await attempt(about, "conditional writes", "let these credentials write to .headrace/",
                     [&] { return check_conditions(about, bucket, store); });
  }

  Task<> check_conditions(std::string about, std::string bucket, S3Store& store) {
    const ConditionSupport support = co_await store.conditions(bucket);
    const auto word = [](bool held) { return held ? "held" : "ignored"; };
    std::string says = fmt::format("If-None-Match {}, If-Match {}", word(support.put_if_absent),
                                   word(support.put_if_match));
    if (support.is_enough_for_tables()) {
      good(about, "conditional writes", std::move(says));
    } else {
      bad(about, "conditional writes", std::move(says),
          "keep tables and what is edited in place on another store");
    }
  }

  Task<> check_queue(const setup::Needs::Source& source) {
    const std::string about = "source " + source.name;
    co_await attempt(
        about, "queue", "look at the queue's region, endpoint and credentials", [&]() -> Task<> {
          const setup::QueuePlace place = setup::place_of(*source.sqs);
          const setup::Seen seen =
              co_await setup_.outside().look({Kind::kQueue, place.home(), place.queue});
          if (!seen.there) {
            bad(about, "queue", "there is no queue " + place.queue, "headrace apply");
            co_return;
          }
          good(about, "queue",
               fmt::format("{} is there, visibility {}", place.queue,
                           seen.settings.at("visibility")));
        });
  }

  Task<> check_setup() {
    co_await attempt("setup", "plan", "headrace plan", [&]() -> Task<> {
      const setup::Plan plan = co_await setup_->plan();
      for (const std::string& problem : plan.problems) {
        bad("setup", "plan", problem, "narrow one of the rules");
      }
      for (const setup::Change& change : plan.changes) {
        bad("setup", "plan", "not as the stack wants it: " + change.text(), "headrace apply");
      }
      for (const std::string& note : plan.notes) good("setup", "note", note);
      if (plan.changes.empty() && plan.problems.empty()) {
        good("setup", "plan", "all that the stack needs outside is there");
      }
    });
  }

  const StackFile& stack_;
  StackSetup& setup_;
  Clock& clock_;
  std::function<void(const Finding&)> found_;
  setup::Needs needs_;
};

}  // namespace

Task<> examine(const StackFile& stack, StackSetup& setup, Clock& clock,
               std::function<void(const Finding&)> found) {
  Doctor doctor(stack, setup, clock, std::move(found));
  co_await doctor.run();
}

}  // namespace headrace
