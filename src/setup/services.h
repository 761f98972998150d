#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "net/credentials.h"
#include "net/http_client.h"
#include "net/sigv4.h"

// What SQS and SNS are asked when something is set up.
namespace headrace::setup {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// SQS at one endpoint, over its JSON protocol.
///
/// Errors   kTransient when throttled, on 5xx and whatever the network does; kInvalid for what the
///          service refuses, with its own words. A queue that is not there is an answer.
/// Threads  One executor; what is given outlives it.
class Queues {
 public:
  Queues(std::string endpoint, const std::string& region, HttpClient& client,
         CredentialsProvider& credentials, Clock& clock);

  struct Queue {
    std::string url;
    std::map<std::string, std::string> attributes;
    std::string arn() const;
    std::string attribute(const std::string& name) const;
  };
  Task<std::optional<Queue>> find(std::string name);
  Task<> create(std::string name);
  Task<> set(std::string url, std::map<std::string, std::string> attributes);
  Task<> remove(std::string url);

 private:
  struct Answer;
  Task<Answer> call(std::string action, std::string body);

  std::string endpoint_;
  Signer signer_;
  HttpClient& client_;
  CredentialsProvider& credentials_;
  Clock& clock_;
};

/// SNS, or what speaks its protocol: `post` sends a form to it.
class Topics {
 public:
  using Post = std::function<Task<HttpAnswer>(std::string form)>;
  explicit Topics(Post post) : post_(std::move(post)) {}

  /// Its ARN, and where it pushes to as far as the service says.
  struct Topic {
    std::string arn;
    std::string push_to;
  };
  Task<std::optional<Topic>> find(std::string name);
  /// Makes it, or gives the one that is there; on Ceph attributes are replaced.
  Task<> create(std::string name, Fields attributes);
  Task<> remove(std::string arn);

  Task<std::string> policy(std::string arn);
  Task<> set_policy(std::string arn, std::string policy);

  /// The ARN of a queue's subscription.
  Task<std::optional<std::string>> find_subscription(std::string topic_arn, std::string queue_arn);
  Task<> subscribe(std::string topic_arn, std::string queue_arn);
  Task<> unsubscribe(std::string subscription_arn);

 private:
  /// The XML of the answer; nullopt if there is no such thing.
  Task<std::optional<std::string>> call(std::string action, Fields fields);

  Post post_;
};

/// A Topics::Post to an endpoint of SNS. References outlive it.
Topics::Post sns_post(std::string endpoint, std::string region, HttpClient& client,
                      CredentialsProvider& credentials, Clock& clock);

}  // namespace headrace::setup
