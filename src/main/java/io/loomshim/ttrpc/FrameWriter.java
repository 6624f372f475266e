package io.loomshim.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes frames to a channel, one at a time under a lock. Each takes one write, a frame of more than
 * {@link Frame#CHUNK_BYTES} several. The calling thread must not be interrupted meanwhile, because that closes the
 * channel.
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
