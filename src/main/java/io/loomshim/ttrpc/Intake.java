package io.loomshim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.loomshim.errors.Code;
import io.loomshim.log.Log;
import io.loomshim.metrics.Budget;
import io.loomshim.proto.ttrpc.Request;
import java.io.IOException;
import java.util.Optional;

/**
 * Reads the requests of one connection in their order and answers those that cannot be served. Used by the one thread
 * that reads the connection; no lock.
 */
final class Intake {
  /** A client with fewer calls in flight is served even when others use up the memory: a Wait and a few calls. */
  static final int MODEST_CALLS_MAX = 4;

  /** Memory of a call that waits: the stack of its thread (3.2 KB in a Wait) and its request; measured 3.9 KB. */
  static final int CALL_BYTES = 4096;

  private final Shared shared;
  private final long connection;
  private final Calls calls;
  private final FrameReader reader;
  private final FrameWriter writer;
  private long lastId;

  Intake(Shared shared, long connection, Calls calls, FrameReader reader, FrameWriter writer) {
    this.shared = shared;
    this.connection = connection;
    this.calls = calls;
    this.reader = reader;
    this.writer = writer;
  }

  /** Reads until a request can be served; empty at the end of the connection. */
  Optional<Exchange> next() throws IOException {
    while (reader.next()) {
      long id = reader.id();
      if (reader.tooLong()) {
        refuse(id, Code.RESOURCE_EXHAUSTED, Frame.tooLong(reader.length()));
      } else if (reader.crowded()) {
        refuse(id, Code.RESOURCE_EXHAUSTED, "no room for a request of " + reader.length() + " bytes beside others");
      } else if ((id & 1) == 0) {
        refuse(id, Code.INVALID_ARGUMENT, "StreamID must be odd for client initiated streams");
      } else if (reader.type() != Frame.REQUEST) {
        Log.debug("ttrpc: frame ignored", "type", Byte.toString(reader.type()));
      } else if (id <= lastId) {
        refuse(id, Code.INVALID_ARGUMENT, "StreamID cannot be re-used and must increment");
      } else {
        lastId = id;
        Optional<Exchange> exchange = accept(id);
        if (exchange.isPresent() && admitted(exchange.get())) {
          return exchange;
        }
      }
    }
    return Optional.empty();
  }

  /** A call that an earlier server has begun to handle, as {@code redo} goes on with it; on the thread of the call. */
  Optional<Exchange> again(long id, byte[] data, Redo redo) {
    try {
      Request request = Request.parseFrom(data);
      Service service = shared.services().get(request.getService());
      Optional<Method<?>> method = service == null ? Optional.empty() : service.find(request.getMethod());
      if (method.isEmpty()) {
        return Optional.empty();
      }
      MessageLite message = method.get().decode(request.getPayload());
      var call = new Call(method.get().service(), method.get().name(), method.get().kind(), connection, id,
          request.getMetadataList(), request.getTimeoutNano());
      return Optional.of(new Exchange(again(method.get(), redo), call, message));
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty(); // of another build
    }
  }

  private static <Q extends MessageLite> Method<Q> again(Method<Q> method, Redo redo) {
    Handler<Q> handler = (call, request) -> {
      Optional<MessageLite> reply = redo.reply(method.name(), request);
      return reply.isPresent() ? reply.get() : method.handle(call, request);
    };
    return new Method<>(method.service(), method.name(), method.kind(), method.latency(), method.parser(),
        Optional.empty(), handler);
  }

  /** Gives back the memory of the last frame. */
  void release() {
    reader.release();
  }

  /** Decodes the request in the current frame; empty when it has been refused. */
  private Optional<Exchange> accept(long id) throws IOException {
    try {
      Request request = decode();
      Service service = shared.services().get(request.getService());
      if (service == null) {
        return refuse(id, Code.UNIMPLEMENTED, "service " + request.getService());
      }
      Optional<Method<?>> method = service.find(request.getMethod());
      if (method.isEmpty()) {
        return refuse(id, Code.UNIMPLEMENTED, "method " + request.getMethod());
      }
      return accept(id, request, method.get());
    } catch (InvalidProtocolBufferException e) {
      return refuse(id, Code.INVALID_ARGUMENT, "unmarshal request error: " + e.getMessage());
    }
  }

  private Optional<Exchange> accept(long id, Request request, Method<?> method) throws IOException {
    MessageLite message;
    try {
      message = method.decode(request.getPayload());
    } catch (InvalidProtocolBufferException e) {
      return refuse(id, Code.INTERNAL, "ttrpc: error unmarshalling payload: " + e.getMessage());
    }
    var call = new Call(method.service(), method.name(), method.kind(), connection, id, request.getMetadataList(),
        request.getTimeoutNano());
    return Optional.of(new Exchange(method, call, message));
  }

  /** Decodes the envelope; its payload is a view of the reader's memory and must be decoded before the next frame. */
  private Request decode() throws InvalidProtocolBufferException {
    ByteString data = UnsafeByteOperations.unsafeWrap(reader.data(), reader.offset(), (int) reader.length());
    var input = data.newCodedInput();
    input.enableAliasing(true);
    return Request.parser().parseFrom(input);
  }

  /** Takes the memory of a call; false when there is not enough and the call has been refused. */
  private boolean admitted(Exchange exchange) throws IOException {
    if (exchange.call().immediate()) {
      return true; // it is over before the next one is read
    }
    boolean modest = calls.count() < MODEST_CALLS_MAX;
    Budget memory = shared.memory();
    if (modest ? memory.takeModestly(CALL_BYTES) : memory.take(CALL_BYTES)) {
      exchange.memory = CALL_BYTES + reader.hand();
      return true;
    }
    refuse(exchange.call().id(), Code.RESOURCE_EXHAUSTED, "too many calls in flight");
    return false;
  }

  private Optional<Exchange> refuse(long id, Code code, String text) throws IOException {
    writer.write(Frame.error(id, code, text));
    return Optional.empty();
  }
}
