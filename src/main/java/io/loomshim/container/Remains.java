package io.loomshim.container;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.log.Log;
import io.loomshim.process.Children;
import io.loomshim.process.Processes;
import io.loomshim.shelf.Found;
import io.loomshim.takeover.Labels;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a daemon that was killed has left of its containers on the shelf: descriptors of their processes, and of the
 * commands of the runtime that were under way. Used by the thread that takes over.
 */
public final class Remains {
  /**
   * How long commands that are under way may take to end, and from their start on: one that hangs must not hold up the
   * containers of others. What takes longer is killed.
   */
  private static final Duration COMMANDS_WAIT_MAX = Duration.ofSeconds(10);

  /** How long an exec may take: once it has ended, its pid file names the process that it has made. */
  private static final Duration EXECS_WAIT_MAX = Duration.ofSeconds(1);

  private static final String EXEC = "exec";

  /** Commands that make something: what they were making is undone. */
  private static final List<String> MAKING = List.of("create", EXEC, "restore", RootFs.HELPER);

  private final Map<String, Found> processes = new HashMap<>();
  private final Set<String> starting;

  /**
   * Takes ownership of the descriptors, and has the commands end.
   *
   * @param starting the containers whose Start had been begun, and not answered
   */
  public Remains(List<Found> all, Set<String> starting) throws IOException, InterruptedException {
    this(all, starting, COMMANDS_WAIT_MAX);
  }

  /** The same; {@code commandsMax}: in the place of {@link #COMMANDS_WAIT_MAX}. */
  Remains(List<Found> all, Set<String> starting, Duration commandsMax) throws IOException, InterruptedException {
    this.starting = starting;
    Deadline deadline = Deadline.in(commandsMax);
    Deadline execs = Deadline.in(EXECS_WAIT_MAX);
    for (Found found : all) {
      List<String> words = Labels.words(found.note());
      if (words.getFirst().equals(Labels.PROCESS)) {
        Found before = processes.put(words.get(1), found);
        if (before != null) {
          discard(before);
        }
      } else {
        end(found, words, words.get(1).equals(EXEC) ? execs : deadline, commandsMax);
      }
    }
  }

  private static void end(Found found, List<String> words, Deadline deadline, Duration ageMax)
      throws IOException, InterruptedException {
    Fd pidfd = found.fds().getFirst();
    int group = Integer.parseInt(words.get(3)); // which it leads: see Spawner
    if (MAKING.contains(words.get(1)) && !words.get(1).equals(EXEC) && !pidfd.ready()) {
      Children.kill(-group);
    }
    boolean hangs = !pidfd.ready() && Processes.age(group).compareTo(ageMax) > 0;
    if (hangs || !Poller.shared().awaitReadable(pidfd, deadline)) {
      Log.warn("a command of the daemon before does not end, and is killed", "command", words.get(1));
      Children.kill(-group);
    }
    discard(found);
  }

  /** Whether the daemon was killed while it started the container {@code id}. */
  boolean starting(String id) {
    return starting.contains(id);
  }

  /** What was kept of the process; the caller owns it. */
  Optional<Found> take(String subject) {
    return Optional.ofNullable(processes.remove(subject));
  }

  /** Gives up what was kept of a process. */
  void discard(String subject) {
    take(subject).ifPresent(Remains::discard);
  }

  /** The same for one that had been made, and whose start is undone: kills it. */
  void endStray(String subject) {
    Optional<Found> found = take(subject);
    if (found.isPresent()) {
      int pidfd = Labels.words(found.get().note()).indexOf(Kept.PIDFD) - Kept.FIRST_ROLE;
      if (pidfd >= 0) {
        ProcessCalls.signal(found.get().fds().get(pidfd), ProcessCalls.SIGKILL);
      }
      discard(found.get());
    }
  }

  /** Gives up what no container has taken. */
  void discardRest() {
    for (Found found : processes.values()) {
      discard(found);
    }
    processes.clear();
  }

  private static void discard(Found found) {
    for (Fd fd : found.fds()) {
      fd.close();
    }
    found.slot().release();
  }
}
