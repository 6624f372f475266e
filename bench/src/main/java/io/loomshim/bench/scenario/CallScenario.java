package io.loomshim.bench.scenario;

import com.google.protobuf.MessageLite;
import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.rpc.Caller;
import io.loomshim.bench.site.Bare;
import io.loomshim.bench.site.Site;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StatsRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;

/** Calls to a running container by one caller: the median and the 99th percentile of many in a row. */
final class CallScenario implements Scenario {
  /** Changes nothing in a process that runs. */
  private static final int SIGCONT = 18;

  /** Percent of the calls that come before the first one that counts. */
  private static final int WARM_UP = 20;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    Map<Side, String> ids = plan.sleepers();
    for (int round = 0; round < plan.size().rounds(); round++) {
      for (Map.Entry<Side, String> each : ids.entrySet()) {
        calls(plan, each.getKey(), each.getValue());
      }
    }
    if (plan.floor()) {
      floor(plan);
    }
    site.endAll();
  }

  private static void calls(Plan plan, Side side, String id) throws IOException {
    Path socket = plan.site().socket(id);
    int fast = plan.size().pick(50, 2000, 4000);
    int slow = plan.size().pick(5, 20, 30);
    var state = StateRequest.newBuilder().setId(id).build();
    Spread states = spread(socket, "State", state, fast);
    plan.samples().add(Figure.STATE, side, states.median());
    plan.samples().add(Figure.STATE_TAIL, side, states.at(0.99));
    var stats = StatsRequest.newBuilder().setId(id).build();
    plan.samples().add(Figure.STATS, side, spread(socket, "Stats", stats, fast / 10).median());
    var pids = PidsRequest.newBuilder().setId(id).build();
    plan.samples().add(Figure.PIDS, side, spread(socket, "Pids", pids, slow).median());
    var kill = KillRequest.newBuilder().setId(id).setSignal(SIGCONT).build();
    plan.samples().add(Figure.KILL, side, spread(socket, "Kill", kill, slow).median());
  }

  private static Spread spread(Path socket, String method, MessageLite request, int count) throws IOException {
    try (Caller caller = Caller.connect(socket, method, request)) {
      for (int i = 0; i < count * WARM_UP / 100; i++) {
        caller.call();
      }
      var micros = new ArrayList<Double>();
      for (int i = 0; i < count; i++) {
        micros.add(caller.call());
      }
      return new Spread(micros);
    }
  }

  /** The commands of runc that tell and do the same. */
  private static void floor(Plan plan) throws IOException, InterruptedException {
    var bare = new Bare(plan.site());
    Path bundle = bare.sleeper();
    for (int i = 0; i < plan.size().pick(1, 10, 30); i++) {
      plan.samples().add(Figure.STATE, Side.FLOOR, bare.about(bundle, "state") * 1e3);
      plan.samples().add(Figure.STATS, Side.FLOOR, bare.about(bundle, "events", "--stats") * 1e3);
      plan.samples().add(Figure.PIDS, Side.FLOOR, bare.about(bundle, "ps", "--format", "json") * 1e3);
      plan.samples().add(Figure.KILL, Side.FLOOR, plan.site().command().millis(bare.kill(bundle, "CONT")) * 1e3);
    }
    bare.end(bundle);
  }
}
