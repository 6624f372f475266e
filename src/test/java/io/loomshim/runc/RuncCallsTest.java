package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RuncCallsTest {
  @TempDir Path dir;

  private final RuncCalls calls = new RuncCalls();

  private List<RuncCalls.Running> running(String container) {
    return calls.running().stream().filter(running -> running.container().equals(container)).toList();
  }

  private String usage(String command) {
    return calls.usage().stream().filter(usage -> usage.command().equals(command))
        .map(usage -> usage.latency().count() + " " + usage.latency().failed()).findFirst().orElse("none");
  }

  @Test
  void aCommandIsListedWhileItRunsAndCountedWhenItHasEnded() throws Exception {
    var fake = new FakeRunc(dir, "while ! [ -e go ]; do sleep 0.01; done; exit 3");
    var runc = fake.runc("fake-runc", FakeRunc.LONG, calls);
    assertEquals("none", usage("resume"));
    Thread caller = Thread.ofVirtual().start(() ->
        assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Resume("calls-1"))));
    await().until(() -> running("calls-1").size() == 1);
    RuncCalls.Running command = running("calls-1").getFirst();
    assertEquals("resume", command.command());
    assertEquals(caller, command.thread());
    assertTrue(System.nanoTime() - command.startNanos() > 0);
    Files.createFile(dir.resolve("go"));
    caller.join();
    assertEquals(List.of(), running("calls-1"));
    assertEquals("1 1", usage("resume"));
  }

  @Test
  void whatIsLeftToTheRuntimeIsNotCounted() {
    RuncCalls.Running begun = calls.begin("nothing (native)", "calls-3");
    assertEquals(1, running("calls-3").size());
    begun.end(RuncCalls.LEFT);
    assertEquals(List.of(), running("calls-3"));
    assertEquals("none", usage("nothing (native)"));
  }

  @Test
  void aCommandThatCannotBeStartedIsNotListedForEver() throws Exception {
    var runc = new FakeRunc(dir, "").runc("no-such-runc", FakeRunc.LONG, calls);
    assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Pause("calls-2")));
    assertEquals(List.of(), running("calls-2"));
    assertEquals("1 1", usage("pause"));
  }
}
