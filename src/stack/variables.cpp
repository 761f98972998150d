#include "stack/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "core/error.h"

namespace headrace::stack {
namespace {

/// Enough for any key or certificate chain.
constexpr std::size_t kLargestSecret = 1 << 20;

class MachineEnvironment final : public Environment {
 public:
  std::optional<std::string> variable(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }

  std::string file(const std::filesystem::path& path, std::size_t limit) const override {
    const std::string action = "read " + path.string();
    errno = 0;
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
      throw errno_error(EISDIR, action);
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) throw errno_error(errno != 0 ? errno : ENOENT, action);
    std::string text(limit + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) throw errno_error(errno != 0 ? errno : EIO, action);
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > limit) {
      throw Error(ErrorKind::kInvalid, fmt::format("{}: more than {} bytes", action, limit));
    }
    return text;
  }
};

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

void drop_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

class Replacer {
 public:
  Replacer(const Environment& environment, const std::filesystem::path& folder,
           Diagnostics& diagnostics)
      : environment_(environment), folder_(folder), diagnostics_(diagnostics) {}

  void visit(Node& node) const {
    if (node.kind == Node::Kind::kScalar) replace(node);
    for (Node& child : node.children) visit(child);
  }

 private:
  void replace(Node& node) const {
    const std::string text = std::exchange(node.text, {});
    node.literal = text.empty();
    std::size_t at = 0;
    while (at < text.size()) {
      if (text.compare(at, 3, "$${") == 0) {
        node.text += "${";
        node.literal = true;
        at += 3;
      } else if (text.compare(at, 2, "${") == 0) {
        const std::size_t end = text.find('}', at);
        if (end == std::string::npos) {
          complain(node, text.substr(at), "`${` is never closed; write `$${` for a plain `${`");
          return;
        }
        expand(node, text.substr(at, end + 1 - at));
        at = end + 1;
      } else {
        node.text += text[at++];
        node.literal = true;
      }
    }
  }

  /// `whole` is "${scheme:argument}".
  void expand(Node& node, const std::string& whole) const {
    const std::string_view inside = std::string_view(whole).substr(2, whole.size() - 3);
    const std::size_t colon = std::min(inside.find(':'), inside.size());
    const std::string_view scheme = inside.substr(0, colon);
    const std::string argument(inside.substr(std::min(colon + 1, inside.size())));
    try {
      if (scheme == "env" && colon < inside.size()) {
        node.text += environment_value(argument);
      } else if (scheme == "file" && !argument.empty()) {
        node.secret = true;
        node.text += file_value(folder_ / argument);
      } else if (scheme == "cred" && !argument.empty()) {
        node.secret = true;
        node.text += credential(argument);
      } else {
        throw Error(ErrorKind::kInvalid,
                    fmt::format("`{}` is no variable; there are `${{env:NAME}}`, `${{file:PATH}}` "
                                "and `${{cred:NAME}}`; write `$${{` for a plain `${{`",
                                whole));
      }
    } catch (const Error& error) {
      complain(node, whole, error.what());
    }
  }

  std::string environment_value(std::string_view argument) const {
    const std::size_t dash = argument.find(":-");
    const std::string name(argument.substr(0, dash));
    if (!is_name(name)) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("`{}` is no name of an environment variable", name));
    }
    auto value = environment_.variable(name);
    if (dash != std::string_view::npos && (!value || value->empty())) {
      return std::string(argument.substr(dash + 2));
    }
    if (!value) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("the environment variable `{0}` is not set; set it, or write "
                              "`${{env:{0}:-default}}`",
                              name));
    }
    return *std::move(value);
  }

  std::string file_value(const std::filesystem::path& path) const {
    std::string text = environment_.file(path, kLargestSecret);
    drop_line_end(text);
    return text;
  }

  std::string credential(const std::string& name) const {
    if (name.contains('/') || name == "." || name == "..") {
      throw Error(ErrorKind::kInvalid, fmt::format("`{}` is no name of a credential", name));
    }
    const auto folder = environment_.variable("CREDENTIALS_DIRECTORY");
    if (!folder || folder->empty()) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("the credential `{0}` is not there: $CREDENTIALS_DIRECTORY is not "
                              "set; give the service LoadCredential={0}:PATH, or use "
                              "`${{file:PATH}}`",
                              name));
    }
    return file_value(std::filesystem::path(*folder) / name);
  }

  /// At the variable if it can be seen in the node's first line, else at the node.
  void complain(Node& node, std::string_view variable, std::string message) const {
    node.broken = true;
    if (diagnostics_.errors() >= Diagnostics::kMost) {
      return diagnostics_.error(node.where, std::move(message));  // Will not be printed.
    }
    const std::string_view line = diagnostics_.line(node.where.line);
    Where where = node.where;
    std::uint32_t column = 1;
    for (std::size_t at = 0; at < line.size(); ++at) {
      if ((static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) continue;
      if (column >= node.where.column && line.substr(at).starts_with(variable)) {
        where.column = column;
        break;
      }
      ++column;
    }
    diagnostics_.error(where, std::move(message));
  }

  const Environment& environment_;
  const std::filesystem::path& folder_;
  Diagnostics& diagnostics_;
};

}  // namespace

const Environment& machine_environment() {
  static const MachineEnvironment environment;
  return environment;
}

void replace_variables(Node& root, const Environment& environment,
                       const std::filesystem::path& folder, Diagnostics& diagnostics) {
  Replacer(environment, folder, diagnostics).visit(root);
}

}  // namespace headrace::stack
