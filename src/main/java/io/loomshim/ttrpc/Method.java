package io.loomshim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.metrics.Latency;
import java.util.Optional;

/**
 * One method of a {@link Service}. Immutable but for {@code latency}, which any thread may add to.
 *
 * @param kind what its handler may do
 * @param latency how long its calls took, from the arrival of the request until the handler had ended
 * @param attempt comes before the handler, on the thread that reads the connection
 */
record Method<Q extends MessageLite>(String service, String name, Kind kind, Latency latency, Parser<Q> parser,
    Optional<Attempt<Q>> attempt, Handler<Q> handler) {
  /** Decodes a request; the result shares no memory with {@code payload}. */
  Q decode(ByteString payload) throws InvalidProtocolBufferException {
    return parser.parseFrom(payload);
  }

  /** Has the attempt answer a request, if there is one; empty when the handler must. */
  Optional<? extends MessageLite> attempt(Call call, MessageLite request) throws Exception {
    if (attempt.isEmpty()) {
      return Optional.empty();
    }
    @SuppressWarnings("unchecked") // as below
    Q own = (Q) request;
    return attempt.get().answer(call, own);
  }

  /** Runs the handler with what {@link #decode} returned. */
  MessageLite handle(Call call, MessageLite request) throws Exception {
    @SuppressWarnings("unchecked") // request was made by decode() of this very method
    Q own = (Q) request;
    return handler.handle(call, own);
  }
}
