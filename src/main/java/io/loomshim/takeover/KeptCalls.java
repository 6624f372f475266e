package io.loomshim.takeover;

import io.loomshim.ttrpc.Frame;
import io.loomshim.ttrpc.Line;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The calls in flight of one connection, each in a page of its own or in the record. May be used from any thread;
 * {@code lock} guards the map, and the pages in it.
 */
final class KeptCalls {
  private final long connection;
  private final CallPages pages;
  private final CallsRecord record;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, Optional<CallPage>> calls = new HashMap<>(); // by ids; empty: in the record

  KeptCalls(long connection, CallPages pages, CallsRecord record) {
    this.connection = connection;
    this.pages = pages;
    this.record = record;
  }

  /**
   * Goes on with those of an earlier daemon, before any other method.
   *
   * @param recorded those in the record
   * @param left pages of calls; they are this object's from now on
   * @return all of them, in the order of their ids
   */
  List<Line.Pending> resume(List<Line.Pending> recorded, List<CallPage> left) {
    var pending = new ArrayList<>(recorded);
    for (Line.Pending call : recorded) {
      calls.put(call.id(), Optional.empty());
    }
    for (CallPage page : left) {
      if (calls.containsKey(page.call())) {
        pages.give(page); // its reply was too long for it
      } else {
        calls.put(page.call(), Optional.of(page));
        int at = 0;
        while (at < pending.size() && pending.get(at).id() < page.call()) {
          at++;
        }
        pending.add(at, new Line.Pending(page.call(), data(page), page.reply()));
      }
    }
    return pending;
  }

  private static byte[] data(CallPage page) {
    var data = new byte[page.count() - Frame.HEADER_BYTES];
    page.get(Frame.HEADER_BYTES, data, 0, data.length);
    return data;
  }

  /** Their ids. */
  Set<Long> ids() {
    lock.lock();
    try {
      return Set.copyOf(calls.keySet());
    } finally {
      lock.unlock();
    }
  }

  /** A call has begun in {@code page}, which is this object's from now on. */
  void begun(long id, CallPage page) {
    lock.lock();
    try {
      calls.put(id, Optional.of(page));
    } finally {
      lock.unlock();
    }
  }

  /** The same for one that has no page: {@code data} is that of its frame. */
  void begun(long id, ByteBuffer data) {
    lock.lock();
    try {
      calls.put(id, Optional.empty());
      record.begun(connection, id, data);
    } finally {
      lock.unlock();
    }
  }

  /** A reply is about to be written. */
  void replying(long id, byte[] reply) {
    lock.lock();
    try {
      Optional<CallPage> page = calls.get(id);
      if (page == null) {
        return; // the connection is closed
      }
      if (page.isEmpty()) {
        record.replying(connection, id, reply);
      } else if (!page.get().replying(reply)) {
        record.replying(connection, id, data(page.get()), reply);
        calls.put(id, Optional.empty());
        pages.give(page.get());
      }
    } finally {
      lock.unlock();
    }
  }

  /** It has been written, or is not wanted. */
  void answered(long id) {
    lock.lock();
    try {
      Optional<CallPage> page = calls.remove(id);
      if (page == null) {
        return;
      }
      if (page.isEmpty()) {
        record.answered(connection, id);
      } else {
        pages.give(page.get());
      }
    } finally {
      lock.unlock();
    }
  }
}
