// What a user may choose (key, sequencer, etag, time, name) inside of a well-formed message of each
// family: the key that went in encoded comes out, sequencers order as their canonical forms say,
// and what is decoded reads back the same.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>

#include "core/utf8.h"
#include "event/test_messages.h"

namespace {

using namespace headrace;
using namespace headrace::test_messages;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kRawKey = "dir/red flower+a@b é.txt";

std::string form_encoded(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '/' || c == '.';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string in_json(std::string_view text) {
  std::string out = json_string(text);
  return out.substr(1, out.size() - 2);
}

struct Family {
  std::string message;
  std::string_view key;  ///< As it stands in the message.
  bool form = false;
};

Family family_of(FuzzedDataProvider& chance) {
  switch (chance.ConsumeIntegralInRange(0, 8)) {
    case 0:
      return {aws_put(), kFormKey, true};
    case 1:
      return {bridge_put(), kRawKey};
    case 2:
      return {minio_put(), "dir%2Fred+flower%2Ba%40b+%C3%A9.txt", true};
    case 3:
      return {ceph_put(), kRawKey};
    case 4:
      return {versitygw_put(), kRawKey};
    case 5:
      return {moto_put(), "dir%2Fred+flower%2Ba%40b+%C3%A9.txt", true};
    case 6:
      return {r2_put(), kRawKey};
    case 7:
      return {in_cloud_event(bridge_detail()), kRawKey};
    default:
      return {in_lambda_sqs(in_sns("%")), "%"};  // Filled in below.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider chance(data, size);
  Family family = family_of(chance);
  const std::string sequencer = chance.ConsumeRandomLengthString(24);
  const std::string time = chance.ConsumeRandomLengthString(30);
  const std::string name = chance.ConsumeRandomLengthString(40);
  const std::string key = chance.ConsumeRemainingBytesAsString();
  if (!is_utf8(key) || key.empty() || key.contains('\0')) return 0;
  std::string message = family.message;
  if (family.key == "%") {
    const std::string inner = replaced(ceph_put(), kRawKey, in_json(key));
    message = in_lambda_sqs(in_sns(inner));
  } else {
    if (!sequencer.empty()) message = replaced(message, "6B02F5D6396ABA38", in_json(sequencer));
    if (!time.empty()) message = replaced(message, "2026-11-22T14:01:58", in_json(time));
    if (!name.empty()) message = replaced(message, "ObjectCreated:Put", in_json(name));
    message = replaced(message, family.key, in_json(family.form ? form_encoded(key) : key));
  }
  const Decoded decoded = decode_message({message, {}, {}});
  const auto* events = std::get_if<Events>(&decoded);
  if (events == nullptr) {  // A kind may be empty, and then what is in no list is no event.
    require(std::holds_alternative<NoEvent>(decoded));
    return 0;
  }
  require(events->events.size() + events->bad.size() == 1);
  if (events->events.empty()) return 0;
  const Event& event = events->events[0].event;
  require(event.object.path == key);
  require(event_from_json(to_json(event)) == event);
  return 0;
}
