package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Pty;
import io.loomshim.testing.OpenFiles;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleSocketTest {
  @TempDir
  Path directory;

  private Map<String, Integer> before;

  @BeforeEach
  void look() throws Exception {
    try (var warm = open()) {
      assertThrows(IOException.class, () -> warm.receive(Deadline.in(Duration.ZERO)));
    }
    before = OpenFiles.now();
  }

  @AfterEach
  void nothingIsLeftOpen() throws Exception {
    assertEquals(before, OpenFiles.now());
    try (var left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  private ConsoleSocket open() throws IOException {
    return ConsoleSocket.open(Map.of("TMPDIR", directory.toString()));
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(20));
  }

  @Test
  void theSocketLiesInADirectoryOfItsOwnThatOnlyRootCanEnter() throws Exception {
    try (var socket = open()) {
      Path parent = socket.path().getParent();
      assertEquals("pty.sock", socket.path().getFileName().toString());
      assertTrue(parent.getFileName().toString().startsWith("pty"));
      assertEquals(directory, parent.getParent());
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(parent)));
    }
  }

  @Test
  void theRuntimeDirectoryComesFirstAndItsTidierIsKeptAway() throws Exception {
    var environment = Map.of("TMPDIR", "/nowhere", "XDG_RUNTIME_DIR", directory.toString());
    try (var socket = ConsoleSocket.open(environment)) {
      assertEquals(directory, socket.path().getParent().getParent());
      assertEquals(01755, (Integer) Files.getAttribute(socket.path(), "unix:mode") & 07777);
    }
  }

  @Test
  void aPathThatIsTooLongForASocketIsReplaced() throws Exception {
    Path deep = Files.createDirectories(directory.resolve("x".repeat(90)));
    try (var socket = ConsoleSocket.open(Map.of("TMPDIR", deep.toString()))) {
      assertTrue(socket.path().toString().length() <= ConsoleSocket.PATH_BYTES_MAX);
      assertFalse(socket.path().startsWith(deep));
      Terminals.connect(socket.path()).close();
    }
    Files.delete(deep);
  }

  @Test
  void aDirectoryThatDoesNotExistIsAnError() {
    var e = assertThrows(IOException.class, () -> ConsoleSocket.open(Map.of("TMPDIR", "/nowhere")));
    assertEquals("mkdir /nowhere/ptyXXXXXX: no such file or directory", e.getMessage());
  }

  @Test
  void aTerminalThatWasSentBeforeAnybodyWaitedIsThereAtOnce() throws Exception {
    try (var socket = open(); Fd master = Terminals.master(); Fd slave = Terminals.slave(master)) {
      try (Fd client = Terminals.connect(socket.path())) {
        Terminals.send(client, "/dev/ptmx".length(), master);
      }
      try (Pty pty = socket.receive(Deadline.in(Duration.ZERO))) {
        master.close();
        pty.resize(120, 40);
        assertEquals("40 120", Terminals.size(slave));
        pty.resize(65536 + 7, 65536 + 3);
        assertEquals("3 7", Terminals.size(slave));
        pty.close();
        pty.resize(1, 1);
      }
    }
  }

  @Test
  void aTerminalThatIsSentLaterIsWaitedFor() throws Exception {
    try (var socket = open(); Fd master = Terminals.master()) {
      var failed = new CountDownLatch(1);
      Thread sender = Threads.start("sender", () -> {
        try (Fd client = Terminals.connect(socket.path())) {
          await().until(() -> Poller.shared().waiting() > 0);
          Terminals.send(client, 1, master);
        } catch (IOException e) {
          failed.countDown();
        }
      });
      socket.receive(soon()).close();
      sender.join();
      assertEquals(1, failed.getCount());
    }
  }

  @Test
  void whatIsNoTerminalIsRefused() throws Exception {
    try (Fd file = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      assertEquals("provided file is not a console", refusal(4, file));
    }
  }

  @Test
  void exactlyOneDescriptorIsAccepted() throws Exception {
    try (Fd master = Terminals.master()) {
      assertEquals("recvfd: incorrect number of bytes read (n=3 oobn=0)", refusal(3));
      assertEquals("recvfd: number of fds is not 1: 2", refusal(3, master, master));
      assertEquals("recvfd: number of fds is not 1: 2", refusal(3, master, master, master));
    }
  }

  @Test
  void aNameThatIsTooLongIsRefused() throws Exception {
    try (Fd master = Terminals.master()) {
      assertEquals("recvfd: incorrect number of bytes read (n=4096 oobn=24)", refusal(5000, master));
    }
  }

  @Test
  void aConnectionWithoutAMessageIsRefused() throws Exception {
    try (var socket = open()) {
      Terminals.connect(socket.path()).close();
      var e = assertThrows(IOException.class, () -> socket.receive(soon()));
      assertEquals("recvfd: incorrect number of bytes read (n=0 oobn=0)", e.getMessage());
    }
  }

  /** What receiving a message says that is not as it must be. */
  private String refusal(int bytes, Fd... fds) throws IOException {
    try (var socket = open(); Fd client = Terminals.connect(socket.path())) {
      Terminals.send(client, bytes, fds);
      return assertThrows(IOException.class, () -> socket.receive(soon())).getMessage();
    }
  }

  @Test
  void theDeadlineHoldsBeforeAndAfterTheConnection() throws Exception {
    try (var socket = open()) {
      assertEquals("the runtime did not hand over a console",
          assertThrows(IOException.class, () -> socket.receive(Deadline.in(Duration.ofMillis(10)))).getMessage());
      try (Fd client = Terminals.connect(socket.path())) {
        assertTrue(client.number() > 0);
        assertThrows(IOException.class, () -> socket.receive(Deadline.in(Duration.ofMillis(10))));
      }
    }
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    try (var socket = open()) {
      var ended = new CountDownLatch(1);
      Thread waiter = Threads.start("waiter", () -> {
        assertThrows(InterruptedException.class, () -> socket.receive(Deadline.NEVER));
        ended.countDown();
      });
      await().until(() -> Poller.shared().waiting() > 0);
      waiter.interrupt();
      assertTrue(ended.await(20, TimeUnit.SECONDS));
    }
  }
}
