package io.loomshim.task;

import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.ttrpc.Line;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which containers a daemon was starting when it was killed, by the calls that it had not answered. Stateless. */
public final class BegunStarts {
  private static final String METHOD = "Start";

  private BegunStarts() {}

  /** The ids of the containers whose init was being started on {@code lines}. */
  public static Set<String> of(List<Line> lines) {
    var ids = new TreeSet<String>();
    for (Line line : lines) {
      for (Line.Pending call : line.pending()) {
        if (call.reply().length == 0) {
          add(call.request(), ids);
        }
      }
    }
    return ids;
  }

  private static void add(byte[] data, Set<String> ids) {
    try {
      Request request = Request.parseFrom(data);
      if (request.getMethod().equals(METHOD)) {
        StartRequest start = StartRequest.parseFrom(request.getPayload());
        if (start.getExecId().isEmpty()) {
          ids.add(start.getId());
        }
      }
    } catch (InvalidProtocolBufferException e) {
      // of another build; its client is told that it is not known
    }
  }
}
