package io.loomshim.shelf;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.process.Child;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The next daemon, of another build or with other settings, beside the present one: it has all that a {@link Holder}
 * gives to the daemons that it starts, says whether it could take over, and waits for the end of a pipe whose only
 * writer is the present daemon. It also has the end of the pipe that the holder waits for, so the holder starts a
 * daemon of the present build when both are gone, and none while one of the two is there.
 *
 * <p>Used by the thread that hands over; {@link #close} may come from any.
 */
public final class StandBy implements AutoCloseable {
  /** How a daemon is told that it is one, before {@link #PIPE}. */
  public static final String OPTION = "-stand-by";

  /** The number that the pipe of the holder has in it. */
  public static final int PIPE = Holder.ALIVE + 1;

  /** What it says when it could take over; anything else is the reason why it cannot. */
  public static final String READY = "ready";

  /** What it may take to say so: the start of a JVM on a busy machine. */
  private static final Duration WORD_WAIT_MAX = Duration.ofSeconds(20);

  private static final int WORD_BYTES_MAX = 4096;

  private final Child child;
  private final Fd go; // its only writer is this process
  private final Fd word;

  private StandBy(Child child, Fd go, Fd word) {
    this.child = child;
    this.go = go;
    this.word = word;
  }

  /**
   * Starts it.
   *
   * @param command its program, an absolute path, and its arguments
   * @param directory the run directory
   * @param alive the lock on that
   * @param pipe that of the holder
   */
  public static StandBy start(List<String> command, Path directory, Shelf shelf, Fd alive, Fd pipe)
      throws IOException, InterruptedException {
    var words = new ArrayList<>(Holder.signals());
    words.addAll(command);
    words.addAll(List.of(Holder.INHERIT, Integer.toString(Holder.FIRST_END), OPTION, Integer.toString(PIPE)));
    try (Pipe go = Pipe.open(); Pipe word = Pipe.open()) {
      var fds = new ArrayList<Fd>(List.of(go.reader(), word.writer(), new Fd(2)));
      fds.addAll(shelf.ends());
      fds.add(alive);
      fds.add(pipe);
      var own = new ArrayList<Fd>();
      try {
        own.add(go.writer().duplicate());
        own.add(word.reader().duplicate());
        own.get(1).nonBlocking(true);
        Child child = Spawner.spawn(new Spawn(words, Holder.environment(), directory, fds));
        return new StandBy(child, own.get(0), own.get(1));
      } catch (IOException | InterruptedException | RuntimeException | Error e) {
        own.forEach(Fd::close);
        throw e;
      }
    }
  }

  /** Waits for what it says, one line: {@link #READY}, or why not; empty when it has ended or says nothing in time. */
  public String word() throws IOException, InterruptedException {
    var text = new StringBuilder();
    var buffer = new byte[WORD_BYTES_MAX];
    Deadline deadline = Deadline.in(WORD_WAIT_MAX);
    while (text.indexOf("\n") < 0 && text.length() < WORD_BYTES_MAX) {
      int count = word.tryRead(buffer);
      if (count == 0 || count < 0 && !Poller.shared().awaitReadable(word, deadline)) {
        return "";
      }
      text.append(new String(buffer, 0, Math.max(0, count), StandardCharsets.UTF_8));
    }
    return text.toString().lines().findFirst().orElse("");
  }

  /** Its process. */
  public int pid() {
    return child.pid();
  }

  /** Whether it has ended. */
  public boolean ended() {
    return child.ended() || child.pidfd().ready();
  }

  /** Ends it: the present daemon goes on. */
  @Override
  public void close() {
    child.close();
    go.close();
    word.close();
  }
}
