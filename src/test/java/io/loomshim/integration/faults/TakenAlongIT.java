package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.json.Json;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.types.Mount;
import io.loomshim.ttrpc.Peer;
import io.loomshim.ttrpc.Redo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a daemon that was killed had in hand, each thing by name: the next one goes on with it. */
final class TakenAlongIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Map<String, String> SETTINGS = Map.of("take_over", "true");
  private static final String MEMORY = "{\"memory\":{\"limit\":16777216,\"swap\":16777216}}";

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  private static OwnDaemon daemon() {
    return new OwnDaemon(BED.rootfs(), SETTINGS);
  }

  private static Exec cat(Path fifo) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("cat", fifo.toString()));
  }

  private static boolean runs(String commandLine) {
    return Proc.all().values().stream().anyMatch(info -> info.commandLine().equals(commandLine) && !info.zombie());
  }

  private static List<EventSink.Seen> events(OwnDaemon own, ShimClient task) {
    return own.shims().sink().of(own.shims().namespace(), task.id());
  }

  private static List<String> topics(OwnDaemon own, ShimClient task) {
    return events(own, task).stream().map(seen -> seen.topic().substring("/tasks/".length())).toList();
  }

  /** The same, without what came again: a daemon may be killed before it knows that containerd has an event. */
  private static List<String> once(OwnDaemon own, ShimClient task) {
    return topics(own, task).stream().distinct().toList();
  }

  private static long outOfMemory(OwnDaemon own, ShimClient task) {
    return topics(own, task).stream().filter("oom"::equals).count();
  }

  private static String numbers(int count) {
    var text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(i).append('\n');
    }
    return text.toString();
  }

  private static String counting(int count) {
    return "i=0; while [ $i -lt " + count + " ]; do echo $i; i=$((i + 1)); done";
  }

  private static Path script(Path path, String text) throws IOException {
    Files.writeString(path, "#!/bin/sh\n" + text);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    return path;
  }

  @Test
  void ofATerminalThatNobodyReadsNoByteIsLost() throws Exception {
    Path out = Bundle.fifo(BED.directory().resolve("tty-out"));
    var reader = cat(out);
    try (var own = daemon(); var task = own.open(
        own.shims().bundle(Names.id("tty"), "sh", "-c", "stty raw; " + counting(100000)).withTerminal())) {
      int pid = task.create(r -> r.setTerminal(true).setStdout(out.toString()));
      Proc.signal(reader.pid(), "STOP");
      task.start();
      Await.until("it waits for its terminal", () -> Proc.waits(pid).stream().anyMatch(l -> l.contains("n_tty_write")));
      own.kill();
      Proc.signal(reader.pid(), "CONT");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals(numbers(100000), reader.await(Ctr.LIMIT).ok().text());
    }
  }

  @Test
  void whatIsTypedWhileThereIsNoDaemonArrivesOnce() throws Exception {
    Path in = Bundle.fifo(BED.directory().resolve("typed-in"));
    Path out = Bundle.fifo(BED.directory().resolve("typed-out"));
    var reader = cat(out);
    try (var own = daemon(); var task = own.open(own.shims().bundle(Names.id("typed"), "sh", "-c",
        "stty raw -echo; echo ready; exec head -c 30000").withTerminal())) {
      task.create(r -> r.setTerminal(true).setStdin(in.toString()).setStdout(out.toString()));
      task.start();
      Await.until("it is ready", () -> reader.output().endsWith("ready\n"));
      var writer = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of(), Exec.Setting.PIPE),
          List.of("sh", "-c", "exec cat > " + in));
      String text = numbers(7000).substring(0, 30000);
      var typed = Await.meanwhile(() -> {
        writer.feed(text.getBytes());
        return writer.await(Ctr.LIMIT).ok();
      });
      own.kill();
      typed.get(60, TimeUnit.SECONDS);
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals("ready\n" + text, reader.await(Ctr.LIMIT).ok().text());
    }
  }

  @Test
  void aStdinThatIsOpenStaysOpenAndOneThatWasClosedBeforeTheStartStaysClosed() throws Exception {
    Path in = Bundle.fifo(BED.directory().resolve("stdin"));
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      task.exec("open", r -> r.setStdin(in.toString()), "cat");
      task.start("open");
      task.exec("closed", r -> r.setStdin(in.toString()), "cat");
      task.closeIo("closed");
      own.kill();
      task.start("closed");
      task.closeIo("open");
      assertEquals(0, task.await("open").getExitStatus());
      assertEquals(0, task.await("closed").getExitStatus());
    }
  }

  @Test
  void aStreamToAFileHasEachByteOnce() throws Exception {
    Path file = BED.directory().resolve("stream-file");
    try (var own = daemon(); var task = own.open("sh", "-c", counting(300000))) {
      task.create(r -> r.setStdout("file://" + file));
      task.start();
      for (long size : new long[] {50_000, 500_000}) {
        Await.until("it writes", () -> file.toFile().length() > size);
        own.kill();
        assertEquals(task.id(), task.state("").getId());
      }
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals(numbers(300000), Files.readString(file));
    }
  }

  @Test
  void aFileAsStdinIsReadOnce() throws Exception {
    Path in = Files.writeString(BED.directory().resolve("stdin-file"), numbers(300000));
    Path out = Bundle.fifo(BED.directory().resolve("stdin-file-out"));
    var reader = cat(out);
    try (var own = daemon(); var task = own.open("sh", "-c", "while read line; do echo $line; done")) {
      task.create(r -> r.setStdin(in.toString()).setStdout(out.toString()));
      task.start();
      Await.until("it reads", () -> reader.output().length() > 100_000);
      own.kill();
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals(numbers(300000), reader.await(Ctr.LIMIT).ok().text());
    }
  }

  @Test
  void theEndOfALoggerIsWaitedFor() throws Exception {
    Path directory = Files.createDirectories(BED.directory().resolve("logger"));
    Path program = script(directory.resolve("logger"), "trap '' TERM\ncd " + directory
        + "\n/bin/cat <&3 > out 5>&- &\nexec 5>&-; wait; /bin/sleep 1; echo done > end\n");
    try (var own = daemon(); var task = own.open("sh", "-c", "echo one; while [ ! -e /proc/1/root/run/go ]; do "
        + "sleep 0.05; done; echo two")) {
      int pid = task.create(r -> r.setStdout("binary://" + program).setStderr("binary://" + program));
      task.start();
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      Files.writeString(Path.of("/proc/" + pid + "/root/run/go"), "");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals("done\n", Files.readString(directory.resolve("end")));
      assertEquals("one\ntwo\n", Files.readString(directory.resolve("out")));
    }
  }

  @Test
  void aMountHelperUnderWayMountsNothingAfterItsCreateWasUndone() throws Exception {
    Path helper = script(Install.get().bin().resolve("mount.fuse3"), "sleep 4714\nmount --bind \"$1\" \"$2\"\n");
    try (var own = daemon(); var task = own.running("sleep", "1000");
        var late = own.open(own.shims().bundleOn("rootfs", Names.id("fuse"), "true"))) {
      var mount = Mount.newBuilder().setType("fuse3.mine").setSource(BED.rootfs().toString()).build();
      var creation = Await.meanwhile(() -> ShimClient.failure(() -> late.create(r -> r.addRootfs(mount))));
      Await.until("the helper runs", () -> runs("sleep 4714"));
      own.kill();
      assertEquals("14 " + Redo.IN_DOUBT, creation.get(60, TimeUnit.SECONDS));
      assertFalse(runs("sleep 4714"));
      assertEquals(List.of(), Mounts.below(late.bundle().path().toString()));
      assertEquals("RUNNING", task.state("").getStatus().name());
    } finally {
      Files.delete(helper);
    }
  }

  @Test
  void killsForWantOfMemoryAreToldOnce() throws Exception {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      task.update(MEMORY);
      int kills = 0;
      for (String exec : List.of("before", "after")) {
        task.exec(exec, "tail", "/dev/zero");
        task.start(exec);
        assertEquals(137, task.await(exec).getExitStatus());
        kills++;
        int told = kills;
        Await.until("it is told", () -> outOfMemory(own, task) == told);
        own.kill();
      }
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.end();
      Await.until("the end is told", () -> topics(own, task).contains("delete"));
      assertEquals(kills, outOfMemory(own, task), topics(own, task)::toString);
    }
  }

  @Test
  void aPausedContainerStaysPaused() {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      task.pause();
      own.kill();
      assertEquals("PAUSED", task.state("").getStatus().name());
      task.resume();
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.end();
    }
  }

  @Test
  void aPauseThatWasDoneIsToldAndAnswered() throws Exception {
    var slowly = FaultyRunc.options(BED.directory(), "pause", "\"$runc\" \"$@\"; touch \"$0.done\"; sleep 2");
    try (var own = daemon(); var task = own.open("sleep", "1000")) {
      task.create(r -> r.setOptions(slowly.orElseThrow()));
      task.start();
      var pause = Await.meanwhile(() -> ShimClient.failure(task::pause));
      Await.until("it is paused", () -> task.state("").getStatus().name().startsWith("PAUS")
          && Stream.of(BED.directory().toFile().list()).anyMatch(name -> name.endsWith(".done")));
      own.kill();
      assertEquals("no error: ", pause.get(60, TimeUnit.SECONDS));
      assertEquals("PAUSED", task.state("").getStatus().name());
      task.resume();
      task.end();
      Await.until("the end is told", () -> topics(own, task).contains("delete"));
      assertEquals(List.of("create", "start", "paused", "resumed", "exit", "delete"), once(own, task));
    }
  }

  @Test
  void theTreeOfAnExecEndsWithIt() {
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("take_over", "true", "kill_exec_tree", "true"));
        var task = own.running("sleep", "1000")) {
      task.exec("tree", "sh", "-c", "setsid sleep 4715 & exec sleep 1000");
      task.start("tree");
      Await.until("it has started another", () -> runs("sleep 4715"));
      own.kill();
      task.kill(ShimClient.KILL, "tree");
      assertEquals(137, task.await("tree").getExitStatus());
      assertFalse(runs("sleep 4715"));
      task.end();
    }
  }

  @Test
  void orphansEndWithTheirContainer() throws Exception {
    try (var own = daemon();
        var task = own.open(withoutPids(own.shims().bundle(Names.id("orphans"), "sh", "-c",
            "(setsid sleep 4716 &); exec sleep 1000")))) {
      task.create();
      task.start();
      Await.until("there is an orphan", () -> runs("sleep 4716"));
      own.kill();
      task.kill(ShimClient.KILL, "");
      assertEquals(137, task.await("").getExitStatus());
      Await.until("it has ended too", () -> !runs("sleep 4716"));
      task.delete("");
    }
  }

  private static Bundle withoutPids(Bundle bundle) throws IOException {
    Path config = bundle.path().resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("{\"type\": \"pid\"}, ", ""));
    return bundle;
  }

  /** The status stands nowhere but in the daemon while what the init has left is killed. */
  @Test
  void anEndThatWasSeenAndNotToldKeepsItsStatus() throws Exception {
    var slowly = FaultyRunc.make(BED.directory(), "kill", "touch \"$0.begun\"; sleep 3; exec $runc \"$@\"");
    try (var own = daemon();
        var task = own.open(withoutPids(own.shims().bundle(Names.id("seen"), "sh", "-c", "exit 7")))) {
      task.create(r -> r.setOptions(slowly.options().orElseThrow()));
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      task.start();
      Await.until("the end has been seen", () -> Files.exists(slowly.beside("begun")));
      own.kill();
      assertEquals(7, wait.get(60, TimeUnit.SECONDS));
      task.delete("");
    }
  }

  @Test
  void eventsThatContainerdHasNotTakenAreDeliveredByTheNextDaemon() {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      own.shims().sink().until(own.shims().namespace(), task.id(), "/tasks/start");
      own.shims().sink().close();
      task.exec("probe", "sh", "-c", "exit 5");
      task.start("probe");
      assertEquals(5, task.await("probe").getExitStatus());
      own.kill();
      task.end();
      own.shims().sink().reopen();
      Await.until("all has been told", () -> topics(own, task).contains("delete"));
      assertEquals(List.of("create", "start", "exec-added", "exec-started", "exit", "exit", "delete"),
          topics(own, task));
    }
  }

  @Test
  void connectPidsStatsAndInspectTellOfTheNextDaemon() {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      task.exec("probe", "sleep", "1000");
      int probe = task.start("probe");
      long first = own.current();
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertNotEquals(first, own.current());
      assertEquals(own.current(), task.connect().getShimPid());
      var found = task.pids().getProcessesList().stream().filter(process -> process.getPid() == probe).toList();
      assertTrue(found.getFirst().getInfo().getValue().toStringUtf8().contains("probe"));
      assertEquals(2, task.pids().getProcessesCount());
      assertTrue(task.stats().getValue().size() > 10);
      var tookOver = Json.object(Inspect.report(own.current()).get("took_over")).orElseThrow();
      assertEquals(1, Inspect.number(tookOver, "count"));
      assertEquals(first, Inspect.number(tookOver, "from_pid"));
      assertTrue(tookOver.get("at").toString().startsWith("20"), tookOver::toString);
    }
  }

  @Test
  void anExecWhoseRuncWasStillRunningIsUndoneAndLeavesNothing() throws Exception {
    var slowly = FaultyRunc.make(BED.directory(), "exec", "$runc \"$@\"; touch \"$0.done\"; sleep 0.5");
    try (var own = daemon(); var task = own.open("sleep", "1000")) {
      task.create(r -> r.setOptions(slowly.options().orElseThrow()));
      task.start();
      task.exec("probe", "sleep", "4717");
      List<String> before = files(task.bundle().path());
      var start = Await.meanwhile(() -> ShimClient.failure(() -> task.start("probe")));
      Await.until("the process runs", () -> Files.exists(slowly.beside("done")));
      own.kill();
      assertEquals("14 " + Redo.IN_DOUBT, start.get(60, TimeUnit.SECONDS));
      Await.until("it has been ended", () -> !runs("sleep 4717"));
      Await.until("its files are gone", () -> files(task.bundle().path()).equals(before));
      slowly.mend();
      task.start("probe");
      task.kill(ShimClient.KILL, "probe");
      assertEquals(137, task.await("probe").getExitStatus());
      task.end();
    }
  }

  private static List<String> files(Path directory) {
    return Stream.of(directory.toFile().list()).sorted().toList();
  }

  /** The first half of the request is in the daemon that is killed, the second half in the client. */
  @Test
  void aRequestThatWasReadInPartIsServed() throws Exception {
    try (var own = daemon(); var task = own.running("sleep", "1000"); var peer = RawPeer.connect(task.socket())) {
      var request = ExecProcessRequest.newBuilder().setId(task.id()).setExecId("large")
          .setSpec(Requests.process("true", "x".repeat(100_000))).build();
      byte[] data = RawPeer.request("Exec", request.toByteString());
      peer.bytes(Peer.headerOf(data.length, 1, 1));
      peer.bytes(Arrays.copyOf(data, data.length / 2));
      Await.until("it has been taken out of the socket", () -> Proc.files(own.current()).stream()
          .anyMatch(file -> file.contains("memfd:loomshim ")));
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      own.kill();
      peer.bytes(Arrays.copyOfRange(data, data.length / 2, data.length));
      assertEquals("", peer.receive().getStatus().getMessage());
      task.start("large");
      assertEquals(0, task.await("large").getExitStatus());
      task.end();
    }
  }

  @Test
  void aPeerThatGoesWithinAFrameIsForgotten() throws Exception {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      long before = connections(own);
      try (var peer = RawPeer.connect(task.socket())) {
        peer.begin(1000, 10);
        Await.until("it is connected", () -> connections(own) > before);
      }
      Await.until("it is forgotten", () -> connections(own) == before);
    }
  }

  private static long connections(OwnDaemon own) {
    return Proc.files(own.current()).stream().filter(file -> file.contains("socket:[") && file.contains(".sock"))
        .count();
  }
}
