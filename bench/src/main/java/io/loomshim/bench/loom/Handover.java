package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.rpc.StateLoad;
import io.loomshim.bench.scenario.Plan;
import io.loomshim.bench.site.Direct;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A flame graph of a daemon of ours that serves State on many connections, made by async-profiler inside it: what it
 * takes to wake a virtual thread, from the poller of the JDK to the carrier.
 *
 * <p>Arguments: the scope directory, the namespace, the directory for the results, the side, the number of connections,
 * async-profiler's library, and jcmd.
 */
public final class Handover {
  private static final int WARM_UP_MILLIS = 2000;
  private static final int MILLIS = 10_000;

  /** Between two samples of a thread that is on a processor. */
  private static final String INTERVAL = "200us";

  private Handover() {}

  public static void main(String[] args) throws Exception {
    var site = new Site(Path.of(args[0]), args[1]);
    Path results = Path.of(args[2]);
    Side side = Side.of(args[3], Variants.OURS);
    int connections = Integer.parseInt(args[4]);
    try (var crowd = new Crowd(site, side)) {
      crowd.grow(1);
      Direct container = crowd.first();
      String pid = "" + container.shim();
      List<String> agent = List.of(args[6], pid, "JVMTI.agent_load", args[5]);
      Path stacks = results.resolve("handover-" + side.name() + ".txt");
      Path page = results.resolve("handover-" + side.name() + ".html");
      StateLoad.run(container.socket(), container.id(), connections, WARM_UP_MILLIS);
      begin(site, agent);
      StateLoad.Result result = StateLoad.run(container.socket(), container.id(), connections, MILLIS);
      command(site, agent, "dump,threads,collapsed,file=" + stacks);
      command(site, agent, "stop,threads,flamegraph,title=State on " + connections + " connections of " + side.name()
          + ",file=" + page);
      Plan.say("  " + result.micros().count() + " calls");
      System.out.print(HandoverParts.of(Files.readAllLines(stacks)).table());
    }
  }

  /** With the kernel's frames, where it lets its events be used. */
  private static void begin(Site site, List<String> agent) throws Exception {
    String options = ",interval=" + INTERVAL + ",threads";
    try {
      command(site, agent, "start,event=cpu" + options);
    } catch (IOException e) {
      Plan.say("  without the frames of the kernel: " + e.getMessage());
      command(site, agent, "start,event=ctimer" + options);
    }
  }

  private static void command(Site site, List<String> agent, String options) throws Exception {
    var line = new ArrayList<>(agent);
    line.add("\"" + options + "\""); // else jcmd takes what stands before an equals sign for a name
    String said = site.command().output(line);
    if (!said.contains("return code: 0")) {
      throw new IOException("async-profiler: " + said.strip());
    }
  }
}
