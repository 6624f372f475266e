package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Deadline;
import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loggers that are real programs, and processes whose output they take. */
class LoggerTest {
  private static final LogContext CONTEXT = new LogContext("web-1", "ns");
  private static final ProcessIo.Owner ROOT = new ProcessIo.Owner(0, 0);

  @TempDir Path temp;
  private Set<Integer> children;
  private long files;

  @BeforeEach
  void remember() throws IOException, InterruptedException {
    Children.claimed(); // loads what opens files for good
    children = Children.pids();
    files = openFiles();
  }

  @AfterEach
  void nothingStays() {
    await().untilAsserted(() -> assertEquals(children, Children.pids()));
    await().untilAsserted(() -> assertTrue(openFiles() <= files + 1, "the poller may have come"));
  }

  private static long openFiles() throws IOException, InterruptedException {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  private String logger(String body) throws IOException, InterruptedException {
    Path script = temp.resolve("logger");
    Files.writeString(script, "#!/bin/sh\ncd " + temp + "\n" + body + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    return "binary://" + script;
  }

  private static ProcessIo open(String stdout) throws IOException, InterruptedException {
    return ProcessIo.open("io/test", new StdioPaths("", stdout, "ignored", false), ROOT, CONTEXT);
  }

  private static Child run(ProcessIo io, String script) throws IOException, InterruptedException {
    Child child = Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", script), List.of(), Path.of("/"), io.childFds()));
    io.started();
    return child;
  }

  @Test
  void aLoggerGetsBothOutputsItsArgumentsAndItsTwoVariables() throws Exception {
    String uri = logger("printf '%s\\n' \"$@\" > args; env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD | sort > env\n"
        + "cat <&4 > err 5>&- & exec 5>&-; cat <&3 > out; wait");
    try (ProcessIo io = open(uri + "?tag=a%20b&empty&tag=second&x=y")) {
      assertEquals(0, run(io, "read nothing; echo out; echo err >&2").await());
      await().untilAsserted(() -> assertEquals("out\n", Files.readString(temp.resolve("out"))));
    }
    assertEquals("err\n", Files.readString(temp.resolve("err")));
    assertEquals("tag\na b\nempty\n\nx\ny\n", Files.readString(temp.resolve("args")));
    assertEquals("CONTAINER_ID=web-1\nCONTAINER_NAMESPACE=ns\n", Files.readString(temp.resolve("env")));
  }

  @Test
  void aByteMakesItReadyToo() throws Exception {
    try (ProcessIo io = open(logger("printf x >&5; cat <&3 > out"))) {
      assertEquals(0, run(io, "echo hello").await());
      Path out = temp.resolve("out");
      await().until(() -> Files.exists(out) && Files.readString(out).equals("hello\n"));
    }
  }

  @Test
  void outputIsNotLostWhenTheLoggerIsSlowerThanTheProcess() throws Exception {
    try (ProcessIo io = open(logger("exec 5>&-; cat <&3 > out"))) {
      assertEquals(0, run(io, "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done").await());
    }
    assertEquals(5000, Files.readAllLines(temp.resolve("out")).size());
  }

  @Test
  void aLoggerThatDoesNotEndIsTerminated() throws Exception {
    try (ProcessIo io = open(logger("trap 'echo term > how; exit' TERM; exec 5>&-; while :; do sleep 0.05; done"))) {
      assertEquals(0, run(io, "true").await());
    }
    assertEquals("term\n", Files.readString(temp.resolve("how")));
  }

  @Test
  void aLoggerThatDiesEarlyHangsNobody() throws Exception {
    try (ProcessIo io = open(logger("exit 3"))) {
      try (Child child = run(io, "echo nobody reads; exit 0")) {
        assertTrue(child.await(Duration.ofSeconds(20)).isPresent());
      }
      assertTrue(io.awaitDrained(Deadline.in(Duration.ofSeconds(1))));
    }
  }

  @Test
  void aLoggerThatDiesEarlyIsReapedBeforeTheProcessIsDeleted() throws Exception {
    try (ProcessIo io = open(logger("exec 5>&-; exit 3"))) {
      try (Child child = run(io, "while echo line; do sleep 0.01; done")) {
        assertEquals(Child.SIGNAL_BASE + 13, child.await(), "nobody reads any more: SIGPIPE");
        await().untilAsserted(() -> assertEquals(children, Children.pids()));
      }
    }
  }

  @Test
  void oneThatIgnoresTheTermIsKilledInTheEnd() throws Exception {
    long begin = System.nanoTime();
    try (ProcessIo io = open(logger("trap '' TERM; echo $$ > pid; exec 5>&-; exec sleep 1000"))) {
      assertEquals(0, run(io, "true").await());
    }
    assertTrue(Duration.ofNanos(System.nanoTime() - begin).compareTo(Logger.TERM_WAIT_MAX) > 0);
    assertFalse(Files.exists(Path.of("/proc", Files.readString(temp.resolve("pid")).strip())));
  }

  @Test
  void aWaitForOneThatIsNeverReadyCanBeInterruptedAndEndsIt() throws Exception {
    String uri = logger("echo $$ > pid; exec sleep 1000");
    var result = new CompletableFuture<Class<?>>();
    Thread opening = Threads.start("opening", () -> {
      try {
        open(uri).close();
        result.complete(Void.class);
      } catch (IOException | InterruptedException | RuntimeException e) {
        result.complete(e.getClass());
      }
    });
    await().until(() -> Files.exists(temp.resolve("pid")));
    opening.interrupt();
    assertEquals(InterruptedException.class, result.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aLoggerHasTheDescriptorsZeroToFiveOnly() throws Exception {
    Path seen = temp.resolve("seen");
    String uri = logger("(ls -l /proc/$$/fd) > seen; exec 5>&-; cat <&3");
    try (ProcessIo io = open(uri)) {
      assertEquals(0, run(io, "true").await());
    }
    var targets = new StringBuilder();
    for (String line : Files.readAllLines(seen)) {
      int arrow = line.indexOf(" -> ");
      String number = arrow < 0 ? "10" : line.substring(line.lastIndexOf(' ', arrow - 1) + 1, arrow);
      if (number.length() == 1) { // the shell keeps its script at 10
        targets.append(number).append(line, arrow + 3, line.length()).append('\n');
      }
    }
    assertEquals("0 /dev/null\n1 /dev/null\n2 /dev/null\n3 pipe:\n4 pipe:\n5 pipe:\n",
        targets.toString().replaceAll("\\[\\d+]", ""));
  }

  @Test
  void aProgramThatCannotBeStartedIsNamed() {
    var e = assertThrows(IOException.class, () -> open("binary:///no/such/logger"));
    assertEquals(
        "failed to start binary process: fork/exec /no/such/logger: no such file or directory", e.getMessage());
  }
}
