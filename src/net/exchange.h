#pragma once

#include <optional>
#include <string>

#include "net/connection.h"
#include "net/wire.h"

namespace headrace {

/// A request as it goes on the wire.
struct Outgoing {
  std::string head;     ///< With a small body behind it, so that both go out in one write.
  HttpBody* body;       ///< What is sent after `head`; nullptr for nothing.
  std::size_t largest;  ///< Head of an answer.
  bool to_head;         ///< It is a HEAD.
};

/// Writes the head of a request. `absolute`: with the whole URL, as proxies want it. Throws
/// kInvalid if a field could be taken for another line.
Outgoing compose(HttpRequest& request, bool absolute, const std::string& proxy_authorization,
                 std::size_t largest_head);

/// How far an exchange has come once its answer's head is there, or will not come.
struct Exchanged {
  std::optional<AnswerHead> head;
  bool sent_all = false;    ///< The request went out whole.
  bool any_answer = false;  ///< At least a byte of an answer came.
  std::string problem;      ///< What is wrong with the answer, if anything.
  boost::system::error_code failed;
};

/// Sends a request and reads the head of its answer, at the same time if the request is large, so
/// that an early answer ends the upload. Throws what the body's source throws.
Task<Exchanged> exchange(Connection& connection, const Outgoing& outgoing);

}  // namespace headrace
