#include "net/credentials/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

#include "core/error.h"
#include "core/timeout.h"

namespace headrace {
namespace {

namespace asio = boost::asio;

/// What posix_spawn is told: a new group, no blocked signals, and where the three streams lead.
class SpawnPlan {
 public:
  explicit SpawnPlan(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, 1);
    posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// A running program. One that was not waited for is killed with its group when this ends.
class Program {
 public:
  Program(const std::vector<std::string>& words, const Executor& executor)
      : output_(executor), ended_(executor) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw errno_error(errno, "pipe");
    output_.assign(ends[0]);
    const int failed = spawn(words, ends[1]);
    ::close(ends[1]);
    if (failed != 0) {
      throw Error(ErrorKind::kInvalid, errno_error(failed, "run " + words.front()).what());
    }
    const long handle = ::syscall(SYS_pidfd_open, pid_, 0);
    if (handle < 0) {
      const int error = errno;
      kill();
      throw errno_error(error, "watch " + words.front());
    }
    ended_.assign(static_cast<int>(handle));
  }
  ~Program() {
    if (pid_ > 0) kill();
  }
  Program(const Program&) = delete;

  /// Reads to the end of the output; throws kInvalid beyond `limit` bytes.
  Task<std::string> read(std::size_t limit) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      boost::system::error_code failed;
      const std::size_t count = co_await output_.async_read_some(
          asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::eof) co_return text;
      if (failed) throw cancelled_or(failed);
      text.append(piece.data(), count);
      if (text.size() > limit) throw Error(ErrorKind::kInvalid, "it prints too much");
    }
  }

  /// Waits for its end.
  Task<int> wait() {
    boost::system::error_code failed;
    co_await ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                               asio::redirect_error(asio::use_awaitable, failed));
    if (failed) throw cancelled_or(failed);
    co_return reap();
  }

 private:
  int spawn(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    SpawnPlan plan(output);
    return ::posix_spawnp(&pid_, words.front().c_str(), plan.actions(), plan.attributes(),
                          arguments.data(), environ);
  }

  static Error cancelled_or(const boost::system::error_code& failed) {
    if (failed == asio::error::operation_aborted) {
      return Error(ErrorKind::kCancelled, "program cancelled");
    }
    return Error(ErrorKind::kTransient, failed.message());
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  void kill() {
    ::kill(-pid_, SIGKILL);
    reap();
  }

  pid_t pid_ = -1;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor ended_;
};

Task<ProgramResult> run(std::vector<std::string> words, std::size_t bytes) {
  Program program(words, co_await asio::this_coro::executor);
  ProgramResult result;
  result.output = co_await program.read(bytes);
  result.exit_code = co_await program.wait();
  co_return result;
}

}  // namespace

Task<ProgramResult> run_program(Clock& clock, std::vector<std::string> words, Duration limit,
                                std::size_t bytes) {
  co_return co_await with_timeout(clock, limit, "it does not end", run(std::move(words), bytes));
}

}  // namespace headrace
