#include "cli/event_decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>

#include "cli/cli.h"
#include "core/clock.h"
#include "core/error.h"
#include "event/decode.h"

namespace headrace {
namespace {

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

/// Prints the events of one file's messages, and tells on stderr what else there was.
class FileDecoding {
 public:
  explicit FileDecoding(std::string name) : name_(std::move(name)) {}

  /// `line` is 0 if the message is the whole file.
  void message(std::string_view body, std::size_t line) {
    where_ = line == 0 ? name_ : fmt::format("{}:{}", name_, line);
    std::visit([this](const auto& decoded) { tell(decoded); },
               decode_message({body, {}, real_clock().now()}, limits_));
  }
  void no_event(std::size_t line, const std::string& reason) {
    where_ = fmt::format("{}:{}", name_, line);
    tell(NoEvent{reason});
  }

  /// True if everything was understood.
  bool finish() const {
    std::string dialects;
    for (const auto& [dialect, count] : counts_) {
      dialects += fmt::format("{}{} {}", dialects.empty() ? ": " : ", ", count, to_string(dialect));
    }
    say(fmt::format("{}: {} events{}", name_, events_, dialects));
    return failed_ == 0;
  }

 private:
  void tell(const Events& decoded) {
    std::string lines;
    for (const DecodedEvent& one : decoded.events) {
      ++counts_[one.dialect];
      ++events_;
      lines += to_json(one.event) + "\n";
      if (one.unproven) {
        say(fmt::format("{}: record {}: unproven: the store may have refused this write", where_,
                        one.record));
      }
    }
    write_out(lines);
    for (const BadRecord& bad : decoded.bad) {
      ++failed_;
      say(fmt::format("{}: record {}: no event: {}", where_, bad.record, bad.reason));
    }
  }
  void tell(const TestEvent& test) {
    say(fmt::format("{}: s3:TestEvent of bucket {}: nothing happened", where_, test.bucket));
  }
  void tell(const SnsHandshake& handshake) {
    const bool asks = handshake.kind == SnsHandshake::Kind::kSubscribe;
    say(fmt::format("{}: SNS {} {}", where_,
                    asks ? "asks to confirm a subscription to" : "ended a subscription to",
                    handshake.topic_arn));
  }
  void tell(const NoEvent& none) {
    ++failed_;
    say(fmt::format("{}: no event: {}", where_, none.reason));
  }

  const DecodeLimits limits_;
  const std::string name_;
  std::string where_;
  std::map<Dialect, std::size_t> counts_;
  std::size_t events_ = 0;
  std::size_t failed_ = 0;
};

bool is_one_value(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(kSpace) + 1));
  return text;
}

/// A message in a file is one value, or one a line. Beyond the size of a message it can only be the
/// second, and only the line at hand is held.
class MessageFile {
 public:
  explicit MessageFile(std::istream& in) : in_(in) {}

  void decode(FileDecoding& out) {
    fill();
    const std::string_view whole = trimmed(rest());
    if (ended_ && (!whole.contains('\n') || is_one_value(whole))) return out.message(whole, 0);
    for (std::size_t line = 1; !rest().empty() || !ended_; ++line) next_line(out, line);
  }

 private:
  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }

  /// Until there is more than a message, or no more.
  void fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    std::array<char, 64 << 10> block;
    while (!ended_ && buffer_.size() <= limits_.bytes) {
      in_.read(block.data(), block.size());
      buffer_.append(block.data(), static_cast<std::size_t>(in_.gcount()));
      ended_ = !in_;
    }
  }

  void next_line(FileDecoding& out, std::size_t number) {
    if (!rest().contains('\n')) fill();
    const bool too_long = !rest().contains('\n') && !ended_;
    while (!rest().contains('\n') && !ended_) {
      at_ = buffer_.size();
      fill();
    }
    const std::string_view line = rest().substr(0, rest().find('\n'));
    at_ = std::min(at_ + line.size() + 1, buffer_.size());
    if (too_long) {
      out.no_event(number, fmt::format("the line is larger than {} bytes", limits_.bytes));
    } else if (!trimmed(line).empty()) {
      out.message(trimmed(line), number);
    }
  }

  const DecodeLimits limits_;
  std::istream& in_;
  std::string buffer_;
  std::size_t at_ = 0;  ///< What is before it was handed out.
  bool ended_ = false;
};

bool decode_file(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) throw Exit(kFailed, errno_error(errno, "open " + path).what());
  }
  FileDecoding decoding(path == "-" ? "stdin" : path);
  MessageFile(path == "-" ? std::cin : file).decode(decoding);
  return decoding.finish();
}

}  // namespace

void add_event_decode(CLI::App& event, Cli& cli) {
  auto* decode = event.add_subcommand("decode", "Messages of any producer as events, one a line");
  decode->footer(
      "A file holds one message or one a line. Which dialect it was goes to stderr, and so does "
      "what is no event; then the exit code is 3.");
  auto files = std::make_shared<std::vector<std::string>>();
  decode
      ->add_option("files", *files,
                   "Messages as they came: bodies from SQS, Kafka, a webhook; "
                   "- is stdin")
      ->required();
  decode->callback([&cli, files] {
    cli.action = [files] {
      bool all = true;
      for (const std::string& file : *files) all = decode_file(file) && all;
      return all ? kOk : kPartly;
    };
  });
}

}  // namespace headrace
