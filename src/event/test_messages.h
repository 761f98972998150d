#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/base64.h"
#include "core/json.h"
#include "event/decode.h"

// One PUT, in the words of every producer: 5 bytes under the key `dir/red flower+a@b é.txt` of
// bucket1. For tests, fuzzers and benches.
namespace headrace::test_messages {

inline constexpr std::string_view kFormKey = "dir/red+flower%2Ba%40b+%C3%A9.txt";
inline constexpr const char* kGeneration = "1795356118963295";
inline constexpr const char* kGeneration20 = "00001795356118963295";

/// With `to` wherever `from` stood.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// As a JSON string.
inline std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

inline std::string in_records(std::string_view record) {
  return fmt::format(R"({{"Records":[{}]}})", record);
}

inline std::string aws_record(std::string_view version = "2.1") {
  return fmt::format(
      R"({{"eventVersion":"{}","eventSource":"aws:s3","awsRegion":"eu-central-1",)"
      R"("eventTime":"2026-11-22T14:01:58.000Z","eventName":"ObjectCreated:Put",)"
      R"("userIdentity":{{"principalId":"AWS:AIDAJ45Q7YFFAREXAMPLE"}},)"
      R"("requestParameters":{{"sourceIPAddress":"192.0.2.1"}},)"
      R"("responseElements":{{"x-amz-request-id":"C3D13FE58DE4C810",)"
      R"("x-amz-id-2":"FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"}},)"
      R"("s3":{{"s3SchemaVersion":"1.0","configurationId":"landing",)"
      R"("bucket":{{"name":"bucket1","ownerIdentity":{{"principalId":"A3NL1KOZZKExample"}},)"
      R"("arn":"arn:aws:s3:::bucket1"}},)"
      R"("object":{{"key":"{}","size":5,"eTag":"5d41402abc4b2a76b9719d911017c592",)"
      R"("sequencer":"006B02F5D6396ABA38"}}}}}})",
      version, kFormKey);
}
inline std::string aws_put(std::string_view version = "2.1") {
  return in_records(aws_record(version));
}

inline std::string bridge_detail() {
  return R"({"version":"0","bucket":{"name":"bucket1"},)"
         R"("object":{"key":"dir/red flower+a@b é.txt","size":5,)"
         R"("etag":"5d41402abc4b2a76b9719d911017c592","sequencer":"6b02f5d6396aba38"},)"
         R"("request-id":"N4N7GDK58NMKJ12R","requester":"123456789012",)"
         R"("source-ip-address":"192.0.2.1","reason":"PutObject"})";
}
inline std::string bridge_put() {
  return R"({"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103",)"
         R"("detail-type":"Object Created","source":"aws.s3","account":"123456789012",)"
         R"("time":"2026-11-22T14:01:58Z","region":"eu-central-1",)"
         R"("resources":["arn:aws:s3:::bucket1"],"detail":)" +
         bridge_detail() + "}";
}

/// MinIO's and RustFS's wrapper and record differ in names only.
inline std::string minio_like_put(std::string_view source, std::string_view key) {
  return fmt::format(
      R"({{"EventName":"s3:ObjectCreated:Put","Key":"bucket1/dir/red flower+a@b é.txt",)"
      R"("Records":[{{"eventVersion":"2.0","eventSource":"{}","awsRegion":"",)"
      R"("eventTime":"2026-11-22T14:01:58.000Z","eventName":"s3:ObjectCreated:Put",)"
      R"("userIdentity":{{"principalId":"testadmin"}},)"
      R"("requestParameters":{{"principalId":"testadmin","region":"",)"
      R"("sourceIPAddress":"127.0.0.1"}},)"
      R"("responseElements":{{"x-amz-id-2":"dd9025bab4ad464b049177c95eb6ebf3",)"
      R"("x-amz-request-id":"17A0F5C8F1D4B0A1","x-minio-origin-endpoint":"http://127.0.0.1:9000"}},)"
      R"("s3":{{"s3SchemaVersion":"1.0","configurationId":"Config",)"
      R"("bucket":{{"name":"bucket1","ownerIdentity":{{"principalId":"testadmin"}},)"
      R"("arn":"arn:aws:s3:::bucket1"}},)"
      R"("object":{{"key":"{}","size":5,"eTag":"5d41402abc4b2a76b9719d911017c592",)"
      R"("contentType":"text/plain","userMetadata":{{"content-type":"text/plain"}},)"
      R"("sequencer":"6B02F5D6396ABA38"}}}},)"
      R"("source":{{"host":"127.0.0.1","port":"","userAgent":"MinIO"}}}}]}})",
      source, key);
}
inline std::string minio_put() {
  return minio_like_put("minio:s3", "dir%2Fred+flower%2Ba%40b+%C3%A9.txt");
}
inline std::string rustfs_put() {
  return minio_like_put("rustfs:s3", "dir%2Fred+flower%2Ba%40b+%C3%A9.txt");
}

inline std::string ceph_put() {
  return in_records(
      R"({"eventVersion":"2.2","eventSource":"ceph:s3","awsRegion":"",)"
      R"("eventTime":"2026-11-22T14:01:58.000000Z","eventName":"ObjectCreated:Put",)"
      R"("userIdentity":{"principalId":"tester"},"requestParameters":{"sourceIPAddress":""},)"
      R"("responseElements":{"x-amz-request-id":"68835d14.4106.15949760240803327134",)"
      R"("x-amz-id-2":"100a-default-default"},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"n1",)"
      R"("bucket":{"name":"bucket1","ownerIdentity":{"principalId":"tester"},)"
      R"("arn":"arn:aws:s3:::bucket1","id":"68835d14.4108.1"},)"
      R"("object":{"key":"dir/red flower+a@b é.txt","size":5,)"
      R"("eTag":"5d41402abc4b2a76b9719d911017c592","versionId":"",)"
      R"("sequencer":"D6F5026B38BA6A39","metadata":[{"key":"x-amz-meta-m","val":"1"}],)"
      R"("tags":[{"key":"k","val":"v"}]}},)"
      R"("eventId":"1795356118.963295.5d41402abc4b2a76b9719d911017c592","opaqueData":"op"})");
}

inline std::string versitygw_put() {
  return in_records(
      R"({"eventVersion":"2.2","eventSource":"aws:s3","awsRegion":"us-east-1",)"
      R"("eventTime":"2026-11-22T14:01:58Z","eventName":"s3:ObjectCreated:Put",)"
      R"("userIdentity":{"PrincipalId":"testadmin"},)"
      R"("requestParameters":{"sourceIPAddress":"127.0.0.1"},)"
      R"("responseElements":{"x-amz-request-id":"","x-amz-id-2":""},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"webhook-global",)"
      R"("bucket":{"name":"bucket1","ownerIdentity":{"PrincipalId":"testadmin"},)"
      R"("arn":"arn:aws:s3:::/bucket1/dir/red flower+a@b é.txt"},)"
      R"("object":{"key":"dir/red flower+a@b é.txt","size":5,)"
      R"("eTag":"\"5d41402abc4b2a76b9719d911017c592\"","versionId":null,"sequencer":"B7"}},)"
      R"("glacierEventData":{"restoreEventData":{"lifecycleRestorationExpiryTime":"",)"
      R"("lifecycleRestoreStorageClass":""}}})");
}

inline std::string moto_put() {
  return in_records(R"({"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1",)"
                    R"("eventTime":"2026-11-22T14:01:58.000000Z","eventName":"ObjectCreated:Put",)"
                    R"("s3":{"s3SchemaVersion":"1.0","configurationId":"landing",)"
                    R"("bucket":{"name":"bucket1","arn":"arn:aws:s3:::bucket1"},)"
                    R"("object":{"key":"dir%2Fred+flower%2Ba%40b+%C3%A9.txt","size":5,)"
                    R"("eTag":"5d41402abc4b2a76b9719d911017c592"}}})");
}

inline std::string r2_put() {
  return R"({"account":"3f4b7e3dcab231cbfdaa90a6a28bd548","action":"PutObject",)"
         R"("bucket":"bucket1","object":{"key":"dir/red flower+a@b é.txt","size":5,)"
         R"("eTag":"5d41402abc4b2a76b9719d911017c592"},"eventTime":"2026-11-22T14:01:58.000Z"})";
}

inline std::string gcs_resource() {
  return R"({"kind":"storage#object","id":"bucket1/dir/red flower+a@b é.txt/1795356118963295",)"
         R"("name":"dir/red flower+a@b é.txt","bucket":"bucket1","generation":"1795356118963295",)"
         R"("metageneration":"1","contentType":"text/plain",)"
         R"("timeCreated":"2026-11-22T14:01:58.000Z","updated":"2026-11-22T14:01:58.000Z",)"
         R"("storageClass":"STANDARD","size":"5","md5Hash":"XUFAKrxLKna5cZ2REBfFkg==",)"
         R"("crc32c":"mnG7TA==","etag":"CJ+e2sXzgoUDEAE="})";
}
inline Attributes gcs_attributes() {
  return {{"eventType", "OBJECT_FINALIZE"},
          {"bucketId", "bucket1"},
          {"objectId", "dir/red flower+a@b é.txt"},
          {"objectGeneration", kGeneration},
          {"eventTime", "2026-11-22T14:01:58.000000Z"},
          {"payloadFormat", "JSON_API_V1"},
          {"notificationConfig", "projects/_/buckets/bucket1/notificationConfigs/1"}};
}

inline std::string in_pub_sub(std::string_view data, const Attributes& attributes) {
  std::string told;
  for (const auto& [name, value] : attributes) {
    told += fmt::format("{}{}:{}", told.empty() ? "" : ",", json_string(name), json_string(value));
  }
  return fmt::format(
      R"({{"message":{{"attributes":{{{}}},"data":"{}","messageId":"136969346945",)"
      R"("publishTime":"2026-11-22T14:01:59.1Z"}},"subscription":"projects/p/subscriptions/s"}})",
      told, to_base64(data));
}

inline std::string in_sns(std::string_view message) {
  return fmt::format(
      R"({{"Type":"Notification","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",)"
      R"("TopicArn":"arn:aws:sns:eu-central-1:123456789012:uploads",)"
      R"("Subject":"Amazon S3 Notification","Message":{},)"
      R"("Timestamp":"2026-11-22T14:01:59.100Z","SignatureVersion":"1","Signature":"EXAMPLE",)"
      R"("SigningCertURL":"https://sns.eu-central-1.amazonaws.com/cert.pem",)"
      R"("UnsubscribeURL":"https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe"}})",
      json_string(message));
}

inline std::string in_lambda_sqs(std::string_view message) {
  return in_records(
      fmt::format(R"({{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","receiptHandle":"AQEB",)"
                  R"("body":{},"attributes":{{"ApproximateReceiveCount":"1"}},)"
                  R"("messageAttributes":{{}},"eventSource":"aws:sqs",)"
                  R"("eventSourceARN":"arn:aws:sqs:eu-central-1:123456789012:uploads"}})",
                  json_string(message)));
}
inline std::string in_lambda_sns(std::string_view message) {
  return in_records(
      fmt::format(R"({{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{}}})", in_sns(message)));
}

inline constexpr std::string_view kCloudEvent =
    R"({"specversion":"1.0","type":"com.amazonaws.s3.ObjectCreated:Put",)"
    R"("source":"aws:s3.eu-central-1.bucket1","subject":"dir/red flower+a@b é.txt",)"
    R"("id":"C3D13FE58DE4C810.FMyUVURIY8","time":"2026-11-22T14:01:58Z",)";

inline std::string in_cloud_event(std::string_view data) {
  return fmt::format(R"({}"datacontenttype":"application/json","data":{}}})", kCloudEvent, data);
}
inline std::string in_cloud_event_base64(std::string_view data) {
  return fmt::format(R"({}"data_base64":"{}"}})", kCloudEvent, to_base64(data));
}
inline Attributes cloud_attributes(std::string_view prefix, std::string_view type) {
  const std::string start(prefix);
  return {{"content-type", "application/json"},
          {start + "specversion", "1.0"},
          {start + "type", std::string(type)},
          {start + "source", "aws:s3.eu-central-1.bucket1"},
          {start + "subject", "dir/red%20flower+a@b%20%C3%A9.txt"},
          {start + "id", "C3D13FE58DE4C810.FMyUVURIY8"},
          {start + "time", "2026-11-22T14:01:58Z"}};
}

}  // namespace headrace::test_messages
