package io.loomshim.bench.figure;

import java.util.List;

/**
 * Everything that is measured, in the order of the table.
 *
 * @param key as in raw.csv
 * @param title in Markdown; {@code %d} stands for n
 * @param headline whether it is among the few that the README's picture shows, for some n if it has several
 * @param goal what it should reach
 */
public record Figure(String key, String title, Unit unit, Better better, int headline, Goal goal) {
  /** Whether a smaller or a larger value is the better one. */
  public enum Better { LESS, MORE }

  /**
   * A bound for loom's value: {@code factor} times that of a side, or the plain value when there is no side.
   *
   * @param n holds for this n only, for any when {@link Samples#NONE}
   */
  public record Goal(double factor, Side than, int n) {
    static final Goal NO = new Goal(Double.NaN, Side.FLOOR, Samples.NONE);

    boolean present() {
      return !Double.isNaN(factor);
    }

    public boolean plain() {
      return than == Side.FLOOR;
    }
  }

  /** One without a goal that the README does not show. */
  public static Figure plain(String key, String title, Unit unit, Better better) {
    return new Figure(key, title, unit, better, NEVER, Goal.NO);
  }

  private static final int NEVER = -2;
  private static final int DECADES = -3; // for 1, 10, 100 and so on
  private static final int ALWAYS = Samples.NONE;

  public static final Figure RUN_WARM = less("run-warm", "`ctr run --rm` of `true`, daemon warm", Unit.MS, ALWAYS, 0.8);
  public static final Figure RUN_COLD =
      less("run-cold", "`ctr run --rm` of `true`, no daemon yet", Unit.MS, ALWAYS, 2.0);
  public static final Figure START = less("start", "`start` alone, warm", Unit.MS, NEVER, 0.4);
  public static final Figure DELETE = less("delete", "`delete` alone", Unit.MS, NEVER);
  public static final Figure RPC_CREATE = less("rpc-create", "Create by RPC", Unit.MS, NEVER);
  public static final Figure RPC_START = less("rpc-start", "Start by RPC", Unit.MS, NEVER);
  public static final Figure RPC_DELETE = less("rpc-delete", "Delete by RPC", Unit.MS, NEVER);
  public static final Figure EXEC_CTR = less("exec-ctr", "`ctr task exec` of `true`", Unit.MS, NEVER);
  public static final Figure EXEC_RPC =
      less("exec-rpc", "exec of `true` by RPC, one after another", Unit.MS, ALWAYS, 1.0);
  public static final Figure EXEC_MANY =
      less("exec-many", "exec of `true` by RPC, %d at a time, each", Unit.MS, 50);
  public static final Figure EXEC_CPU = less("exec-cpu", "processor time per 1000 execs", Unit.S, ALWAYS);
  public static final Figure EXEC_CPU_OWN =
      less("exec-cpu-own", "processor time per 1000 execs, the shim itself", Unit.S, NEVER);
  public static final Figure STATE = less("state", "State, one caller, p50", Unit.US, NEVER, 1.0);
  public static final Figure STATE_TAIL = less("state-p99", "State, one caller, p99", Unit.US, NEVER);
  public static final Figure STATS = less("stats", "Stats, p50", Unit.US, NEVER);
  public static final Figure PIDS = less("pids", "Pids, p50", Unit.US, NEVER, 0.1);
  public static final Figure KILL = less("kill", "Kill, p50", Unit.US, ALWAYS, 0.1);
  public static final Figure CONN_RATE = new Figure("conn-rate", "State, %d connections", Unit.RATE, Better.MORE, NEVER,
      new Goal(1.0, Side.RUNC_V1, 50));
  public static final Figure CONN_TAIL = less("conn-p99", "State, %d connections, p99", Unit.US, NEVER);
  public static final Figure STDOUT_CTR =
      less("stdout-ctr", "%d MB through stdout, `ctr` reading", Unit.S, ALWAYS, 0.6);
  public static final Figure STDOUT = less("stdout", "%d MB through stdout, a bare reader", Unit.S, NEVER);
  public static final Figure PTY = less("pty", "%d MB through a terminal", Unit.S, NEVER, 1.0);
  public static final Figure KEYSTROKE = less("keystroke", "keystroke to a terminal and back, p50", Unit.US, NEVER);
  public static final Figure PIPE = less("pipe", "8 bytes through stdin and back, p50", Unit.US, NEVER, 0.5);
  public static final Figure PSS = new Figure("pss", "memory (PSS), %d containers", Unit.MB, Better.LESS, DECADES,
      new Goal(1.0, Side.GROUP, 1000));
  public static final Figure PSS_AFTER =
      less("pss-after", "memory (PSS), 1 container, after 500 busy connections", Unit.MB, NEVER);
  public static final Figure RSS = less("rss", "RSS, %d containers", Unit.MB, NEVER);
  public static final Figure THREADS = new Figure("threads", "OS threads, %d containers", Unit.COUNT, Better.LESS, 1000,
      new Goal(32, Side.FLOOR, 1000));
  public static final Figure FILES = less("fds", "open files, %d containers", Unit.COUNT, NEVER);
  public static final Figure IDLE_CPU =
      less("idle-cpu", "processor time while idle, %d containers", Unit.MS_PER_S, NEVER);
  public static final Figure WAKEUPS = less("wakeups", "wake-ups while idle, %d containers", Unit.RATE, NEVER);
  public static final Figure CHURN = less("churn", "%d containers, 8 at a time, each", Unit.MS, ALWAYS);
  public static final Figure CHURN_CPU =
      less("churn-cpu", "%d containers, 8 at a time: processor time each", Unit.MS, NEVER);

  public static final Figure NEIGHBOURS = less("neighbours-p99", "State of %d containers, p99", Unit.US, NEVER);
  public static final Figure NEIGHBOURS_HUNG =
      less("neighbours-hung-p99", "State of %d containers while runc hangs in one more, p99", Unit.US, NEVER);

  public static final Figure BESIDE = less("beside", "exec of `true` by RPC beside %d containers", Unit.MS, NEVER);
  public static final Figure BESIDE_CPU =
      less("beside-cpu", "processor time per 1000 execs beside %d containers", Unit.S, NEVER);
  public static final Figure BESIDE_CPU_OWN =
      less("beside-cpu-own", "processor time per 1000 execs beside %d containers, the shim itself", Unit.S, NEVER);
  public static final Figure BESIDE_SWITCHES =
      less("beside-switches", "changes of threads in the shim for an exec beside %d containers", Unit.EACH, NEVER);
  public static final Figure BESIDE_FILES =
      less("beside-fds", "open files of the shim, execs beside %d containers", Unit.COUNT, NEVER);

  public static final List<Figure> ALL = List.of(RUN_WARM, RUN_COLD, START, DELETE, RPC_CREATE, RPC_START, RPC_DELETE,
      EXEC_CTR, EXEC_RPC, EXEC_MANY, EXEC_CPU, EXEC_CPU_OWN, STATE, STATE_TAIL, STATS, PIDS, KILL, CONN_RATE,
      CONN_TAIL, STDOUT_CTR, STDOUT, PTY, KEYSTROKE, PIPE, PSS, PSS_AFTER,
      RSS, THREADS, FILES, IDLE_CPU, WAKEUPS, CHURN,
      CHURN_CPU, NEIGHBOURS, NEIGHBOURS_HUNG, BESIDE, BESIDE_CPU, BESIDE_CPU_OWN, BESIDE_SWITCHES, BESIDE_FILES);

  /** Memory also has goals beside the shim that serves one container. */
  static final List<Goal> PSS_GOALS =
      List.of(new Goal(1 / 5.0, Side.RUNC_V1, 200), new Goal(1 / 15.0, Side.RUNC_V1, 1000));

  private static Figure less(String key, String title, Unit unit, int headline) {
    return new Figure(key, title, unit, Better.LESS, headline, Goal.NO);
  }

  private static Figure less(String key, String title, Unit unit, int headline, double factor) {
    return new Figure(key, title, unit, Better.LESS, headline, new Goal(factor, Side.RUNC_V1, Samples.NONE));
  }

  /** The title for one n, in Markdown. */
  public String title(int n) {
    String text = title.replace("%d", Integer.toString(n));
    return n == 1 ? text.replaceFirst("\\b1 (container|connection)s", "1 $1") : text;
  }

  /** The same without marks. */
  public String plainTitle(int n) {
    return title(n).replace("`", "");
  }

  /** What the axis of a plot over n shows. */
  public String axis() {
    return title.replace("%d containers", "").replace("%d connections", "calls").replaceAll(", *$", "")
        .replaceAll(" *, *,", ",") + (unit == Unit.RATE ? " per second" : "");
  }

  public boolean inReadme(int n) {
    return headline == ALWAYS || headline == n || headline == DECADES && decade(n);
  }

  private static boolean decade(int n) {
    return n == 1 || n > 1 && n % 10 == 0 && decade(n / 10);
  }

  /** The goals that hold for {@code n}. */
  public List<Goal> goals(int n) {
    var goals = new java.util.ArrayList<Goal>();
    if (goal.present()) {
      goals.add(goal);
    }
    if (this == PSS) {
      goals.addAll(PSS_GOALS);
    }
    goals.removeIf(each -> each.n() != Samples.NONE && each.n() != n);
    return goals;
  }
}
