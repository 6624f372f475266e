package io.loomshim.integration.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * What the tests of one class share: a private containerd, a namespace, a root file system; and the
 * check after each test that nothing was left behind. Used as a static {@code @RegisterExtension}.
 */
public final class Bed implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  /** containerd tidies up on its own time after ctr has answered. */
  private static final Duration SETTLE_MAX = Await.seconds(10);
  private static final Duration DAEMON_END_MAX = Await.seconds(10);

  private static final class Shared {
    static final Path ROOTFS = make();

    private static Path make() {
      try {
        return Rootfs.create(Files.createDirectory(Scratch.BASE.resolve("rootfs")));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Starts a containerd below a directory. */
  private final Function<Path, Containerd> start;
  private Path directory;
  private Containerd containerd;
  private Ctr ctr;
  private Shims shims;
  private LeftOvers atFirst;
  private LeftOvers before;
  private Hang hang;

  public Bed() {
    this(Containerd::start);
  }

  /** With a containerd that is configured in a way of its own. */
  public Bed(Function<Path, Containerd> start) {
    this.start = start;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    try (var start = Hang.watch("the start of " + context.getDisplayName())) {
      begin();
    }
  }

  private void begin() throws Exception {
    directory = Scratch.directory("bed");
    Files.createDirectory(directory.resolve("fifo"));
    if (Shim.tested().ours()) {
      Install.get();
    }
    atFirst = snapshot();
    Names.address(directory.resolve("grpc"));
    shims = new Shims(directory.resolve("direct"), rootfs());
    containerd = start.apply(directory);
    ctr = new Ctr(directory, rootfs(), containerd.address(), Names.namespace());
    // what the daemon loads only once is loaded now, so that later comparisons are exact
    ctr.run(Shim.tested(), Names.id("warm"), "true").ok();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    hang = Hang.watch(context.getDisplayName());
    before = snapshot();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    hang.close();
    boolean failed = context.getExecutionException().filter(e -> !isSkip(e)).isPresent();
    if (failed) {
      System.err.println(context.getDisplayName() + " failed; containerd's log ends with\n" + containerd.logTail());
      ctr.clear();
    }
    check(before, failed, "this test left");
  }

  @Override
  public void afterAll(ExtensionContext context) {
    try (var last = Hang.watch("the end of " + context.getDisplayName())) {
      end();
    }
  }

  private void end() {
    var problems = new ArrayList<String>();
    if (containerd != null) {
      containerd.stop();
    }
    if (shims != null) {
      shims.close();
    }
    if (Shim.tested().ours()) {
      problems.addAll(endDaemons());
    }
    check(atFirst, false, "after containerd and the daemons ended there is still");
    LeftOvers.removeNamespaces();
    Names.forget(directory.resolve("grpc"));
    Names.forget(directory.resolve("direct/grpc"));
    Scratch.remove(directory);
    if (!problems.isEmpty()) {
      throw new AssertionError(String.join("\n", problems));
    }
  }

  public Containerd containerd() {
    return containerd;
  }

  public Ctr ctr() {
    return ctr;
  }

  /** For tests that talk to a shim without containerd. */
  public Shims shims() {
    return shims;
  }

  /** What an administrator does behind the back of the shims: a command of the runtime about a container of theirs. */
  public void runc(String... arguments) {
    var command = new ArrayList<>(List.of("env", OciRuntime.program(), "--root",
        Names.RUNC_ROOT.resolve(shims.namespace()).toString()));
    command.addAll(List.of(arguments));
    Exec.start(directory, new Exec.Setting(directory, Map.of("PATH", Containerd.path())), command)
        .await(Await.LIMIT).ok();
  }

  public Path rootfs() {
    return Shared.ROOTFS;
  }

  /** Where this class may put files; gone after its last test. */
  public Path directory() {
    return directory;
  }

  LeftOvers snapshot() {
    return LeftOvers.now(directory.resolve("fifo"));
  }

  private void check(LeftOvers earlier, boolean failedAlready, String what) {
    var now = settled(state -> state.since(earlier).isEmpty());
    var left = now.since(earlier);
    if (!left.isEmpty()) {
      now.removeSince(earlier);
      if (!failedAlready) {
        throw new AssertionError(what + "\n  " + String.join("\n  ", left));
      }
    }
  }

  /** The first snapshot that {@code good} accepts, else the last one within the limit. */
  private LeftOvers settled(Predicate<LeftOvers> good) {
    var last = new AtomicReference<LeftOvers>();
    Await.within(SETTLE_MAX, () -> {
      last.set(snapshot());
      return good.test(last.get());
    });
    return last.get();
  }

  /** Ends our daemons, after their recordings are saved and looked at; returns what is wrong. */
  private static List<String> endDaemons() {
    var problems = new ArrayList<String>();
    for (var daemon : Install.get().daemons()) {
      if (Install.JFR) {
        problems.addAll(Pinning.problems(daemon.pid()));
      }
      Proc.terminate(daemon.pid());
      if (!Await.within(DAEMON_END_MAX, () -> !daemon.alive())) {
        problems.add("daemon " + daemon.pid() + " did not end within " + DAEMON_END_MAX + " of SIGTERM");
        Proc.kill(daemon.pid());
      }
    }
    return problems;
  }

  private static boolean isSkip(Throwable e) {
    return e instanceof TestAbortedException;
  }
}
