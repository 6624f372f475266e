package io.loomshim.linux;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** The process connector of this kernel, where it tells this process anything. */
class ProcessConnectorTest {
  /** By signal 9, and of a normal end with 7 and 1, as wait(2) encodes them. */
  private static final int KILLED = 9;
  private static final int SEVEN = 7 << 8;
  private static final int ONE = 1 << 8;

  private static ProcessConnector connector() throws ErrnoException {
    try {
      return ProcessConnector.listen(64);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EPERM) {
        throw new TestAbortedException("the kernel tells root in the first namespaces of pids and users alone");
      }
      throw e;
    }
  }

  /** A program that is in the table of {@code connector} from its beginning on. */
  private static Process program(ProcessConnector connector, String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    connector.table().put((int) process.pid(), 0);
    return process;
  }

  private static Process shell(ProcessConnector connector, String script) throws Exception {
    return program(connector, "sh", "-c", script);
  }

  private static void go(Process process) throws Exception {
    process.getOutputStream().close();
    process.getInputStream().readAllBytes();
    process.waitFor();
  }

  /** The event comes a moment after the process is a zombie. */
  private static void awaitStatus(ProcessConnector connector, Process process, int status) {
    await().until(() -> connector.status((int) process.pid()).equals(OptionalInt.of(status)));
  }

  @Test
  void anEndIsToldWithItsStatus() throws Exception {
    try (ProcessConnector connector = connector()) {
      Process ends = shell(connector, "read x; exit 7");
      Process other = new ProcessBuilder("sh", "-c", "read x; exit 7").start();
      Process killed = shell(connector, "read x");
      assertEquals(OptionalInt.empty(), connector.status((int) ends.pid()));
      go(other);
      go(ends);
      killed.destroyForcibly().waitFor();
      awaitStatus(connector, ends, SEVEN);
      awaitStatus(connector, killed, KILLED);
      assertEquals(OptionalLong.empty(), connector.table().get((int) other.pid()));
      assertEquals(-1, connector.socket().tryRead(new byte[1]));
    }
  }

  @Test
  void ofManyThreadsTheLastOneTellsTheStatusOfTheProcess() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    try (ProcessConnector connector = connector()) {
      Process many = program(connector, java, "-XX:+UseSerialGC", "there.is.no.such.Class");
      go(many);
      awaitStatus(connector, many, ONE);
    }
  }

  /** What a process does that has threads which end before it does. */
  public static final class Threads {
    private static final int COUNT = 50;

    private Threads() {}

    public static void main(String[] args) throws Exception {
      for (int i = 0; i < COUNT; i++) {
        Thread.ofPlatform().start(Threads::nothing).join();
      }
      System.out.println("threads have ended");
      while (System.in.read() >= 0) {
        // until it is told to end
      }
      System.exit(7);
    }

    private static void nothing() {
      // it has ended when it has begun
    }
  }

  /** Its status must not be read too soon: whoever waits is woken a moment before the event comes. */
  @Test
  void threadsThatEndBeforeTheirProcessTellNothingOfIt() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes = System.getProperty("java.class.path");
    try (ProcessConnector connector = connector()) {
      Process many = program(connector, java, "-XX:+UseSerialGC", "-cp", classes, Threads.class.getName());
      assertEquals("threads have ended", many.inputReader().readLine());
      assertEquals(OptionalInt.empty(), connector.status((int) many.pid()));
      go(many);
      awaitStatus(connector, many, SEVEN);
    }
  }

  @Test
  void whoeverHasBothDescriptorsGoesOnWithIt() throws Exception {
    ProcessConnector first = connector();
    Process ends = shell(first, "read x; exit 7");
    try (var second = new ProcessConnector(first.socket().duplicate(),
        new KernelTable(first.table().fd().duplicate()))) {
      first.close();
      go(ends);
      awaitStatus(second, ends, SEVEN);
      second.table().remove((int) ends.pid());
      assertEquals(OptionalInt.empty(), second.status((int) ends.pid()));
      second.put((int) ends.pid(), KILLED);
      assertEquals(OptionalInt.of(KILLED), second.status((int) ends.pid()));
      second.ignore();
    }
  }

  @Test
  void aTableThatIsFullSaysSo() throws Exception {
    try (KernelTable table = KernelTable.make(2)) {
      table.put(1, 1L << 40);
      table.put(2, 2);
      assertEquals(OptionalLong.of(1L << 40), table.get(1));
      assertThrows(ErrnoException.class, () -> table.put(3, 3));
      table.remove(1);
      table.remove(1);
      table.put(3, 3);
      assertEquals(List.of(OptionalLong.empty(), OptionalLong.of(2), OptionalLong.of(3)),
          List.of(table.get(1), table.get(2), table.get(3)));
    }
  }

  @Test
  void aVersionTellsWhetherPidfdsDo() {
    for (String version : List.of("6.15.0", "6.18.44-fc-v657", "7.2.1", "10.0", "6.15-rc1")) {
      assertEquals(true, ExitInfo.told(version), version);
    }
    for (String version : List.of("6.14.9", "6.1.0-42-cloud-amd64", "5.19", "6", "", "unknown")) {
      assertEquals(false, ExitInfo.told(version), version);
    }
  }
}
