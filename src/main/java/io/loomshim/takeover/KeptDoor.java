package io.loomshim.takeover;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.SocketCalls;
import io.loomshim.linux.StreamSocket;
import io.loomshim.shelf.Shelf;
import io.loomshim.shelf.Slot;
import io.loomshim.ttrpc.Door;
import io.loomshim.ttrpc.Line;
import io.loomshim.ttrpc.SocketDoor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A listening socket that outlives the daemon, as do the connections that it accepts. One thread accepts. */
final class KeptDoor implements Door {
  private final Fd socket;
  private final Slot slot;
  private final Shelf shelf;
  private final CallPages pages;
  private final CallsRecord record;
  private long number; // of the thread that accepts
  private volatile boolean closed;

  /** {@code number}: of the last connection. */
  KeptDoor(Fd socket, Slot slot, Shelf shelf, CallPages pages, CallsRecord record, long number) {
    this.socket = socket;
    this.slot = slot;
    this.shelf = shelf;
    this.pages = pages;
    this.record = record;
    this.number = number;
  }

  /** Listens on {@code path}. */
  static KeptDoor listen(Path path, Shelf shelf, CallPages pages, CallsRecord record) throws IOException {
    Fd socket = SocketDoor.listening(path);
    try {
      Slot slot = shelf.put(Labels.of(Labels.DOOR, path.toString()), List.of(socket));
      return new KeptDoor(socket, slot, shelf, pages, record, 0);
    } catch (RuntimeException | Error e) {
      socket.close();
      throw new IOException("cannot listen on " + path + ": " + e.getMessage(), e);
    }
  }

  /** Where the door listens that left this note. */
  static Path path(byte[] note) {
    return Path.of(new String(note, StandardCharsets.UTF_8).substring(Labels.DOOR.length() + 1));
  }

  @Override
  public Line accept() throws IOException {
    try {
      while (!closed) {
        int accepted = SocketCalls.acceptWaiting(socket);
        if (accepted >= 0) {
          return kept(new Fd(accepted));
        }
        if (accepted == -Errno.EAGAIN) {
          Poller.shared().awaitReadable(socket);
        } else if (accepted != -Errno.EINTR) {
          throw new ErrnoException("accept", -accepted);
        }
      }
      throw new ClosedChannelException();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
  }

  private Line kept(Fd accepted) {
    number++;
    Slot own = shelf.put(KeptLine.note(number), List.of(accepted));
    try {
      return new KeptLine(number, accepted, own, pages, record, List.of(), Optional.empty());
    } catch (RuntimeException | Error e) {
      own.release(); // else the client would see no end
      accepted.close();
      throw e;
    }
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  /** No one can connect any more, whoever else has the socket. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      StreamSocket.shutdown(socket);
      slot.release();
    }
  }
}
