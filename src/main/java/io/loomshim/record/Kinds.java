package io.loomshim.record;

import java.util.Set;

/**
 * The kinds of values in a record. A kind says what a key means and which message the value is. Numbers keep their
 * meaning for ever.
 *
 * <p>Kinds below {@link #CONTAINERS_END} belong to containers: the key is {@code ID}, or begins with {@code ID/}, and
 * all of them go with the container. Other rooms add kinds of their own from {@link #CONTAINERS_FREE} and {@link
 * #OTHERS_FREE} on.
 */
public final class Kinds {
  /** Key {@code ID}: a {@code ContainerEntry}. */
  public static final int CONTAINER = 1;
  /** Key {@code ID}: the {@code ProcessEntry} of the init. */
  public static final int INIT = 2;
  /** Key {@code ID/EXEC}: an {@code ExecEntry}. */
  public static final int EXEC = 3;
  /** Key {@code ID/EXEC}: the {@code ProcessEntry} of an exec that has started. */
  public static final int EXEC_PROCESS = 4;
  /** Key {@code ID}: a {@code CgroupEntry}. */
  public static final int CGROUP = 5;
  /** Key {@code ID}: a {@code KillsEntry}. */
  public static final int KILLS = 6;
  /** Key {@code ID} or {@code ID/EXEC}: a client has closed the process's stdin; an empty value. */
  public static final int STDIN_CLOSED = 7;
  /** Key {@code ID}: a client has paused the container; an empty value. */
  public static final int PAUSED = 8;
  /** Key {@code ID} or {@code ID/EXEC}: the {@code ProcessEntry} of one that was reaped, until its end is told. */
  public static final int REAPED = 9;

  /** The first of the kinds of containers that this room does not know. */
  public static final int CONTAINERS_FREE = 64;
  /** The end of the kinds of containers. */
  public static final int CONTAINERS_END = 256;

  /** The empty key: the {@code DaemonEntry}. */
  public static final int DAEMON = 256;
  /** Key {@link Change#number}: an {@code EventEntry}; in order. */
  public static final int EVENT = 257;
  /** Key {@code ID} or {@code ID/EXEC}: a {@code DeletedEntry}; the last {@link State#DELETED_MAX} are kept. */
  public static final int DELETED = 258;

  /** All kinds of this room. */
  public static final Set<Integer> OWN = Set.of(CONTAINER, INIT, EXEC, EXEC_PROCESS, CGROUP, KILLS, STDIN_CLOSED,
      PAUSED, REAPED, DAEMON, EVENT, DELETED);

  /** The first of the other kinds that this room does not know. */
  public static final int OTHERS_FREE = 320;
  /** The end of all kinds: two bytes. */
  public static final int END = 1 << 16;

  private Kinds() {}

  /** Whether {@code kind} belongs to containers. */
  public static boolean ofContainer(int kind) {
    return kind < CONTAINERS_END;
  }
}
