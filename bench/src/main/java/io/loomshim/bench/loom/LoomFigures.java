package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Unit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the comparison measures, by axis, in the order of the report. Keys are those of raw.csv. */
final class LoomFigures {
  static final Figure THREADS = less("waits-threads", "OS threads", Unit.COUNT);
  static final Figure PSS = less("waits-pss", "memory (PSS)", Unit.MB);
  static final Figure RSS = less("waits-rss", "memory (RSS)", Unit.MB);
  static final Figure STATE = less("waits-state", "State, median", Unit.US);
  static final Figure STATE_TAIL = less("waits-state-p99", "State, 99th percentile", Unit.US);
  static final Figure STATE_WORST = less("waits-state-p999", "State, 99.9th percentile", Unit.US);
  static final Figure EXEC = less("waits-exec", "exec of true, median", Unit.MS);
  static final Figure EXEC_TAIL = less("waits-exec-p99", "exec of true, 99th percentile", Unit.MS);
  static final Figure EXEC_CPU = less("waits-exec-cpu", "processor seconds per 1000 execs", Unit.S);
  static final Figure STATE_SWITCHES = less("waits-state-switches", "context switches per State", Unit.EACH);
  static final Figure EXEC_SWITCHES =
      less("waits-exec-switches", "context switches per exec, whole machine", Unit.EACH);
  static final Figure IDLE_SWITCHES = less("waits-idle-switches", "context switches per second while idle", Unit.RATE);
  static final Figure REFUSED = less("waits-refused", "Waits refused or not taken up", Unit.COUNT);

  static final Figure EXECS_RATE = more("execs-rate", "execs per second", Unit.RATE);
  static final Figure EXECS = less("execs-median", "one exec, median", Unit.MS);
  static final Figure EXECS_TAIL = less("execs-p99", "one exec, 99th percentile", Unit.MS);
  static final Figure EXECS_CPU = less("execs-cpu", "processor seconds per 1000 execs", Unit.S);
  static final Figure EXECS_SWITCHES = less("execs-switches", "context switches per exec, whole machine", Unit.EACH);
  static final Figure EXECS_THREADS = less("execs-threads", "OS threads, the most seen", Unit.COUNT);

  static final Figure CALLS_RATE = more("callers-rate", "calls per second", Unit.RATE);
  static final Figure CALLS = less("callers-state", "State, median", Unit.US);
  static final Figure CALLS_TAIL = less("callers-state-p99", "State, 99th percentile", Unit.US);
  static final Figure CALLS_WORST = less("callers-state-p999", "State, 99.9th percentile", Unit.US);
  static final Figure CALLS_CPU = less("callers-cpu", "processor time of the shim per State", Unit.US);
  static final Figure CALLS_SWITCHES = less("callers-switches", "context switches per State", Unit.EACH);
  static final Figure CALLS_THREADS = less("callers-threads", "OS threads", Unit.COUNT);
  static final Figure CALLS_SILENT = less("callers-silent", "connections without any answer", Unit.COUNT);

  static final Figure PARKED_THREADS = less("parked-threads", "OS threads", Unit.COUNT);
  static final Figure PARKED_PSS = less("parked-pss", "memory (PSS)", Unit.MB);
  static final Figure PARKED_EACH = less("parked-each", "memory (PSS) for each parked call", Unit.KB);
  static final Figure PARKED_IDLE = less("parked-idle-switches", "context switches per second while idle", Unit.RATE);
  static final Figure PARKED_STATE = less("parked-state", "State of one more client, median", Unit.US);
  static final Figure PARKED_TAIL = less("parked-state-p99", "State of one more client, 99th percentile", Unit.US);
  static final Figure PARKED_WORST =
      less("parked-state-p999", "State of one more client, 99.9th percentile", Unit.US);
  static final Figure PARKED_WAKE = less("parked-wake", "from the Kill until the last Wait is answered", Unit.MS);
  static final Figure PARKED_WAKE_CPU = less("parked-wake-cpu", "processor time of the shim for each answer", Unit.US);

  static final Map<Axis, List<Figure>> BY_AXIS = byAxis();

  private LoomFigures() {}

  private static Map<Axis, List<Figure>> byAxis() {
    var all = new LinkedHashMap<Axis, List<Figure>>();
    all.put(Axis.WAITS, List.of(THREADS, PSS, RSS, STATE, STATE_TAIL, STATE_WORST, EXEC, EXEC_TAIL, EXEC_CPU,
        STATE_SWITCHES, EXEC_SWITCHES, IDLE_SWITCHES, REFUSED));
    all.put(Axis.PARKED, List.of(PARKED_THREADS, PARKED_PSS, PARKED_EACH, PARKED_IDLE, PARKED_STATE, PARKED_TAIL,
        PARKED_WORST, PARKED_WAKE, PARKED_WAKE_CPU));
    all.put(Axis.EXECS, List.of(EXECS_RATE, EXECS, EXECS_TAIL, EXECS_CPU, EXECS_SWITCHES, EXECS_THREADS));
    all.put(Axis.CALLERS, List.of(CALLS_RATE, CALLS, CALLS_TAIL, CALLS_WORST, CALLS_CPU, CALLS_SWITCHES,
        CALLS_THREADS, CALLS_SILENT));
    return all;
  }

  private static Figure less(String key, String title, Unit unit) {
    return Figure.plain(key, title, unit, Figure.Better.LESS);
  }

  private static Figure more(String key, String title, Unit unit) {
    return Figure.plain(key, title, unit, Figure.Better.MORE);
  }
}
