package io.loomshim.process;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.SpawnCalls;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts programs with posix_spawn(3). The child gets default signal dispositions, an empty signal
 * mask and only the descriptors that it was given: the JDK opens files without O_CLOEXEC, and a pipe
 * end that leaks into a container would keep the pipe open for as long as the container lives.
 *
 * <p>Where this process may have more files open than it was started with, a shell gives the child the limit that it
 * would have inherited: a limit belongs to a process, and posix_spawn cannot set one. Which limit that is stands in a
 * registry of the process, this one's. Why so: docs/INHERITANCE.md.
 *
 * <p>The child leads a process group of its own, so that it can be ended together with what it has started.
 *
 * <p>May be called from any thread. It takes until the child has called execve(2), a millisecond or two, or as long as
 * the file systems of the program and of its working directory take; so it is an {@link Aside} step.
 */
public final class Spawner {
  /** Descriptors below are standard streams. */
  private static final int LOWEST = 3;

  private static final String SHELL = "/bin/sh";

  private static volatile String openFiles = ""; // the soft limit of children; empty: they inherit ours

  private Spawner() {}

  /** From now on each thread starts its programs itself, however many files this process has open. */
  public static void spawnHere() {
    SpawnThreads.unused();
  }

  /** From now on children have {@code soft} as their soft limit of open files. */
  static void limitOpenFiles(String soft) {
    openFiles = soft;
  }

  /**
   * Starts the program.
   *
   * @throws ErrnoException {@code fork/exec PATH: …} when it cannot be started; ENOENT also stands for a
   *     missing working directory or interpreter
   */
  public static Child spawn(Spawn spawn) throws IOException, InterruptedException {
    return spawn("start " + spawn.argv().get(0) + " in " + spawn.cwd(), spawn.fds(), () -> spawn);
  }

  /**
   * The same for a program that must be looked for first.
   *
   * @param what this does, with the paths
   * @param fds become the descriptors of the child; those of the plan do not count
   * @param plan says what to start; a part of the step
   * @throws InterruptedException the child has not been started, or is killed as soon as it has
   */
  public static Child spawn(String what, List<Fd> fds, Aside.Step<Spawn> plan)
      throws IOException, InterruptedException {
    var own = new ArrayList<Fd>();
    boolean begun = false;
    try {
      int[] sources = duplicates(fds, own);
      var start = new Start(plan, sources, own);
      Aside<Child> step = Aside.begin(what, start, start);
      begun = true;
      try {
        return step.await();
      } finally {
        begun = !step.dropped();
      }
    } finally {
      if (!begun) {
        close(own);
      }
    }
  }

  /** Of the step, which may go on when the caller has closed its own; with numbers that no target overwrites. */
  private static int[] duplicates(List<Fd> fds, List<Fd> own) throws ErrnoException {
    int[] sources = new int[fds.size()];
    for (int i = 0; i < sources.length; i++) {
      Fd fd = fds.get(i).duplicateFrom(Math.max(LOWEST, sources.length));
      own.add(fd);
      sources[i] = fd.number();
    }
    return sources;
  }

  private static Child start(Spawn spawn, int[] sources) throws ErrnoException {
    try (var launch = Children.starting()) { // no sweep may take what ends before it is claimed
      assert launch != null;
      int pid = startImage(spawn, sources);
      try {
        return Child.started(pid);
      } catch (ErrnoException | OutOfMemoryError e) {
        Children.discard(pid); // no descriptor or memory left for it: it could not be waited for
        throw e;
      }
    }
  }

  private static int startImage(Spawn spawn, int[] sources) throws ErrnoException {
    if (!spawn.image().isEmpty()) {
      try {
        return SpawnThreads.start(spawn, sources);
      } catch (ErrnoException e) {
        // the copy is gone, or something is wrong that the program itself will say
      }
    }
    return SpawnThreads.start(spawn.plain(), sources);
  }

  private record Start(Aside.Step<Spawn> plan, int[] sources, List<Fd> own)
      implements Aside.Step<Child>, Aside.Undoing<Child> {
    @Override
    public Child run() throws IOException, InterruptedException {
      try {
        return start(plan.run(), sources);
      } finally {
        Spawner.close(own);
      }
    }

    @Override
    public void undo(Child child) {
      child.killGroup();
      child.close();
    }
  }

  private static void close(List<Fd> fds) {
    for (Fd fd : fds) {
      fd.close();
    }
  }

  /** The arguments with which the program starts, which become a shell's that sets the limit. */
  private static List<String> limited(String image, List<String> argv, String soft) throws ErrnoException {
    Path program = Path.of(image);
    if (!Files.exists(program)) {
      throw new ErrnoException("fork/exec " + program, Errno.ENOENT);
    }
    if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
      throw new ErrnoException("fork/exec " + program, Errno.EACCES);
    }
    var limited = new ArrayList<String>(argv.size() + 4);
    limited.add(SHELL);
    limited.add("-c");
    limited.add("ulimit -Sn " + soft + "; exec \"$@\"");
    limited.add(SHELL);
    limited.add(image);
    limited.addAll(argv.subList(1, argv.size()));
    return limited;
  }

  /** Starts the program on this thread, with the descriptors {@code sources} of this thread's table; its pid. */
  static int posixSpawn(Spawn spawn, int[] sources) throws ErrnoException {
    String soft = openFiles;
    String program = spawn.argv().get(0);
    String image = spawn.image().isEmpty() ? program : spawn.image();
    List<String> argv = soft.isEmpty() ? spawn.argv() : limited(image, spawn.argv(), soft);
    String path = soft.isEmpty() ? image : SHELL;
    return SpawnCalls.spawn("fork/exec " + program, path, argv, spawn.env(), spawn.cwd().toString(), sources);
  }
}
