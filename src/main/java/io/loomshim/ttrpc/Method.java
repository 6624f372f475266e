package io.loomshim.ttrpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

/**
 * One method of a {@link Service}. Immutable.
 *
 * @param immediate whether the handler never waits
 */
record Method<Q extends MessageLite>(
    String service, String name, boolean immediate, Parser<Q> parser, Handler<Q> handler) {

  /** Decodes a request; the result shares no memory with {@code payload}. */
  Q decode(ByteString payload) throws InvalidProtocolBufferException {
    return parser.parseFrom(payload);
  }

  /** Runs the handler with what {@link #decode} returned. */
  MessageLite handle(Call call, MessageLite request) throws Exception {
    @SuppressWarnings("unchecked") // call.request() was made by decode() of this very method
    Q own = (Q) request;
    return handler.handle(call, own);
  }
}
