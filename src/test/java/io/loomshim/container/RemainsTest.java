package io.loomshim.container;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.process.Processes;
import io.loomshim.shelf.Found;
import io.loomshim.shelf.SecondShelf;
import io.loomshim.shelf.Shelf;
import io.loomshim.takeover.Labels;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a daemon that is killed leaves on a real shelf, by what closes with it. */
class RemainsTest {
  private static final String STDIN = "stdin";

  private static Remains of(Shelf shelf) throws Exception {
    return new Remains(shelf.look(), Set.of("web"));
  }

  /** Puts the writer of {@code pipe} on the shelf, where alone it is from then on. */
  private static void put(Shelf shelf, Pipe pipe, String subject) throws Exception {
    shelf.put(Labels.of(Labels.PROCESS, subject, STDIN), List.of(pipe.writer()));
    pipe.writer().close();
    pipe.reader().nonBlocking(true);
    assertFalse(ended(pipe));
  }

  private static boolean ended(Pipe pipe) throws Exception {
    return pipe.reader().tryRead(new byte[1]) == 0;
  }

  /** The daemon was killed when it had begun a second slot and not released the first. */
  @Test
  void ofTwoSlotsOfOneProcessOneIsGivenUp() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe first = Pipe.open(); Pipe second = Pipe.open()) {
      put(shelf, first, "web");
      put(shelf, second, "web");
      try (Shelf next = SecondShelf.of(shelf)) {
        Remains remains = of(next);
        assertTrue(ended(first) != ended(second), "one of the two is kept");
        Found kept = remains.take("web").orElseThrow();
        assertTrue(remains.take("web").isEmpty());
        remains.discardRest();
        assertTrue(ended(first) != ended(second), "what was taken stays");
        kept.fds().forEach(Fd::close);
        kept.slot().release();
        assertTrue(ended(first) && ended(second));
      }
      try (Shelf third = SecondShelf.of(shelf)) {
        assertEquals(List.of(), third.look());
      }
    }
  }

  /** The daemon was killed when a container was no longer in its record, and still on its shelf. */
  @Test
  void whatNoContainerTakesIsGivenUp() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe left = Pipe.open(); Pipe other = Pipe.open()) {
      put(shelf, left, "deleted");
      put(shelf, other, "deleted/probe");
      try (Shelf next = SecondShelf.of(shelf)) {
        Remains remains = of(next);
        remains.discard("deleted/probe");
        assertTrue(ended(other));
        assertFalse(ended(left));
        remains.discardRest();
        assertTrue(ended(left));
      }
      try (Shelf third = SecondShelf.of(shelf)) {
        assertEquals(List.of(), third.look());
      }
    }
  }

  @Test
  void aProcessWhoseStartIsUndoneIsKilled() throws Exception {
    Process process = new ProcessBuilder("sleep", "1000").start();
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open();
        Fd pidfd = ProcessCalls.openPidfd((int) process.pid())) {
      shelf.put(Labels.of(Labels.PROCESS, "web/probe", STDIN, Kept.PIDFD), List.of(pipe.writer(), pidfd));
      pipe.writer().close();
      try (Shelf next = SecondShelf.of(shelf)) {
        Remains remains = of(next);
        remains.endStray("web/none");
        assertTrue(process.isAlive());
        remains.endStray("web/probe");
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it has ended");
        assertTrue(ended(pipe));
      }
    } finally {
      process.destroyForcibly();
    }
  }

  private static void command(Shelf shelf, String name, Process process) throws Exception {
    try (Fd pidfd = ProcessCalls.openPidfd((int) process.pid())) {
      shelf.put(Labels.of("command", name, "web", Long.toString(process.pid())), List.of(pidfd));
    }
  }

  /** What hangs for long has no claim to the time that others need, nor to that of all clients. */
  @Test
  void aCommandThatHangsIsNotWaitedForAndOneThatHasJustBegunIs() throws Exception {
    Duration most = Duration.ofSeconds(5);
    Process hung = new ProcessBuilder("setsid", "sleep", "1000").start();
    await().atMost(Duration.ofMinutes(1)).until(() -> Processes.age((int) hung.pid()).compareTo(most) > 0);
    Process young = new ProcessBuilder("setsid", "sh", "-c",
        "while [ -e /proc/" + hung.pid() + " ]; do sleep 0.05; done; exit 7").start();
    try (Shelf shelf = Shelf.make()) {
      command(shelf, "pause", hung);
      command(shelf, "kill", young);
      try (Shelf next = SecondShelf.of(shelf)) {
        assertTrue(new Remains(next.look(), Set.of(), most).take("web").isEmpty());
      }
      assertEquals(7, young.waitFor());
      assertEquals(137, hung.waitFor());
    } finally {
      hung.destroyForcibly();
      young.destroyForcibly();
    }
  }

  @Test
  void onlyWhatWasBeingStartedIsSaidToHaveBeen() throws Exception {
    try (Shelf shelf = Shelf.make()) {
      Remains remains = of(shelf);
      assertTrue(remains.starting("web"));
      assertFalse(remains.starting("web/probe"));
    }
  }
}
