#include "store/s3/conditions.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "core/error.h"
#include "core/retry.h"
#include "store/s3/fields.h"
#include "store/s3/messages.h"

namespace headrace::s3 {
namespace {

using EtagForm = ConditionSupport::EtagForm;

/// No store makes an etag of this.
const Etag kNobodysEtag{"00000000000000000000000000000000"};

WriteCondition absent() { return {.if_absent = true, .if_match = {}}; }
WriteCondition matching(const Etag& etag) { return {.if_absent = false, .if_match = etag}; }

Headers header_of(const WriteCondition& condition, EtagForm form) {
  Headers headers;
  add_condition(headers, condition, form);
  return headers;
}

/// The status of an answer that says something of what the store can do; others are thrown.
int status_of(const Service& service, const Call& call, const Reply& reply) {
  if (!reply.failure) return 200;
  if (classify(*reply.failure) == ErrorKind::kTransient) service.fail(call, reply);
  return reply.failure->status;
}

bool is_done(int status) { return status / 100 == 2; }
bool is_refused(int status) { return status == 412; }

}  // namespace

void add_condition(Headers& headers, const WriteCondition& condition, EtagForm form) {
  if (condition.if_absent) headers.set("If-None-Match", "*");
  if (condition.if_match) {
    headers.set("If-Match", form == EtagForm::kQuoted ? quoted(*condition.if_match)
                                                      : condition.if_match->value);
  }
}

Task<ConditionSupport> Conditions::of(std::string bucket) {
  while (true) {
    if (const auto known = known_.find(bucket); known != known_.end()) co_return known->second;
    if (!probing_.contains(bucket)) break;
    co_await changed_.wait();
  }
  probing_.insert(bucket);
  std::exception_ptr failed;
  try {
    known_.insert_or_assign(bucket, co_await probe(bucket));
  } catch (...) {
    failed = std::current_exception();
  }
  probing_.erase(bucket);
  changed_.notify_all();
  if (failed) std::rethrow_exception(failed);
  co_return known_.at(bucket);
}

Task<ConditionSupport> Conditions::probe(std::string bucket) {
  const ObjectKey key{std::move(bucket), std::string(kProbePrefix) + service_.random().uuid()};
  ConditionSupport support;
  Etag etag;
  const int made = co_await put(key, {}, &etag);
  if (!is_done(made)) {
    throw Error(ErrorKind::kTransient, fmt::format("{}: the probe of conditional writes failed",
                                                   service_.where(key.bucket, key.path)));
  }
  std::exception_ptr failed;
  try {
    co_await probe_writes(key, support);
    if (support.put_if_match) co_await put(key, {}, &etag);
    co_await probe_parts(key, etag, support);
    co_await put(key, {}, &etag);
    co_await probe_copies(key, etag, support);
    co_await probe_removal(key, support);
  } catch (...) {
    failed = std::current_exception();
  }
  for (const char* suffix : {"", "-copy"}) {
    co_await clean_up({.method = "DELETE", .bucket = key.bucket, .key = key.path + suffix});
  }
  if (failed) std::rethrow_exception(failed);
  co_return support;
}

/// Removes what a probe has written. What can't be removed stays: the probe's answer counts more.
Task<> Conditions::clean_up(Call call) {
  try {
    co_await with_retry(service_.config().part_retry, service_.clock(), service_.random(),
                        [&] { return send_once(call); });
  } catch (const Error&) {
  }
}

Task<> Conditions::send_once(Call call) {
  const Reply reply = co_await service_.send(call);
  status_of(service_, call, reply);
}

/// The status of a conditional PUT; throws what is neither done, refused nor "not offered".
Task<int> Conditions::put(const ObjectKey& key, Headers condition, Etag* etag) {
  const bool conditional = condition.size() > 0;
  Call call{.method = "PUT", .bucket = key.bucket, .key = key.path};
  call.headers = std::move(condition);
  call.body = service_.random().uuid();
  const Reply reply = co_await service_.send(call);
  if (etag != nullptr) *etag = unquoted(reply.headers.get("ETag"));
  const int status = status_of(service_, call, reply);
  if (!reply.failure) co_return status;
  const bool answers = status == 412 || status == 404 || status == 501 || status == 400;
  if (!conditional || !answers || reply.failure->is_missing_bucket()) service_.fail(call, reply);
  co_return status;
}

Task<> Conditions::probe_writes(const ObjectKey& key, ConditionSupport& support) {
  support.put_if_absent = is_refused(co_await put(key, header_of(absent(), EtagForm::kQuoted)));
  for (const EtagForm form : {EtagForm::kQuoted, EtagForm::kBare}) {
    Etag etag;
    co_await put(key, {}, &etag);
    const int wrong = co_await put(key, header_of(matching(kNobodysEtag), form));
    const int right = co_await put(key, header_of(matching(etag), form));
    if (!is_refused(wrong) || !is_done(right)) continue;
    support.put_if_match = true;
    support.etag_form = form;
    co_return;
  }
}

/// An upload of one part, completed under a condition; aborted if that was refused.
Task<int> Conditions::complete(const ObjectKey& key, Headers condition) {
  const Reply begun = co_await service_.must(
      {.method = "POST", .bucket = key.bucket, .key = key.path, .query = {{"uploads", ""}}});
  const std::string upload = find_element(begun.body, "UploadId");
  const Reply part = co_await service_.must({.method = "PUT",
                                             .bucket = key.bucket,
                                             .key = key.path,
                                             .query = {{"partNumber", "1"}, {"uploadId", upload}},
                                             .headers = {},
                                             .body = service_.random().uuid()});
  Call call{.method = "POST",
            .bucket = key.bucket,
            .key = key.path,
            .query = {{"uploadId", upload}},
            .headers = std::move(condition),
            .body = complete_xml({{1, unquoted(part.headers.get("ETag")), 0, {}}})};
  const Reply reply = co_await service_.send(std::move(call));
  if (!reply.failure) co_return 200;
  co_await service_.send(
      {.method = "DELETE", .bucket = key.bucket, .key = key.path, .query = {{"uploadId", upload}}});
  co_return status_of(service_, call, reply);
}

Task<> Conditions::probe_parts(const ObjectKey& key, const Etag& etag, ConditionSupport& support) {
  if (support.put_if_absent) {
    const int taken = co_await complete(key, header_of(absent(), support.etag_form));
    support.parts_if_absent = is_refused(taken);
    if (is_done(taken)) co_return;  // Ignored: the content is another now.
  }
  if (support.put_if_match) {
    const int wrong = co_await complete(key, header_of(matching(kNobodysEtag), support.etag_form));
    if (!is_refused(wrong)) co_return;
    const int right = co_await complete(key, header_of(matching(etag), support.etag_form));
    support.parts_if_match = is_done(right);
  }
}

Task<int> Conditions::copy(const ObjectKey& from, const ObjectKey& to, Headers condition) {
  Call call{.method = "PUT", .bucket = to.bucket, .key = to.path};
  call.headers = std::move(condition);
  call.headers.set("x-amz-copy-source",
                   "/" + uri_encode(from.bucket) + "/" + uri_encode(from.path, true));
  const Reply reply = co_await service_.send(call);
  co_return status_of(service_, call, reply);
}

Task<> Conditions::probe_copies(const ObjectKey& key, const Etag& etag, ConditionSupport& support) {
  const ObjectKey copied{key.bucket, key.path + "-copy"};
  if (!is_done(co_await copy(key, copied, {}))) co_return;
  support.copy_if_absent =
      support.put_if_absent &&
      is_refused(co_await copy(key, copied, header_of(absent(), support.etag_form)));
  if (!support.put_if_match) co_return;
  const int wrong =
      co_await copy(key, copied, header_of(matching(kNobodysEtag), support.etag_form));
  if (!is_refused(wrong)) co_return;
  // The copy's bytes are the source's, and so is its etag where both were one PUT.
  support.copy_if_match =
      is_done(co_await copy(key, copied, header_of(matching(etag), support.etag_form)));
}

Task<> Conditions::probe_removal(const ObjectKey& key, ConditionSupport& support) {
  const ObjectKey missing{key.bucket, key.path + "-missing"};
  for (const ObjectKey& target : {key, missing}) {
    Call call{.method = "DELETE", .bucket = target.bucket, .key = target.path};
    call.headers = header_of(matching(kNobodysEtag), EtagForm::kQuoted);
    const int status = status_of(service_, call, co_await service_.send(call));
    if (status != 412 && status != 404) co_return;
  }
  support.remove_if_match = true;
}

}  // namespace headrace::s3
