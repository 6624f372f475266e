package io.loomshim.ttrpc;

import io.loomshim.linux.Fd;
import io.loomshim.linux.PolledSocket;
import io.loomshim.linux.StreamSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedByInterruptException;

/**
 * What comes and goes on a connected socket. One thread at a time reads and one writes; any thread may close it, which
 * wakes both. Buffers have an array.
 *
 * <p>A thread that waits is parked, and an interrupt then closes the stream and stays set. Of a server, a platform
 * thread waits in the kernel instead: no other thread has to wake it, and an interrupt does not.
 */
final class SocketStream implements ByteChannel {
  private final PolledSocket socket;
  private final boolean inKernel;
  private boolean drained; // of the thread that reads: the last read has not filled its buffer

  /** {@code inKernel}: whether a platform thread waits there; the socket is in blocking mode then. */
  SocketStream(PolledSocket socket, boolean inKernel) {
    this.socket = socket;
    this.inKernel = inKernel;
  }

  /**
   * Reads what there is, and waits while there is nothing; −1 at the end. After a read that has not filled its buffer
   * there is nothing as a rule, so a thread that parks does so at once: what has come meanwhile is told at once, too.
   */
  @Override
  public int read(ByteBuffer into) throws IOException {
    Fd fd = socket.enter();
    try {
      boolean here = waitsHere();
      while (true) {
        if (drained && !here) {
          socket.awaitReadable();
        }
        byte[] array = into.array();
        int count = here ? StreamSocket.receiveHere(fd, array, into.position(), into.remaining())
            : StreamSocket.receive(fd, array, into.position(), into.remaining());
        drained = count > 0 && count < into.remaining();
        if (count > 0) {
          into.position(into.position() + count);
          return count;
        }
        if (count == 0) {
          return -1;
        }
        socket.awaitReadable();
      }
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      socket.leave();
    }
  }

  /** Writes all of it, and waits while there is no room. */
  @Override
  public int write(ByteBuffer from) throws IOException {
    Fd fd = socket.enter();
    try {
      boolean here = waitsHere();
      int length = from.remaining();
      while (from.hasRemaining()) {
        byte[] array = from.array();
        int count = here ? StreamSocket.sendHere(fd, array, from.position(), from.remaining())
            : StreamSocket.send(fd, array, from.position(), from.remaining());
        if (count < 0) {
          socket.awaitWritable();
        } else {
          from.position(from.position() + count);
        }
      }
      return length;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      socket.leave();
    }
  }

  private boolean waitsHere() {
    return inKernel && !Thread.currentThread().isVirtual();
  }

  private ClosedByInterruptException interrupted() {
    close();
    Thread.currentThread().interrupt();
    return new ClosedByInterruptException();
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  @Override
  public void close() {
    socket.close();
  }
}
