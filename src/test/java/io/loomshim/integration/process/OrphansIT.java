package io.loomshim.integration.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that have ended: those that nobody knows, those that cannot be reaped yet, those that get a signal. */
final class OrphansIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int CLOCK_TICKS = 100; // a second, sysconf(3)

  private static ShimClient running(Shim shim, Bundle bundle, Optional<com.google.protobuf.Any> options) {
    var task = BED.shims().start(shim, bundle, options);
    task.create();
    task.start();
    return task;
  }

  private static ShimClient running(Shim shim, String... command) {
    return running(shim, BED.shims().bundle(Names.id("orphan"), command), Optional.empty());
  }

  /** In the pid namespace of the host, with at most 20 processes. */
  private static Bundle open(String... command) {
    var bundle = BED.shims().bundle(Names.id("orphan"), command);
    Path config = bundle.path().resolve("config.json");
    try {
      Files.writeString(config, Files.readString(config).replace("{\"type\": \"pid\"}, ", "")
          .replace("\"resources\": {", "\"resources\": {\"pids\": {\"limit\": 20}, "));
      return bundle;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** 60 orphans, not faster than a busy machine can reap them. */
  private static final String MANY =
      "i=0; while [ $i -lt 60 ]; do ( true & ) || exit 9; i=$((i+1)); [ $((i%4)) -ne 0 ] || sleep .05; done";

  @Test
  void orphansDoNotCountAgainstTheLimitOfTheirContainerOnceTheyHaveEnded() {
    int status = Differential.same(shim -> {
      try (var task = running(shim, open("sh", "-c", MANY), Optional.empty())) {
        int ended = task.await("").getExitStatus();
        task.delete("");
        return ended;
      }
    });
    assertEquals(0, status);
  }

  private static FutureTask<String> aside(Callable<String> call) {
    var task = new FutureTask<>(call);
    Thread.ofVirtual().start(task);
    return task;
  }

  private static String result(FutureTask<String> task) {
    try {
      return task.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void orphansAreReapedAlthoughAStartHangsInAnotherContainer() {
    Shim.assumeOurs("the daemon of several containers");
    var stuck = FaultyRunc.make(BED.directory(), "exec", ": > $0.there; sleep 1000");
    try (var other = running(Shim.tested(), BED.shims().bundle(Names.id("orphan"), "sleep", "1000"), stuck.options())) {
      other.exec("e1", "true");
      var start = aside(() -> ShimClient.failure(() -> other.start("e1")));
      Await.until("the exec is being started", () -> Files.exists(stuck.beside("there")));
      try (var task = running(Shim.tested(), open("sh", "-c", MANY), Optional.empty())) {
        assertEquals(0, task.await("").getExitStatus());
        task.delete("");
      }
      assertFalse(start.isDone());
      other.disconnect(); // the call ends, and with it its runc
    }
  }

  @Test
  void anInitThatIsDeadButTracedCostsNothingAndItsEndIsToldWhenTheTracerLetsIt() {
    int status = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        int pid = task.state("").getPid();
        Path seized = BED.directory().resolve(Names.id("seized"));
        var tracer = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), java.util.Map.of()),
            List.of("perl", "-e", "syscall(" + (System.getProperty("os.arch").equals("amd64") ? 101 : 117)
                + ", 0x4206, " + pid + ", 0, 0) == 0 or die; mkdir \"" + seized + "\"; sleep 1000"));
        Await.until("it is traced", () -> Files.exists(seized));
        task.kill(ShimClient.KILL, "");
        Await.until("it is dead", () -> Proc.info(pid).orElseThrow().zombie());
        long before = ticks(task.connect().getShimPid());
        assertFalse(Await.within(Duration.ofSeconds(1), () -> Proc.info(pid).isEmpty()));
        long spent = ticks(task.connect().getShimPid()) - before;
        assertTrue(spent < CLOCK_TICKS / 4, () -> shim + " was busy for " + spent + " ticks of a second");
        assertEquals("RUNNING", task.state("").getStatus().toString());
        tracer.kill();
        int ended = task.await("").getExitStatus();
        task.delete("");
        return ended;
      }
    });
    assertEquals(137, status);
  }

  /** User and system time: fields 14 and 15 of proc_pid_stat(5). */
  private static long ticks(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The Go shims do not know crun's words for a container that is gone, and never delete it. */
  private static String withRunc(Function<Shim, String> scenario) {
    boolean known = OciRuntime.program().endsWith("runc");
    return known ? Differential.same(scenario) : scenario.apply(Shim.tested());
  }

  @Test
  void aSignalToWhatHasEndedAndIsNotReapedYetFindsNobody() {
    for (int i = 0; i < 5; i++) {
      String failure = withRunc(shim -> {
        try (var task = running(shim, "sleep", "1000")) {
          long shimPid = task.connect().getShimPid();
          Proc.signal(shimPid, "STOP");
          FutureTask<String> kill;
          try {
            BED.runc("delete", "--force", task.id());
            kill = aside(() -> ShimClient.failure(() -> task.kill(ShimClient.KILL, "")));
          } finally {
            Proc.signal(shimPid, "CONT");
          }
          String said = result(kill);
          task.end();
          return said.substring(0, 1) + said.contains("not found");
        }
      });
      assertEquals("5true", failure);
    }
  }

  /** As runsc does: its delete waits for the end of the gofer, which the runsc that has made it has left to us. */
  @Test
  void aRuntimeWhoseDeleteWaitsForAProcessThatItHasLeftToUsGetsThrough() {
    var runsc = FaultyRunc.make(BED.directory().resolve(Names.id("runsc")), List.of("create", "delete"),
        """
        case " $* " in *' create '*)
          $runc "$@" || exit
          init=$(cat "$pidfile")
          (while kill -0 $init; do sleep .02; done; sleep .1) < /dev/null > /dev/null 2>&1 &
          echo $! > "$0.gofer" ;;
        *) gofer=$(cat "$0.gofer") i=0
          while kill -0 $gofer 2> /dev/null; do
            i=$((i+1)); [ $i -lt 40 ] || { echo 'stopping container: context deadline exceeded'; exit 1; }
            sleep .1
          done
          exec $runc "$@" ;;
        esac""");
    var status = Differential.same(shim -> {
      try (var task = running(shim, BED.shims().bundle(Names.id("orphan"), "sleep", "1000"), runsc.options())) {
        task.kill(ShimClient.KILL, "");
        task.await("");
        return task.delete("").getExitStatus();
      }
    });
    assertEquals(137, status);
  }

  @Test
  void theDaemonReadsTheEndsOfItsChildrenFromADescriptor() throws Exception {
    Shim.assumeOurs("its threads block SIGCHLD");
    try (var task = running(Shim.tested(), "sleep", "1000")) {
      var files = Proc.files(task.connect().getShimPid());
      assertTrue(files.stream().anyMatch(file -> file.endsWith("anon_inode:[signalfd]")), files::toString);
      task.end();
    }
  }
}
