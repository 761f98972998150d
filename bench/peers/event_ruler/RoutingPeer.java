// What bench/peers/routing asks of AWS event-ruler, as bench_routing does of our side.
//
//   RoutingPeer run RULES EVENTS CHECKED SECONDS
//   RoutingPeer pairs < pairs    compares its answers with those given; prints each difference
//   RoutingPeer ask < asked      for each line of a rule, a tab and an event: true, false, varies or
//                                refused, of that rule alone

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import software.amazon.event.ruler.GenericMachine;

public final class RoutingPeer {
  private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

  public static void main(String[] args) throws Exception {
    if (args.length == 5 && args[0].equals("run")) {
      run(args[1], args[2], Integer.parseInt(args[3]), Double.parseDouble(args[4]));
    } else if (args.length == 1 && args[0].equals("pairs")) {
      pairs();
    } else if (args.length == 1 && args[0].equals("ask")) {
      ask();
    } else {
      System.err.println("RoutingPeer run|pairs|ask ...: see the head of its source");
      System.exit(2);
    }
    OUT.flush();
  }

  private static double cpuSeconds() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() * 1e-9;
  }

  private static long usedBytes() {
    for (int i = 0; i < 3; i++) System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static List<Integer> match(GenericMachine<Integer> machine, String event)
      throws Exception {
    return new ArrayList<>(new TreeSet<>(machine.rulesForJSONEvent(event)));
  }

  private static void run(String rulesPath, String eventsPath, int checked, double seconds)
      throws Exception {
    List<String> rules = Files.readAllLines(Path.of(rulesPath));
    List<String> events = Files.readAllLines(Path.of(eventsPath));
    long before = usedBytes();
    double start = cpuSeconds();
    GenericMachine<Integer> machine = new GenericMachine<>();
    for (int i = 0; i < rules.size(); i++) machine.addRule(i, rules.get(i));
    double added = cpuSeconds() - start;
    double mib = (usedBytes() - before) / 1048576.0;

    long hash = 0xCBF29CE484222325L;
    long matches = 0;
    for (int i = 0; i < Math.min(checked, events.size()); i++) {
      List<Integer> ids = match(machine, events.get(i));
      StringBuilder text = new StringBuilder();
      for (int id : ids) text.append(id).append(',');
      text.append('\n');
      for (int at = 0; at < text.length(); at++) hash = (hash ^ text.charAt(at)) * 0x100000001B3L;
      matches += ids.size();
    }
    // The first rounds warm the compiler up; the best one counts.
    double best = 0;
    int at = 0;
    for (int round = 0; round < 5; round++) {
      double from = cpuSeconds();
      double used = 0;
      long count = 0;
      while (used < seconds / 5) {
        for (int i = 0; i < 200; i++, count++) {
          machine.rulesForJSONEvent(events.get(at));
          at = (at + 1) % events.size();
        }
        used = cpuSeconds() - from;
      }
      best = Math.max(best, count / used);
    }
    OUT.printf("{\"rate\":%.0f,\"matches\":%d,\"hash\":\"%016x\",\"compile_s\":%.3f,\"mib\":%.1f}%n",
        best, matches, hash, added, mib);
  }

  private static void pairs() throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    List<String> rules = new ArrayList<>();
    GenericMachine<Integer> machine = null;
    long compared = 0;
    long matched = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.charAt(0) == 'R') {
        if (machine != null) {
          rules.clear();
          machine = null;
        }
        rules.add(line.substring(1));
        continue;
      }
      if (machine == null) machine = compile(rules);
      int tab = line.indexOf('\t');
      String event = line.substring(tab + 1);
      TreeSet<Integer> ours = new TreeSet<>();
      for (String id : line.substring(1, tab).split(",")) {
        if (!id.isEmpty()) ours.add(Integer.parseInt(id));
      }
      TreeSet<Integer> theirs = new TreeSet<>(machine.rulesForJSONEvent(event));
      compared++;
      matched += ours.size();
      if (ours.equals(theirs)) continue;
      for (int id = 0; id < rules.size(); id++) {
        if (ours.contains(id) == theirs.contains(id)) continue;
        OUT.println("D\t" + rules.get(id) + "\t" + event + "\t" + ours.contains(id));
      }
    }
    OUT.println("N\t" + compared + "\t" + matched);
  }

  /** Some of its answers hang on the order of its hash sets: each is asked for three times. */
  private static void ask() throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int tab = line.indexOf('\t');
      TreeSet<String> answers = new TreeSet<>();
      for (int i = 0; i < 3; i++) {
        GenericMachine<Integer> machine = new GenericMachine<>();
        try {
          machine.addRule(0, line.substring(0, tab));
        } catch (Exception refused) {
          answers.add("refused");
          continue;
        }
        answers.add(String.valueOf(!machine.rulesForJSONEvent(line.substring(tab + 1)).isEmpty()));
      }
      OUT.println(answers.size() == 1 ? answers.first() : "varies");
    }
  }

  private static void add(GenericMachine<Integer> machine, int id, String rule) {
    try {
      machine.addRule(id, rule);
    } catch (Exception refused) {
      OUT.println("X\t" + rule + "\t" + refused.getMessage().replaceAll("\\s+", " "));
    }
  }

  private static GenericMachine<Integer> compile(List<String> rules) {
    GenericMachine<Integer> machine = new GenericMachine<>();
    for (int id = 0; id < rules.size(); id++) add(machine, id, rules.get(id));
    return machine;
  }
}
