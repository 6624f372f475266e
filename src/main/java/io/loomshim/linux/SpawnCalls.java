package io.loomshim.linux;

import java.util.List;

/** posix_spawn(3), with what is set in the child before the program begins. May be called from any thread. */
public final class SpawnCalls {
  // spawn.h of glibc
  private static final int SETPGROUP = 0x02; // to 0, its own, as the attributes are initialized
  private static final int SETSIGDEF = 0x04;
  private static final int SETSIGMASK = 0x08;
  private static final int SIGSET_BYTES = 128;
  // posix_spawn_file_actions_t has 80 bytes and posix_spawnattr_t 336 in glibc; both opaque
  private static final int OPAQUE_BYTES = 512;

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

  private SpawnCalls() {}

  /**
   * Starts the program {@code path} in a process group of its own, with default signal dispositions and an empty
   * signal mask. It takes until the child has called execve(2), so it may wait for the file systems of the program and
   * of {@code cwd}.
   *
   * @param what for the error's text
   * @param argv its arguments, the first of which is its name
   * @param fds what become descriptors 0, 1, 2, …; none of these numbers is below {@code fds.length}. All others are
   *     closed in the child
   * @return the pid
   */
  public static int spawn(String what, String path, List<String> argv, List<String> env, String cwd, int[] fds)
      throws ErrnoException {
    long size = 2L * OPAQUE_BYTES + 2L * SIGSET_BYTES + 256 + Arena.stringSize(path) + Arena.stringSize(cwd);
    size += vectorSize(argv) + vectorSize(env);
    try (var arena = new Arena(size)) {
      long attributes = attributes(arena, what);
      long actions = arena.bytes(OPAQUE_BYTES);
      ErrnoException.check(what, Native.callStatus(ACTIONS_INIT, actions, 0, 0));
      try {
        ErrnoException.check(what, Native.callStatus(ACTIONS_CHDIR, actions, arena.string(cwd), 0));
        for (int i = 0; i < fds.length; i++) {
          ErrnoException.check(what, Native.callStatus(ACTIONS_DUP2, actions, fds[i], i));
        }
        ErrnoException.check(what, Native.callStatus(ACTIONS_CLOSE_FROM, actions, fds.length, 0));
        long pid = arena.bytes(Integer.BYTES);
        long arguments = vector(arena, argv);
        long environment = vector(arena, env);
        long program = arena.string(path);
        int result = Native.callStatus(POSIX_SPAWN, pid, program, actions, attributes, arguments, environment);
        ErrnoException.check(what, result);
        return Native.MEMORY.getInt(pid);
      } finally {
        Native.callStatus(ACTIONS_DESTROY, actions, 0, 0);
      }
    }
  }

  private static long attributes(Arena arena, String what) throws ErrnoException {
    long attributes = arena.bytes(OPAQUE_BYTES);
    long allSignals = arena.bytes(SIGSET_BYTES);
    long noSignals = arena.bytes(SIGSET_BYTES);
    Native.MEMORY.setMemory(allSignals, SIGSET_BYTES, (byte) 0xff);
    ErrnoException.check(what, Native.callStatus(ATTR_INIT, attributes, 0, 0));
    ErrnoException.check(what, Native.callStatus(ATTR_SIGDEFAULT, attributes, allSignals, 0));
    ErrnoException.check(what, Native.callStatus(ATTR_SIGMASK, attributes, noSignals, 0));
    ErrnoException.check(what, Native.callStatus(ATTR_FLAGS, attributes, SETPGROUP | SETSIGDEF | SETSIGMASK, 0));
    return attributes;
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
