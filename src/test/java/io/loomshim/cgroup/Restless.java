package io.loomshim.cgroup;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** A thread that makes cgroups below one, and removes them again, as fast as it can. */
record Restless(Path below) {
  private static final int ROUNDS = 1000;

  /** What is done meanwhile. */
  interface Look {
    void run() throws Exception;
  }

  /** Does {@code look} again and again while the cgroups come and go. */
  void during(Look look) throws Exception {
    Callable<Void> rounds = () -> {
      for (int i = 0; i < ROUNDS && !Thread.interrupted(); i++) {
        Path outer = Files.createDirectory(below.resolve("a"));
        Path inner = Files.createDirectory(outer.resolve("b"));
        Files.delete(inner);
        Files.delete(outer);
      }
      return null;
    };
    var task = new FutureTask<>(rounds);
    Thread thread = Thread.ofPlatform().name("restless").start(task);
    try {
      while (!task.isDone()) {
        look.run();
      }
      task.get();
    } finally {
      thread.interrupt();
      thread.join();
    }
  }
}
