package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.StatusException;

/**
 * Does one call.
 *
 * @param <Q> the request message
 */
@FunctionalInterface
public interface Handler<Q> {
  /**
   * Runs on a virtual thread of its own, for any number of calls at once. The thread is interrupted once when the
   * caller's deadline passes, its connection is closed, or the server closes. No interrupt comes after the handler has
   * returned. It must not hand its thread to anything that interrupts it later.
   *
   * @return the reply
   * @throws Exception becomes an error status: a {@link StatusException} as it is, others by {@link ErrorMapper}
   */
  MessageLite handle(Call call, Q request) throws Exception;
}
