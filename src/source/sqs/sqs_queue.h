#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/json.h"
#include "event/decode.h"
#include "net/credentials.h"
#include "net/http_client.h"
#include "net/sigv4.h"

namespace headrace {

/// Which queue, and where.
struct SqsAddress {
  std::string queue;     ///< Its URL, its ARN, or its name.
  std::string endpoint;  ///< Empty: the URL's own host, else AWS's for the region.
  std::string region;    ///< Empty: as the URL or ARN says, else us-east-1 with an endpoint.
};

struct SqsMessage {
  std::string id;
  std::string receipt;  ///< Names this delivery; what deleting and extending take.
  std::string body;
  bool whole = true;  ///< The body has the digest that the queue sent along.
  int receives = 1;   ///< ApproximateReceiveCount: 1 the first time.
  Attributes attributes;
};

/// One SQS queue over the JSON 1.0 protocol, as AWS, ElasticMQ, moto and LocalStack speak it.
///
/// Errors   kTransient when throttled, on 5xx and whatever the network does, with what the queue
///          asked to wait; kInvalid when it does not exist or access is denied. Credentials that
///          were refused are fetched anew once, and a clock that is off is corrected by the
///          queue's, before either is an error.
/// Stopping A receive cut short may have taken messages: they come back when their visibility
///          timeout ends.
/// Threads  One executor. References outlive the queue and its tasks.
class SqsQueue {
 public:
  /// Throws kInvalid if the address says too little.
  SqsQueue(SqsAddress address, HttpClient& client, CredentialsProvider& credentials, Clock& clock);

  /// Finds the queue's URL; to be called once, before all else.
  Task<> open();
  /// The queue's VisibilityTimeout; nullopt if we may not ask.
  Task<std::optional<Duration>> visibility_timeout();
  /// Waits up to `wait` (whole seconds, at most 20) for up to `most` (1 to 10) messages.
  Task<std::vector<SqsMessage>> receive(int most, Duration wait, Duration visibility);

  /// What became of one entry of a batch: `lost` means that trying again is of no use.
  struct Failed {
    std::size_t entry = 0;
    bool lost = false;
    std::string why;
  };
  /// Deletes up to 10 messages; says which are still there.
  Task<std::vector<Failed>> remove(std::vector<std::string> receipts);
  /// Hides up to 10 messages for `visibility` from now; zero gives them back at once.
  Task<std::vector<Failed>> extend(std::vector<std::string> receipts, Duration visibility);

  const std::string& url() const { return url_; }

 private:
  struct Answer;
  /// `name` is the action, `body` its JSON.
  Task<Bytes> call(std::string name, std::string body);
  Task<Answer> try_call(const std::string& name, const std::string& body);
  Task<std::vector<Failed>> batch(std::string action, std::vector<std::string> receipts,
                                  std::optional<Duration> visibility);
  /// True if it is worth another try at once.
  bool mend(const Answer& answer);
  Error refusal(std::string_view name, const Answer& answer) const;

  SqsAddress address_;
  std::string account_;
  Url endpoint_;
  std::string url_;
  HttpClient& client_;
  CredentialsProvider& credentials_;
  Clock& clock_;
  std::unique_ptr<Signer> signer_;
  Duration skew_{};  // The queue's clock minus ours, once we were told.
};

}  // namespace headrace
