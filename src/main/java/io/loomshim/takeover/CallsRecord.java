package io.loomshim.takeover;

import com.google.protobuf.ByteString;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Kinds;
import io.loomshim.record.State;
import io.loomshim.ttrpc.Line;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Calls in flight that have no page, in the record: what was asked from before the handler begins, and the reply from
 * before it is written until it has been. May be used from any thread.
 */
final class CallsRecord {
  /** Key {@code CONNECTION/ID}: the data of the request's frame; empty for one that was too long to be kept. */
  static final int CALL = Kinds.OTHERS_FREE;

  /** Key {@code CONNECTION/ID}: the frame of the reply that is being written. */
  static final int REPLY = CALL + 1;

  /**
   * The empty key and an empty value: requests are also in pages, as {@link CallPage} has them. A build that does not
   * know that refuses such a record; pages of another layout would need another kind.
   */
  static final int PAGES = CALL + 2;

  /** All kinds of values of this room. */
  static final Set<Integer> KINDS = Set.of(CALL, REPLY, PAGES);

  private static final int DECIMAL = 10;

  private final Journal journal;

  CallsRecord(Journal journal) {
    this.journal = journal;
  }

  /** There are pages. */
  void paged() {
    journal.write(Change.put(PAGES, "", ByteString.EMPTY));
  }

  void begun(long connection, long id, ByteBuffer data) {
    journal.write(Change.put(CALL, key(connection, id), ByteString.copyFrom(data)));
  }

  void replying(long connection, long id, byte[] reply) {
    journal.write(Change.put(REPLY, key(connection, id), ByteString.copyFrom(reply)));
  }

  /** The same for a call that was not in the record until now. */
  void replying(long connection, long id, byte[] data, byte[] reply) {
    String key = key(connection, id);
    journal.write(Change.put(CALL, key, ByteString.copyFrom(data)), Change.put(REPLY, key, ByteString.copyFrom(reply)));
  }

  void answered(long connection, long id) {
    forget(key(connection, id));
  }

  private void forget(String key) {
    journal.write(Change.remove(CALL, key), Change.remove(REPLY, key));
  }

  /**
   * Forgets the calls in {@code state} on connections that are not {@code open}: a daemon may be killed between the end
   * of one and that of its calls. The number of such a connection may be another one's later, which must not be taken
   * for it.
   */
  void forgetOthers(State state, Set<Long> open) {
    for (int kind : new int[] {CALL, REPLY}) {
      for (String key : state.all(kind).keySet()) {
        if (!open.contains(connection(key))) {
          forget(key);
        }
      }
    }
  }

  private static String key(long connection, long id) {
    return connection + "/" + id;
  }

  private static Long connection(String key) {
    return Long.valueOf(key.substring(0, key.indexOf('/')));
  }

  /** The calls that {@code state} has, by their connections, each in the order of their ids. */
  static Map<Long, List<Line.Pending>> pending(State state) {
    var pending = new HashMap<Long, List<Line.Pending>>();
    for (var call : state.all(CALL).entrySet()) {
      int slash = call.getKey().indexOf('/');
      Long connection = connection(call.getKey());
      long id = Long.parseLong(call.getKey(), slash + 1, call.getKey().length(), DECIMAL);
      byte[] reply = state.get(REPLY, call.getKey()).orElse(ByteString.EMPTY).toByteArray();
      List<Line.Pending> its = pending.get(connection);
      if (its == null) {
        its = new ArrayList<>(1);
        pending.put(connection, its);
      }
      its.add(new Line.Pending(id, call.getValue().toByteArray(), reply));
    }
    for (List<Line.Pending> its : pending.values()) {
      if (its.size() > 1) {
        its.sort(Comparator.comparingLong(Line.Pending::id));
      }
    }
    return pending;
  }
}
