package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import java.util.Optional;

/**
 * Answers a request whose handler may have to wait, as long as it need not.
 *
 * @param <Q> the request message
 */
@FunctionalInterface
public interface Attempt<Q> {
  /**
   * Answers, or leaves the request as it was to the {@link Handler}. Runs on the thread that reads the connection,
   * which reads on afterwards; so it never waits.
   *
   * @return the reply; empty when the handler must run
   * @throws Exception as a handler
   */
  Optional<? extends MessageLite> answer(Call call, Q request) throws Exception;
}
