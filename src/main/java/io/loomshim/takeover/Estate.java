package io.loomshim.takeover;

import io.loomshim.linux.Fd;
import io.loomshim.linux.StreamSocket;
import io.loomshim.log.Log;
import io.loomshim.record.Journal;
import io.loomshim.record.Kinds;
import io.loomshim.record.State;
import io.loomshim.shelf.Found;
import io.loomshim.shelf.Shelf;
import io.loomshim.ttrpc.Door;
import io.loomshim.ttrpc.Line;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What of a daemon outlives it, sorted: the door, the lines, and what belongs to processes. Made by the thread that
 * starts the daemon.
 */
public final class Estate {
  private final Door door;
  private final List<Line> lines;
  private final List<Found> processes;
  private final Path socket;
  private final List<Fd> exits;

  private Estate(Door door, List<Line> lines, List<Found> processes, Path socket, List<Fd> exits) {
    this.door = door;
    this.lines = lines;
    this.processes = processes;
    this.socket = socket;
    this.exits = exits;
  }

  /** That of a first daemon, which listens on {@code socket}. */
  public static Estate begin(Shelf shelf, Path socket, Journal journal) throws IOException {
    var record = new CallsRecord(journal);
    CallPages pages = CallPages.begin(shelf);
    record.paged();
    return new Estate(KeptDoor.listen(socket, shelf, pages, record), List.of(), List.of(), socket, List.of());
  }

  /**
   * What a daemon that was killed has left.
   *
   * @param found all that was on the shelf; the descriptors of processes stay the caller's
   * @param state the record of that daemon
   * @param journal where the calls on the lines are written down from now on
   * @throws IOException when there is no door
   */
  public static Estate of(Shelf shelf, List<Found> found, State state, Journal journal) throws IOException {
    var record = new CallsRecord(journal);
    var lines = new ArrayList<Line>();
    var processes = new ArrayList<Found>();
    Map<Long, List<Line.Pending>> pending = CallsRecord.pending(state);
    CallPages pages = CallPages.of(shelf, found);
    if (state.get(CallsRecord.PAGES, "").isEmpty()) {
      record.paged(); // that daemon had none
    }
    Found door = null;
    List<Fd> exits = List.of();
    long last = 0;
    for (Found thing : found) {
      List<String> words = Labels.words(thing.note());
      switch (words.getFirst()) {
        case Labels.DOOR -> door = thing;
        case Labels.EXITS -> exits = thing.fds();
        case Labels.CALLS -> {
          continue; // had above
        }
        case Labels.LINE -> {
          long number = Long.parseLong(words.get(1));
          last = Math.max(last, number);
          if (KeptLine.torn(words)) {
            tear(thing, number);
          } else {
            lines.add(line(thing, number, pages, record, pending.getOrDefault(number, List.of())));
          }
        }
        default -> processes.add(thing);
      }
    }
    if (door == null) {
      throw new IOException("the daemon before has left no socket to listen on");
    }
    record.forgetOthers(state, numbers(lines));
    pages.forgetLeft();
    Path socket = KeptDoor.path(door.note());
    return new Estate(new KeptDoor(door.fds().getFirst(), door.slot(), shelf, pages, record, last),
        List.copyOf(lines), List.copyOf(processes), socket, exits);
  }

  /** Whether this build knows values of {@code kind}; it must know all that are in a record. */
  public static boolean knows(int kind) {
    return Kinds.OWN.contains(kind) || CallsRecord.KINDS.contains(kind);
  }

  /**
   * Where the door listens that is among {@code found}.
   *
   * @throws IOException when there is none
   */
  public static Path socket(List<Found> found) throws IOException {
    for (Found thing : found) {
      if (Labels.words(thing.note()).getFirst().equals(Labels.DOOR)) {
        return KeptDoor.path(thing.note());
      }
    }
    throw new IOException("the daemon before has left no socket to listen on");
  }

  private static Set<Long> numbers(List<Line> lines) {
    var numbers = new HashSet<Long>();
    for (Line line : lines) {
      numbers.add(line.number());
    }
    return numbers;
  }

  private static Line line(Found thing, long number, CallPages pages, CallsRecord record, List<Line.Pending> pending)
      throws IOException {
    return new KeptLine(number, thing.fds().getFirst(), thing.slot(), pages, record, pending,
        KeptLine.gathering(Labels.words(thing.note()), thing.fds()));
  }

  private static void tear(Found thing, long number) {
    Log.warn("a connection is closed: the daemon before was killed within a frame on it", "connection",
        Long.toString(number));
    for (Fd fd : thing.fds()) {
      StreamSocket.shutdown(fd);
      fd.close();
    }
    thing.slot().release();
  }

  public Door door() {
    return door;
  }

  /** The connections, for the server to go on with. */
  public List<Line> lines() {
    return lines;
  }

  /** What belongs to processes of containers and to commands. */
  public List<Found> processes() {
    return processes;
  }

  /** Where the door listens. */
  public Path socket() {
    return socket;
  }

  /** What is kept as {@link Labels#EXITS}, the caller's; empty when the daemon before had nothing of that. */
  public List<Fd> exits() {
    return exits;
  }
}
