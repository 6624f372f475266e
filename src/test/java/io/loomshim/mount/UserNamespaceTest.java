package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.linux.UserNamespaceCalls;
import io.loomshim.mount.MappedIds.Holdings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserNamespaceTest {
  private static final int THREADS = 4;
  private static final int TIMES = 25;

  @TempDir Path temp;

  private static String id(Fd namespace) throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + namespace.number())).toString();
  }

  @Test
  void itIsAnotherThanOursAndOutlivesItsProcess() throws Exception {
    Holdings before = Holdings.now(temp);
    try (Fd namespace = UserNamespace.open(new IdMapping("0 1000 10\n", "0 2000 10\n"))) {
      assertTrue(id(namespace).startsWith("user:["), id(namespace));
      assertNotEquals(Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString(), id(namespace));
      assertEquals(before.children(), Holdings.now(temp).children());
    }
    before.check(temp);
  }

  @Test
  void itsProcessHasEndedAndIsNothingForOtherWaits() throws Exception {
    int pid = UserNamespaceCalls.endedChild();
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      assertTrue(stat.contains(") Z "), stat);
      assertTrue(ProcessCalls.zombie(pid) <= 0, "a wait for children finds it");
    } finally {
      UserNamespaceCalls.reap(pid);
    }
    assertTrue(Files.notExists(Path.of("/proc/" + pid)));
  }

  @Test
  void manyThreadsMakeThemWhileProgramsStartAndTheHeapIsCollected() throws Exception {
    Holdings before = Holdings.now(temp);
    Callable<Integer> work = () -> {
      int programs = 0;
      for (int i = 0; i < TIMES; i++) {
        try (Fd namespace = UserNamespace.open(new IdMapping("0 " + (i + 1) + " 1\n", "0 1 1\n"))) {
          assertTrue(id(namespace).startsWith("user:["));
        }
        if (i % 8 == 0) {
          System.gc();
          programs += new ProcessBuilder("true").start().waitFor();
        }
      }
      return programs;
    };
    var results = new ArrayList<Future<Integer>>();
    try (var threads = Executors.newFixedThreadPool(THREADS)) {
      for (int i = 0; i < THREADS; i++) {
        results.add(threads.submit(work));
      }
      for (Future<Integer> result : results) {
        assertEquals(0, result.get());
      }
    }
    assertEquals(List.of(before.children(), before.mounts()),
        List.of(Holdings.now(temp).children(), Holdings.now(temp).mounts()));
  }
}
