package io.loomshim.linux;

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
 * would have inherited: a limit belongs to a process, and posix_spawn cannot set one. Why so: docs/INHERITANCE.md.
 *
 * <p>The child leads a process group of its own, so that it can be ended together with what it has started.
 *
 * <p>May be called from any thread. It takes until the child has called execve(2), a millisecond or two, or as long as
 * the file systems of the program and of its working directory take; so it is an {@link Aside} step.
 */
public final class Spawner {
  private static final int SETPGROUP = 0x02; // to 0, its own, as the attributes are initialized
  private static final int SETSIGDEF = 0x04;
  private static final int SETSIGMASK = 0x08;
  private static final int SIGSET_BYTES = 128;
  // posix_spawn_file_actions_t has 80 bytes and posix_spawnattr_t 336 in glibc; both opaque
  private static final int OPAQUE_BYTES = 512;

  /** Descriptors below are standard streams. */
  private static final int LOWEST = 3;

  private static final long POSIX_SPAWN = Native.function("posix_spawn");
  private static final long ACTIONS_INIT = Native.function("posix_spawn_file_actions_init");
  private static final long ACTIONS_DUP2 = Native.function("posix_spawn_file_actions_adddup2");
  private static final long ACTIONS_CLOSE_FROM = Native.function("posix_spawn_file_actions_addclosefrom_np");
  private static final long ACTIONS_CHDIR = Native.function("posix_spawn_file_actions_addchdir_np");
  private static final long ACTIONS_DESTROY = Native.function("posix_spawn_file_actions_destroy");
  private static final long ATTR_INIT = Native.function("posix_spawnattr_init");
  private static final long ATTR_SIGDEFAULT = Native.function("posix_spawnattr_setsigdefault");
  private static final long ATTR_SIGMASK = Native.function("posix_spawnattr_setsigmask");
  private static final long ATTR_FLAGS = Native.function("posix_spawnattr_setflags");

  private static final String SHELL = "/bin/sh";

  private static volatile String openFiles = ""; // the soft limit of children; empty: they inherit ours

  private Spawner() {}

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
      Aside<Child> step = Aside.begin(what, () -> start(plan, sources, own), Spawner::discard);
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

  private static Child start(Aside.Step<Spawn> plan, int[] sources, List<Fd> own)
      throws IOException, InterruptedException {
    try {
      return start(plan.run(), sources);
    } finally {
      close(own);
    }
  }

  private static Child start(Spawn spawn, int[] sources) throws ErrnoException {
    try (var launch = Children.starting()) { // no sweep may take what ends before it is claimed
      assert launch != null;
      int pid = spawn(spawn, sources);
      try {
        return Child.started(pid);
      } catch (ErrnoException e) {
        Children.discard(pid); // no descriptor left for it: nobody could wait for it
        throw e;
      }
    }
  }

  private static void discard(Child child) {
    child.killGroup();
    child.close();
  }

  private static void close(List<Fd> fds) {
    for (Fd fd : fds) {
      fd.close();
    }
  }

  /** The arguments with which the program starts, which become a shell's that sets the limit. */
  private static List<String> limited(List<String> argv, String soft) throws ErrnoException {
    Path program = Path.of(argv.get(0));
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
    limited.addAll(argv);
    return limited;
  }

  private static int spawn(Spawn spawn, int[] sources) throws ErrnoException {
    String program = spawn.argv().get(0);
    String soft = openFiles;
    List<String> arguments = soft.isEmpty() ? spawn.argv() : limited(spawn.argv(), soft);
    long size = 2L * OPAQUE_BYTES + 2L * SIGSET_BYTES + 256 + Arena.stringSize(spawn.cwd().toString());
    size += vectorSize(arguments) + vectorSize(spawn.env());
    try (var arena = new Arena(size)) {
      long actions = arena.bytes(OPAQUE_BYTES);
      long attributes = arena.bytes(OPAQUE_BYTES);
      long allSignals = arena.bytes(SIGSET_BYTES);
      long noSignals = arena.bytes(SIGSET_BYTES);
      Native.MEMORY.setMemory(allSignals, SIGSET_BYTES, (byte) 0xff);
      check(program, Native.call(ATTR_INIT, attributes, 0, 0, 0, 0, 0));
      check(program, Native.call(ATTR_SIGDEFAULT, attributes, allSignals, 0, 0, 0, 0));
      check(program, Native.call(ATTR_SIGMASK, attributes, noSignals, 0, 0, 0, 0));
      check(program, Native.call(ATTR_FLAGS, attributes, SETPGROUP | SETSIGDEF | SETSIGMASK, 0, 0, 0, 0));
      check(program, Native.call(ACTIONS_INIT, actions, 0, 0, 0, 0, 0));
      try {
        long cwd = arena.string(spawn.cwd().toString());
        check(program, Native.call(ACTIONS_CHDIR, actions, cwd, 0, 0, 0, 0));
        for (int i = 0; i < sources.length; i++) {
          check(program, Native.call(ACTIONS_DUP2, actions, sources[i], i, 0, 0, 0));
        }
        check(program, Native.call(ACTIONS_CLOSE_FROM, actions, sources.length, 0, 0, 0, 0));
        long pid = arena.bytes(4);
        long argv = vector(arena, arguments);
        long env = vector(arena, spawn.env());
        long path = Native.MEMORY.getAddress(argv);
        check(program, Native.call(POSIX_SPAWN, pid, path, actions, attributes, argv, env));
        return Native.MEMORY.getInt(pid);
      } finally {
        Native.call(ACTIONS_DESTROY, actions, 0, 0, 0, 0, 0);
      }
    }
  }

  /** These functions return the error number itself. */
  private static void check(String program, long result) throws ErrnoException {
    if ((int) result != 0) {
      throw new ErrnoException("fork/exec " + program, (int) result);
    }
  }

  private static long vectorSize(List<String> texts) {
    long size = 8L * (texts.size() + 1) + 16;
    for (String text : texts) {
      size += Arena.stringSize(text);
    }
    return size;
  }

  private static long vector(Arena arena, List<String> texts) {
    long vector = arena.bytes(8L * (texts.size() + 1));
    for (int i = 0; i < texts.size(); i++) {
      Native.MEMORY.putAddress(vector + 8L * i, arena.string(texts.get(i)));
    }
    return vector;
  }
}
