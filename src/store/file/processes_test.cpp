// Several processes on one folder: what threads of one process can't show.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "store/file/file_store.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

constexpr int kProcesses = 4;

/// Runs `work(i, store)` in processes of their own and returns their exit codes. The parent has no
/// threads of its own while it forks.
std::vector<int> in_processes(const std::string& folder, bool plain,
                              const std::function<int(int, Store&)>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 255;
      try {
        CpuPool io(2);
        // The machine's clock: clocks that stand still in several processes give equal etags.
        const auto store = make_file_store({folder, plain}, io, real_clock());
        code = work(i, *store);
      } catch (const std::exception&) {
        code = 254;  // No test expects it.
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
  }
  return codes;
}

class RacingProcessesTest : public testing::TestWithParam<bool> {
 protected:
  Bytes content(const ObjectKey& key) {
    CpuPool io(1);
    const auto store = make_file_store({folder_.path(), GetParam()}, io, real_clock());
    return run_task(read_object(*store, key, 100)).value_or("(none)");
  }
  const TempFolder folder_;
};

TEST_P(RacingProcessesTest, OneOfThemWinsEachFreeKey) {
  constexpr int kRounds = 40;
  const auto wins = in_processes(folder_.path(), GetParam(), [](int me, Store& store) {
    int won = 0;
    for (int round = 0; round < kRounds; ++round) {
      const ObjectKey key{"bucket", fmt::format("race/{}", round)};
      if (run_task(store.put_if_absent(key, std::to_string(me)))) ++won;
    }
    return won;
  });
  int sum = 0;
  for (const int won : wins) sum += won;
  EXPECT_EQ(sum, kRounds);
}

TEST_P(RacingProcessesTest, NoneLosesAnIncrementOfAnother) {
  constexpr int kEach = 20;
  const ObjectKey key{"bucket", "counter"};
  const auto codes = in_processes(folder_.path(), GetParam(), [&](int, Store& store) {
    run_task(store.put_if_absent(key, "0"));
    for (int done = 0; done < kEach;) {
      const auto info = run_task(store.head(key));
      GetOptions options;
      options.if_match = info->etag;
      auto object = run_task(store.get(key, options));
      if (!object) continue;
      const int value = std::stoi(run_task(read_all(*object->body, 100)));
      if (run_task(store.put_if_match(key, std::to_string(value + 1), info->etag))) ++done;
    }
    return 0;
  });
  EXPECT_EQ(codes, std::vector<int>(kProcesses, 0));
  EXPECT_EQ(content(key), std::to_string(kProcesses * kEach));
}

/// Who removes a count alone puts the next one: a removal that took a newer count would lose it.
TEST_P(RacingProcessesTest, NoneRemovesANewerContent) {
  constexpr int kEach = 20;
  const ObjectKey key{"bucket", "counter"};
  const auto codes = in_processes(folder_.path(), GetParam(), [&](int me, Store& store) {
    if (me == 0) run_task(store.put_if_absent(key, "0"));
    for (int done = 0; done < kEach;) {
      auto object = run_task(store.get(key));
      if (!object) continue;
      const std::string next =
          std::to_string(std::stoi(run_task(read_all(*object->body, 100))) + 1);
      std::optional<Etag> won;
      if (me % 2 == 0) {
        won = run_task(store.put_if_match(key, next, object->info.etag));
      } else if (run_task(store.remove(key, object->info.etag))) {
        won = run_task(store.put_if_absent(key, next));
      }
      if (won) ++done;
    }
    return 0;
  });
  EXPECT_EQ(codes, std::vector<int>(kProcesses, 0));
  EXPECT_EQ(content(key), std::to_string(kProcesses * kEach));
}

/// A plain put or a remove between a condition's check and its write would break the condition.
TEST_P(RacingProcessesTest, ConditionsHoldAgainstUnconditionalWritesToo) {
  constexpr int kRounds = 30;
  const ObjectKey key{"bucket", "shared"};
  const auto broken = in_processes(folder_.path(), GetParam(), [&](int me, Store& store) {
    int wrong = 0;
    for (int round = 0; round < kRounds; ++round) {
      const std::string mine = fmt::format("{}-{}", me, round);
      const auto etag = run_task(store.put(key, mine));
      // If it succeeds, nobody wrote between: the content replaced was ours.
      const auto over = run_task(store.put_if_match(key, mine + "!", *etag));
      if (!over) continue;
      GetOptions options;
      options.if_match = over;
      auto object = run_task(store.get(key, options));
      if (object && run_task(read_all(*object->body, 100)) != mine + "!") ++wrong;
    }
    return wrong;
  });
  EXPECT_EQ(broken, std::vector<int>(kProcesses, 0));
}

/// Whenever a writer is killed, what is left is one write's bytes with that write's metadata.
TEST(ProcessesTest, AKilledWriterLeavesNoMixture) {
  const TempFolder folder;
  const ObjectKey key{"bucket", "shared"};
  for (int round = 0; round < 20; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t writer = ::fork();
    if (writer == 0) {
      CpuPool io(1);
      const auto store = make_file_store({folder.path()}, io, real_clock());
      for (int n = 0;; ++n) {
        const std::string value = fmt::format("{}-{}", round, n);
        run_task(
            store->put(key, value, {.metadata = {{"same", value}}, .tags = {{"same", value}}}));
        if (n >= round % 5 && ::write(ready[1], "x", 1) != 1) ::_exit(1);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    // Some microseconds into one of the next writes.
    for (std::uint64_t i = real_random().below(200'000); i > 0; --i) asm volatile("");
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    CpuPool io(1);
    const auto store = make_file_store({folder.path()}, io, real_clock());
    auto object = run_task(store->get(key));
    ASSERT_TRUE(object);
    const Bytes body = run_task(read_all(*object->body, 100));
    EXPECT_EQ(object->info.metadata, (Metadata{{"same", body}}));
    EXPECT_EQ(run_task(store->tags(key)), (Tags{{"same", body}}));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RacingProcessesTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Plain" : "Store"; });

}  // namespace
}  // namespace headrace
