#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "net/http_client.h"
#include "source/messages.h"
#include "source/source.h"
#include "source/webhook/webhook_auth.h"
#include "source/webhook/webhook_listener.h"

namespace headrace {

struct WebhookOptions {
  MessageOptions messages;
  std::string path;  ///< "/events/incoming"
  WebhookAuth auth;
  std::uint64_t body_bytes = 1u << 20;
  std::size_t pending = 4096;  ///< Events taken in and not yet durable; beyond: 429.
  /// Where an SNS stand-in may have subscriptions confirmed, beside AWS: "http://127.0.0.1:4566".
  std::string trusted_sns;
};

/// Events by HTTP, from whoever posts them: MinIO, Ceph, versitygw, SNS, EventBridge API
/// destinations, CloudEvents.
///
///   200  all that came of the body is durable; also for a body that is no event, which is a dead
///        letter then: its producer would only send it again for ever
///   401  the token or signature is wrong     413  the body is too large     405  no POST or PUT
///   429  the ledger is behind: Retry-After says when to come again
///   503  the store could not be asked about an event, or the engine is stopping
///
/// Handshakes  SNS: a subscription is confirmed by a GET of its URL, if that is SNS's or trusted.
///             CloudEvents: OPTIONS with WebHook-Request-Origin is allowed, at any rate.
/// drain()     Ends at once: what comes by HTTP is not "there". The door stays shut then.
///
/// References outlive the source; the listener may be shared with others.
std::unique_ptr<Source> make_webhook_source(WebhookOptions options,
                                            std::shared_ptr<WebhookListener> listener,
                                            HttpClient& client, Store& store, KeyMatcher matcher,
                                            Clock& clock, const Log& log);

}  // namespace headrace
