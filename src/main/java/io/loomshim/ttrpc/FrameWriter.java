package io.loomshim.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Puts frames onto a channel, one at a time under a lock, each in one write of at most
 * {@link Frame#CHUNK_BYTES} (a larger one in several). The calling thread must not be
 * interrupted meanwhile: the JDK would close the channel.
 */
final class FrameWriter {
  private final WritableByteChannel channel;
  private final ReentrantLock lock = new ReentrantLock();

  FrameWriter(WritableByteChannel channel) {
    this.channel = channel;
  }

  /** Writes one frame and returns when the kernel has all of it. */
  void write(byte[] frame) throws IOException {
    var from = ByteBuffer.wrap(frame);
    lock.lock();
    try {
      while (from.position() < frame.length) {
        from.limit(Math.min(frame.length, from.position() + Frame.CHUNK_BYTES));
        channel.write(from);
      }
    } finally {
      lock.unlock();
    }
  }
}
