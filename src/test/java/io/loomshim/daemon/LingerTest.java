package io.loomshim.daemon;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.container.Containers;
import io.loomshim.event.Outbox;
import io.loomshim.linux.FileLock;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.record.Journal;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.rundir.RunDirectory;
import io.loomshim.task.NoHooks;
import io.loomshim.task.TaskService;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LingerTest {
  private static final DaemonRecord RECORD = new DaemonRecord(7, "99", Path.of("/a"));
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final Duration HOUR = Duration.ofHours(1);

  @TempDir Path temp;
  private final Outbox events = Outbox.start("ns", "");
  private final CountDownLatch mayCreate = new CountDownLatch(1);
  private RunDirectory directory;
  private Containers containers;
  private TaskService tasks;
  private Linger linger;
  private Thread deciding;

  @BeforeEach
  void prepare() throws Exception {
    directory = new RunDirectory(temp);
    directory.prepare();
    directory.publish(RECORD);
  }

  @AfterEach
  void end() throws Exception {
    mayCreate.countDown();
    if (deciding != null) {
      deciding.interrupt();
      deciding.join();
    }
    events.close(Duration.ZERO);
  }

  /** A daemon with this linger. Its thread takes flock(2), which may hold a carrier: so a platform thread here. */
  private void decide(Duration duration) {
    containers = new Containers("ns", events, Journal.NONE, RuncLimits.DEFAULT, false,
        KnownRuntimes.NONE);
    tasks = new TaskService(containers, new Creating());
    linger = new Linger(directory, containers, duration, RECORD);
    deciding = Threads.startPlatform("deciding", () -> {
      try {
        linger.await();
      } catch (InterruptedException e) {
        // the test is over
      }
    });
  }

  /** Holds each Create until the latch opens, as a slow runc would. */
  private final class Creating extends NoHooks {
    @Override
    public void creating(String id, Path bundle) throws InterruptedException {
      linger.changed();
      mayCreate.await();
      directory.created(id);
    }

    @Override
    public void gone(String id) {
      linger.changed();
    }

    @Override
    public void shutdownRequested() {
      linger.shutdownAsked();
    }
  }

  /** A Create that fails for want of a bundle once it may go on. */
  private Thread creating(String id) {
    var request = CreateTaskRequest.newBuilder().setId(id).setBundle(temp.resolve("missing").toString()).build();
    Thread thread = Threads.start("creating", () -> assertThrows(IOException.class, () -> tasks.create(request)));
    await().until(() -> !containers.empty());
    return thread;
  }

  /** Which file the record is: a new one each time that it is published. */
  private Object published() {
    try {
      return Files.readAttributes(temp.resolve("daemon"), BasicFileAttributes.class).lastModifiedTime();
    } catch (IOException e) {
      return "none";
    }
  }

  /** Whether a thread of this process waits in flock(2) (proc_locks(5)). */
  private static boolean waitsForFlock() throws IOException {
    String pid = " " + ProcessHandle.current().pid() + " ";
    for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
      if (line.contains("-> FLOCK") && line.contains(pid)) {
        return true;
      }
    }
    return false;
  }

  private void awaitEnd() throws InterruptedException {
    deciding.join();
    assertFalse(Files.exists(temp.resolve("daemon")), "a launcher must not find a daemon that has ended");
  }

  private void awaitAnotherDecision() {
    Object before = published();
    await().until(() -> !published().equals(before) && !published().equals("none"));
    assertTrue(deciding.isAlive());
  }

  @Test
  void aDaemonThatNobodyNeedsEndsAfterItsLingerAndTakesItsRecordBack() throws Exception {
    long begin = System.nanoTime();
    decide(SHORT);
    awaitEnd();
    assertTrue(System.nanoTime() - begin >= SHORT.toNanos());
  }

  @Test
  void aLeaseKeepsTheDaemonAndItsRecordUntilTheCreateHasComeAndGone() throws Exception {
    Files.createFile(temp.resolve("leases/web-1"));
    decide(SHORT);
    awaitAnotherDecision();
    await().untilAsserted(() -> assertEquals(RECORD.line() + "\n", Files.readString(temp.resolve("daemon"))));
    Thread create = creating("web-1");
    mayCreate.countDown();
    create.join();
    assertFalse(Files.exists(temp.resolve("leases/web-1")));
    awaitEnd();
  }

  @Test
  void whileThereIsAContainerNoTimerRuns() throws Exception {
    decide(HOUR);
    await().until(() -> deciding.getState() == Thread.State.TIMED_WAITING);
    Thread create = creating("web-1");
    await().until(() -> deciding.getState() == Thread.State.WAITING);
    assertEquals(RECORD.line() + "\n", Files.readString(temp.resolve("daemon")));
    mayCreate.countDown();
    create.join();
    await().until(() -> deciding.getState() == Thread.State.TIMED_WAITING);
  }

  @Test
  void aLauncherThatHoldsTheLockIsWaitedForAndItsLeaseHonoured() throws Exception {
    try (FileLock launcher = directory.lock()) {
      decide(Duration.ofMillis(1));
      await().until(LingerTest::waitsForFlock);
      assertTrue(Files.exists(temp.resolve("daemon")), launcher.toString());
      Files.createFile(temp.resolve("leases/web-1"));
    }
    awaitAnotherDecision();
    directory.created("web-1");
    awaitEnd();
  }

  @Test
  void withoutLingeringAShutdownEndsTheDaemonAndSoDoesAClientThatNeverSaysIt() throws Exception {
    decide(Duration.ZERO);
    linger.shutdownAsked();
    awaitEnd();
    directory.publish(RECORD);
    long begin = System.nanoTime();
    decide(Duration.ZERO);
    awaitEnd();
    assertTrue(System.nanoTime() - begin >= Duration.ofSeconds(2).toNanos(), "a client has two seconds to say it");
  }

  @Test
  void aShutdownDoesNotShortenTheLinger() throws Exception {
    long begin = System.nanoTime();
    decide(Duration.ofMillis(700));
    linger.shutdownAsked();
    awaitEnd();
    assertTrue(System.nanoTime() - begin >= Duration.ofMillis(700).toNanos());
  }

  @Test
  void aRecordOfAnotherDaemonIsNotTakenBack() throws Exception {
    directory.publish(new DaemonRecord(8, "99", Path.of("/b")));
    decide(Duration.ofMillis(1));
    deciding.join();
    assertEquals("8 99 unix:///b\n", Files.readString(temp.resolve("daemon")));
  }

  @Test
  void aRunDirectoryThatIsGoneKeepsNobody() throws Exception {
    var gone = temp.resolve("gone");
    directory = new RunDirectory(gone);
    decide(Duration.ofMillis(1));
    deciding.join();
    assertFalse(Files.exists(gone));
  }

  @Test
  void aDaemonWithoutContainersGivesBackTheMemoryOfWhatItDid() {
    var garbage = new WeakReference<>(new byte[1 << 20]);
    decide(HOUR);
    await().until(() -> garbage.refersTo(null));
  }
}
