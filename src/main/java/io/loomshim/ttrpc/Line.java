package io.loomshim.ttrpc;

import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.util.List;
import java.util.Optional;

/**
 * One connection that a server has accepted. One thread at a time reads it and one at a time writes; any thread may
 * close it, which wakes the reader.
 *
 * <p>A line may outlive its server. It is told of each request that has been read and is to be handled, so that the
 * next server can go on with it. An ordinary line keeps nothing.
 */
public interface Line extends ByteChannel {
  /**
   * A call that an earlier server has not answered.
   *
   * @param id its stream id
   * @param request the data of the frame, a Request
   * @param reply the frame of the reply that was about to be written, whether it was or not; empty before that
   */
  record Pending(long id, byte[] request, byte[] reply) {}

  /** Who the peer is, if it must not be served: only the effective user and group of this process are. */
  Optional<String> stranger() throws IOException;

  /** Its number, counted from 1. */
  long number();

  /**
   * Whether the request that was read last is still in the connection, so that another server would read it again; for
   * the thread that has read it, before {@link #begun}.
   */
  default boolean keeps() {
    return false;
  }

  /**
   * The request that was read last is about to be handled: from now on it is no longer in the connection.
   *
   * @param endless whether its call may wait without a limit
   */
  default void begun(long id, boolean endless) {}

  /** The call has been handled, and {@code reply} is about to be written. */
  default void replying(long id, byte[] reply) {}

  /** The reply has been written, or is not wanted. */
  default void answered(long id) {}

  /** Whether there is something to read now, as far as that is known. */
  default boolean asks() {
    return false;
  }

  /** The calls of an earlier server, in their order; to be asked for before anything is read. */
  default List<Pending> pending() {
    return List.of();
  }
}
