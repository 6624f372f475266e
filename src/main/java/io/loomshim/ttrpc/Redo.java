package io.loomshim.ttrpc;

import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.util.Optional;

/** What becomes of calls that an earlier server had begun to handle when it was killed. From any thread. */
public interface Redo {
  /** What a client is told when it is not known whether its call has been done. */
  String IN_DOUBT = "the shim was killed while it handled this call, and was taken over: it may have been done or not";

  /** Knows of none what has been done. */
  Redo NOTHING = new Redo() {
    @Override
    public Optional<MessageLite> reply(String method, MessageLite request) {
      throw inDoubt();
    }
  };

  /** For a call of which it is not known whether it has been done. */
  static StatusException inDoubt() {
    return new StatusException(Code.UNAVAILABLE, IN_DOUBT);
  }

  /**
   * The reply to a call that has been done; nothing for one that is to be handled as if it had come now, because its
   * handler changes nothing or goes on where it was.
   *
   * @param method its bare name
   * @param request its message
   * @throws Exception becomes the error; {@link #inDoubt} when it is not known what has been done
   */
  Optional<MessageLite> reply(String method, MessageLite request) throws Exception;
}
