package io.loomshim.integration.faults;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Defects that the Go shim has or had, asked of ours; the numbers are those of docs/DEFECTS.md. */
@Timeout(120)
final class DefectsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final Duration SOON = Await.seconds(20);

  @BeforeAll
  static void warm() {
    Shim.assumeOurs("these are defects of the Go shim");
    try (var task = running("true")) {
      task.await("");
      threads(daemon(task)); // opens a socket in the daemon that stays
    }
  }

  private static ShimClient opened(Optional<Any> options, String... command) {
    return BED.shims().start(SHIM, BED.shims().bundle(Names.id("defect"), command), options);
  }

  private static ShimClient created(Optional<Any> options, String... command) {
    var task = opened(options, command);
    task.create(request -> {
      options.ifPresent(request::setOptions);
      return request;
    });
    return task;
  }

  private static ShimClient running(String... command) {
    var task = created(Optional.empty(), command);
    task.start();
    return task;
  }

  /** Runs {@code work} beside the test, on a thread that nobody else needs. */
  private static <T> CompletableFuture<T> beside(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, run -> Thread.ofVirtual().start(run));
  }

  private static long daemon(ShimClient task) {
    return task.shimPid();
  }

  private static Exec program(String... command) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(command));
  }

  private static Path fifo(String name) {
    return Bundle.fifo(BED.directory().resolve(Names.id(name)));
  }

  private static List<String> events(ShimClient task) {
    return BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete").stream()
        .map(e -> e.topic() + " " + e.process().replace(task.id(), "ID") + " " + e.status()).toList();
  }

  private static void within(Duration limit, Runnable work) {
    Instant before = Instant.now();
    work.run();
    var took = Duration.between(before, Instant.now());
    assertTrue(took.compareTo(limit) < 0, () -> "it took " + took);
  }

  /** Defect 1. */
  @Test
  void aStartThatWaitsForAReaderDelaysNoExit() throws Exception {
    Path out = fifo("unread");
    try (var task = running("sleep", "1000"); var other = opened(Optional.empty(), "sh", "-c", "exit 3")) {
      task.exec("slow", r -> r.setStdout(out.toString()).setStderr(out.toString()), "true");
      task.exec("quick", "sh", "-c", "exit 4");
      var start = beside(() -> failure(() -> task.start("slow")));
      within(SOON, () -> {
        other.create();
        other.start();
        assertEquals(3, other.await("").getExitStatus());
        task.start("quick");
        assertEquals(4, task.await("quick").getExitStatus());
      });
      within(Duration.ofSeconds(8), () -> {
        task.kill(ShimClient.KILL, "");
        assertEquals(137, task.await("").getExitStatus());
      });
      assertFalse(start.isDone());
      var reader = program("cat", out.toString());
      assertEquals("9 container " + task.id() + " init process is not running: failed precondition",
          start.get(SOON.toSeconds(), TimeUnit.SECONDS));
      assertEquals("", reader.await(SOON).text());
    }
    Files.delete(out);
  }

  /** Defect 1, for Create. */
  @Test
  void aCreateThatWaitsForAReaderDelaysNobodyElse() throws Exception {
    Path out = fifo("unread");
    try (var slow = opened(Optional.empty(), "echo", "hi"); var other = running("sh", "-c", "exit 3")) {
      var create = beside(
          () -> slow.create(r -> r.setStdout(out.toString()).setStderr(out.toString())));
      within(SOON, () -> {
        assertEquals(3, other.await("").getExitStatus());
        assertEquals(3, other.delete("").getExitStatus());
        assertEquals("5 container not created: not found", failure(() -> slow.state("")));
      });
      assertFalse(create.isDone());
      var reader = program("cat", out.toString());
      assertTrue(create.get(SOON.toSeconds(), TimeUnit.SECONDS) > 0);
      slow.start();
      assertEquals(0, slow.await("").getExitStatus());
      slow.delete("");
      assertEquals("hi\n", reader.await(SOON).text());
    }
    Files.delete(out);
  }

  /** Defects 2 and 48: neither a deadlock, nor a cgroup that is none. */
  @Test
  void anInitThatDiesWhileItIsCreatedIsToldAsAnyOther() {
    var options = FaultyRunc.options(BED.directory(), "create",
        "runc \"$@\" || exit; read -r pid < \"$pidfile\" || :; kill -9 \"$pid\"");
    try (var task = created(options, "sleep", "1000")) {
      assertEquals(137, task.await("").getExitStatus());
      assertEquals(1, task.pids().getProcessesCount()); // the init, as of any container that has ended
      assertFalse(failure(() -> task.stats()).startsWith("2 "));
      assertEquals("2 cannot start a stopped process", failure(() -> task.start()));
      assertEquals(137, task.delete("").getExitStatus());
      assertEquals(List.of("/tasks/create  -1", "/tasks/exit ID 137", "/tasks/delete  137"), events(task));
    }
  }

  /** Defect 6. */
  @Test
  void withoutAPidNamespaceOfItsOwnAnExecIsEndedAndToldBeforeTheInit() {
    String id = Names.id("shared");
    String config = Bundle.config(BED.rootfs().toString(), "/" + BED.shims().namespace() + "/" + id, "sleep", "1000")
        .replace("{\"type\": \"pid\"}, ", "");
    try (var task = BED.shims().start(SHIM, Bundle.create(BED.directory(), id, config))) {
      task.create();
      task.start();
      task.exec("child", "sleep", "1000");
      int pid = task.start("child");
      assertEquals(137, task.end());
      assertFalse(Proc.alive(pid));
      var exits = events(task).stream().filter(e -> e.startsWith("/tasks/exit")).toList();
      assertEquals(List.of("/tasks/exit child 137", "/tasks/exit ID 137"), exits);
    }
  }

  /** Defect 8. */
  @Test
  void shutdownAtAnyMomentDisturbsNoContainer() throws Exception {
    try (var caller = running("sleep", "1000")) {
      var done = new AtomicBoolean();
      var shutdowns = beside(() -> {
        int count = 0;
        while (!done.get()) {
          caller.shutdown();
          count++;
        }
        return count;
      });
      for (int i = 0; i < 5; i++) {
        try (var task = running("sh", "-c", "exit 3")) {
          assertEquals(3, task.await("").getExitStatus());
          assertEquals(3, task.delete("").getExitStatus());
        }
      }
      done.set(true);
      assertTrue(shutdowns.get(SOON.toSeconds(), TimeUnit.SECONDS) > 0);
      assertEquals("RUNNING", caller.state("").getStatus().toString());
    }
  }

  /** Defect 10. */
  @Test
  void ofAnExecWhoseStartFailsWhenItRunsAlreadyNothingIsLeft() {
    var options = FaultyRunc.options(BED.directory(), "exec", "runc \"$@\"; exit 1");
    try (var task = created(options, "sleep", "1000")) {
      task.start();
      task.exec("stray", "sleep", "1000");
      assertTrue(failure(() -> task.start("stray")).startsWith("2 OCI runtime exec failed: "));
      Await.until("the stray is gone", () -> task.pids().getProcessesCount() == 1);
      assertEquals("CREATED", task.state("stray").getStatus().toString());
      assertEquals(0, task.delete("stray").getExitStatus());
      assertEquals(137, task.end());
      assertFalse(events(task).toString().contains("exit stray"));
    }
  }

  /** Defect 12: an exec that has ended is never told again, whatever becomes of its pid. */
  @Test
  void theExitOfAnExecThatNobodyDeletesIsToldOnce() {
    try (var task = running("sleep", "1000")) {
      for (int i = 0; i < 20; i++) {
        String exec = "e" + i;
        task.exec(exec, "true");
        task.start(exec);
        task.await(exec);
      }
      assertEquals(137, task.end());
      var events = events(task);
      for (int i = 0; i < 20; i++) {
        String exit = "/tasks/exit e" + i + " 0";
        assertEquals(1, events.stream().filter(exit::equals).count(), events::toString);
      }
    }
  }

  /** Defect 14. */
  @Test
  void theThreadOfAWaitEndsWhenItsCallerGoes() throws Exception {
    try (var task = running("sleep", "1000")) {
      String thread = "rpc/Wait/" + task.id();
      try (var other = Client.connect(task.socket(), SOON)) {
        var request = WaitRequest.newBuilder().setId(task.id()).build();
        var waiting = beside(() -> assertThrows(IOException.class,
            () -> other.call(task.service(), "Wait", request, WaitResponse.parser(), Duration.ZERO, Map.of())));
        Await.until("a thread waits", () -> threads(daemon(task)).contains(thread));
        other.close();
        waiting.get(SOON.toSeconds(), TimeUnit.SECONDS);
      }
      Await.until("the thread has ended", () -> !threads(daemon(task)).contains(thread));
    }
  }

  /** All threads of a JVM, virtual ones too. */
  private static String threads(long pid) {
    try {
      Path dump = BED.directory().resolve("threads");
      Files.deleteIfExists(dump);
      String jdk = System.getProperty("loomshim.jdk", System.getProperty("java.home"));
      program(jdk + "/bin/jcmd", Long.toString(pid), "Thread.dump_to_file", dump.toString()).await(SOON).ok();
      return Files.readString(dump);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Defect 16. */
  @Test
  void questionsAreAnsweredAtAnyMomentOfALife() throws Exception {
    try (var task = opened(Optional.empty(), "sh", "-c", "exit 3")) {
      Set<String> strange = new ConcurrentSkipListSet<>();
      var done = new AtomicBoolean();
      List<Runnable> questions = List.of(task::connect, () -> task.state(""), task::pids, task::stats);
      var askers = new ArrayList<CompletableFuture<String>>();
      for (Runnable question : questions) {
        askers.add(beside(() -> {
          while (!done.get()) {
            String answer = failure(question);
            if (!answer.equals("no error: ") && !answer.startsWith("5 ")) {
              strange.add(answer);
            }
          }
          return "";
        }));
      }
      for (int i = 0; i < 5; i++) {
        task.create();
        task.start();
        assertEquals(3, task.await("").getExitStatus());
        assertEquals(3, task.delete("").getExitStatus());
      }
      done.set(true);
      for (var asker : askers) {
        asker.get(SOON.toSeconds(), TimeUnit.SECONDS);
      }
      assertEquals(Set.of(), strange);
    }
  }

  /** Defect 17: without pipes of its own a process has written into the client's fifo. */
  @Test
  void whatAnEndedProcessHasWrittenWaitsForItsReader() throws Exception {
    Path out = fifo("late");
    Path go = BED.directory().resolve(Names.id("go"));
    var reader = program("sh", "-c",
        "exec < " + out + "; while [ ! -e " + go + " ]; do sleep 0.1; done; exec wc -c");
    try (var task = opened(Optional.empty(), "head", "-c", "60000", "/bin/busybox")) {
      task.create(r -> r.setStdout(out.toString()).setStderr(out.toString()));
      task.start();
      task.await("");
      task.delete("");
      Files.createFile(go);
      assertEquals("60000", reader.await(SOON).text().strip());
    }
    Files.delete(go);
    Files.delete(out);
  }

  /** Defect 17: with pipes, more than all of them hold. */
  @Test
  void deleteWaitsForAReaderThatIsSlow() throws Exception {
    Path out = fifo("slow");
    Path go = BED.directory().resolve(Names.id("go"));
    var reader = program("sh", "-c",
        "exec < " + out + "; while [ ! -e " + go + " ]; do sleep 0.1; done; exec wc -c");
    var options = Optional.of(Shims.any("containerd.runc.v1.Options", Options.newBuilder().setIoUid(1).build()));
    try (var task = opened(options, "head", "-c", "120000", "/bin/busybox")) {
      task.create(r -> r.setStdout(out.toString()).setStderr(out.toString()).setOptions(options.get()));
      task.start();
      assertEquals(0, task.await("").getExitStatus());
      var delete = beside(() -> task.delete(""));
      assertThrows(TimeoutException.class, () -> delete.get(3, TimeUnit.SECONDS)); // the Go shim gives up after 2 s
      Files.createFile(go);
      delete.get(SOON.toSeconds(), TimeUnit.SECONDS);
      assertEquals("120000", reader.await(SOON).text().strip());
    }
    Files.delete(go);
    Files.delete(out);
  }

  /** Defect 18: fifos, pipes and a logger, each of a container that does not come to be. */
  @Test
  void ofFailedCreationsNoDescriptorAndNoLoggerStays() throws Exception {
    Path out = fifo("never");
    Path logger = BED.directory().resolve(Names.id("logger"));
    Files.writeString(logger, "#!/bin/sh\nexec 5>&-\nexec cat <&3\n");
    assertTrue(logger.toFile().setExecutable(true));
    var options = Shims.any("containerd.runc.v1.Options", Options.newBuilder().setIoUid(1).build());
    try (var task = opened(Optional.empty(), "no-such-program")) {
      long daemon = daemon(task);
      int before = Proc.files(daemon).size();
      for (int i = 0; i < 5; i++) {
        var reader = program("cat", out.toString());
        assertTrue(failure(() -> task.create(r -> r.setStdout(out.toString()).setStderr(out.toString())
            .setOptions(options))).startsWith("2 OCI runtime create failed"));
        reader.await(SOON).ok();
        assertTrue(failure(() -> task.create(r -> r.setStdout("binary://" + logger).setStderr("binary://" + logger)))
            .startsWith("2 OCI runtime create failed"));
      }
      Await.until("the descriptors are closed", () -> Proc.files(daemon).size() <= before + 1); // bundle's log
      Await.until("the loggers have ended", () -> Proc.all().values().stream().noneMatch(p -> p.parent() == daemon));
    }
    Files.delete(out);
  }

  /** Defect 20. */
  @Test
  void aTerminalMayWriteToALogger() throws Exception {
    Path written = BED.directory().resolve(Names.id("written"));
    Path logger = BED.directory().resolve(Names.id("logger"));
    Files.writeString(logger, "#!/bin/sh\nexec 5>&-\nexec cat <&3 >" + written + "\n");
    assertTrue(logger.toFile().setExecutable(true));
    var bundle = BED.shims().bundle(Names.id("defect"), "echo", "hi").withTerminal();
    try (var task = BED.shims().start(SHIM, bundle)) {
      task.create(r -> r.setTerminal(true).setStdout("binary://" + logger));
      task.start();
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      Await.until("it is written", () -> written.toFile().length() == 4);
      assertEquals("hi\r\n", Files.readString(written));
    }
  }

  /** Defect 24. */
  @Test
  void anOutputMayBeNamedAsAFifoByItsScheme() throws Exception {
    Path out = fifo("scheme");
    var reader = program("cat", out.toString());
    try (var task = opened(Optional.empty(), "echo", "hi")) {
      task.create(r -> r.setStdout("fifo://" + out).setStderr("fifo://" + out));
      task.start();
      task.await("");
      task.delete("");
      assertEquals("hi\n", reader.await(SOON).text());
    }
    Files.delete(out);
  }

  /** Defect 25. */
  @Test
  void aRuntimeThatHandsNoTerminalOverIsNotWaitedForWithoutEnd() throws Exception {
    Path out = fifo("terminal");
    for (String fault : List.of("exit 0", "exit 1")) {
      var reader = program("cat", out.toString());
      var options = FaultyRunc.options(BED.directory(), "create", fault);
      try (var task = opened(options, "true")) {
        within(Await.seconds(5), () -> {
          String error = failure(() -> task.create(
              r -> r.setTerminal(true).setStdout(out.toString()).setOptions(options.get())));
          assertTrue(error.startsWith(fault.equals("exit 0") ? "2 failed to retrieve console master: "
              : "2 OCI runtime create failed: "), error);
        });
      }
      reader.await(SOON).ok();
    }
    Files.delete(out);
  }

  /** Defect 42: the streams of a container that is to be restored exist only in part. */
  @Test
  void aContainerToBeRestoredWithATerminalCanBeAskedAnything() {
    Path out = fifo("restored");
    var reader = program("cat", out.toString());
    try (var task = opened(Optional.empty(), "true")) {
      assertEquals(0, task.create(r -> r.setTerminal(true).setStdout(out.toString())
          .setCheckpoint(BED.directory().resolve("no-image").toString())));
      task.resize("", 80, 25);
      task.closeIo("");
      assertEquals("CREATED", task.state("").getStatus().toString());
      assertEquals("2 cannot exec in a created state", failure(() -> task.exec("x", "true")));
      assertTrue(failure(() -> task.start()).startsWith("2 OCI runtime restore failed"));
      task.delete("");
      reader.await(SOON).ok();
      out.toFile().delete();
    }
  }

  /** Defect 44; Exec has its own test in ExecIT. */
  @Test
  void anUpdateWithoutResourcesIsAnInvalidArgument() {
    try (var task = running("sleep", "1000")) {
      var request = UpdateTaskRequest.newBuilder().setId(task.id()).build();
      assertEquals("3 resources are missing: invalid argument",
          failure(() -> task.call(task.service(), "Update", request, Empty.parser())));
    }
  }

  /** Defect 58. */
  @Test
  void ofACreationThatFailsAfterRuncHasSucceededNothingIsLeft() {
    var options = FaultyRunc.options(BED.directory(), "create", "runc \"$@\" && rm -f \"$pidfile\"");
    try (var task = opened(options, "sleep", "1000")) {
      String error = failure(() -> task.create(r -> r.setOptions(options.get())));
      assertTrue(error.startsWith("2 failed to retrieve OCI runtime container pid: "), error);
      assertFalse(Names.RUNC_ROOT.resolve(BED.shims().namespace()).resolve(task.id()).toFile().exists());
      assertEquals("5 container not created: not found", failure(() -> task.state("")));
      long daemon = daemon(task);
      Await.until("the zombie is reaped", () -> Proc.all().values().stream()
          .noneMatch(process -> process.parent() == daemon && process.zombie()));
    }
  }
}
