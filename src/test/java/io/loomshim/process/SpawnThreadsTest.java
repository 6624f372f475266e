package io.loomshim.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SpawnThreadsTest {
  private static final Path ROOT = Path.of("/");

  @BeforeEach
  void always() {
    SpawnThreads.payFrom(0);
  }

  @AfterEach
  void asUsual() {
    SpawnThreads.payFrom(SpawnThreads.MANY);
  }

  private static String output(String script, List<Fd> more) throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Pipe pipe = Pipe.open()) {
      var fds = new ArrayList<>(List.of(nothing, pipe.writer(), nothing));
      fds.addAll(more);
      Child child = Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", script), List.of("A=a"), ROOT, fds));
      pipe.writer().close();
      pipe.reader().nonBlocking(true);
      var bytes = new ByteArrayOutputStream();
      byte[] buffer = new byte[1024];
      for (int count = pipe.reader().read(buffer); count > 0; count = pipe.reader().read(buffer)) {
        bytes.write(buffer, 0, count);
      }
      assertEquals(0, child.await());
      return bytes.toString(StandardCharsets.UTF_8);
    }
  }

  @Test
  void aChildHasWhatItWasGivenAndNothingElse() throws Exception {
    try (Pipe given = Pipe.open(); Pipe leak = Pipe.open()) {
      int highest = leak.writer().number() + 8;
      String numbers =
          "n=0; while [ $n -le " + highest + " ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; true";
      assertEquals("0\n1\n2\n", output(numbers, List.of()));
      assertTrue(SpawnThreads.made() > 0);
      assertEquals("0\n1\n2\n3\n4\n", output(numbers, List.of(given.reader(), given.writer())));
      String ends = "readlink /proc/$$/fd/3; readlink /proc/$$/fd/4";
      String[] lines = output(ends, List.of(given.reader(), given.writer())).split("\n");
      assertTrue(lines[0].startsWith("pipe:"), lines[0]);
      assertEquals(lines[0], lines[1]);
    }
  }

  @Test
  void noEndOfAPipeStaysOpenInAThread() throws Exception {
    for (int i = 0; i < 2 * SpawnThreads.THREADS_MAX; i++) {
      assertEquals("a\n", output("echo $A", List.of())); // to its end
    }
  }

  @Test
  void theErrorsAreThoseOfAStartFromHere() throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      var missing = new Spawn(List.of("/no/such/program"), List.of(), ROOT, List.of(nothing));
      for (int i = 0; i < 2 * SpawnThreads.THREADS_MAX; i++) {
        var failure = assertThrows(ErrnoException.class, () -> Spawner.spawn(missing));
        assertEquals(Errno.ENOENT, failure.errno());
        assertEquals("fork/exec /no/such/program: no such file or directory", failure.getMessage());
      }
      var nowhere = new Spawn(List.of("/bin/true"), List.of(), Path.of("/no/such/directory"), List.of(nothing));
      assertEquals(Errno.ENOENT, assertThrows(ErrnoException.class, () -> Spawner.spawn(nowhere)).errno());
    }
    assertEquals("a\n", output("echo $A", List.of()));
  }

  @Test
  void manyAtOnceAreStartedEach() throws Exception {
    Callable<String> one = () -> output("echo $$", List.of());
    try (var pool = Executors.newFixedThreadPool(16)) {
      var futures = new ArrayList<Future<String>>();
      for (int i = 0; i < 64; i++) {
        futures.add(pool.submit(one));
      }
      for (Future<String> future : futures) {
        assertTrue(Integer.parseInt(future.get().strip()) > 1);
      }
    }
  }

  @Test
  void aGarbageCollectionDoesNotDisturbThem() throws Exception {
    for (int i = 0; i < 4; i++) {
      System.gc();
      assertEquals("a\n", output("echo $A", List.of()));
    }
  }
}
