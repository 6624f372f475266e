package io.loomshim.takeover;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.ReceivedBytes;
import io.loomshim.linux.SharedMemory;
import io.loomshim.shelf.Found;
import io.loomshim.shelf.Shelf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Memory that outlives the daemon, a page for each request that has been read and not been answered: so no system call
 * is needed to keep it. The file is on the shelf. A thread has a page only while it has something to keep in it, so few
 * are in use, and those that were used last are used next. May be used from any thread; {@code lock} guards all fields
 * but the last page that was given back.
 */
final class CallPages {
  /** For calls that have begun: a mebibyte. Those beyond stand in the record. */
  static final int LENT_MAX = 256;

  /** For the 8192 connections that a server may have, for these calls, and to spare: 40 MiB of addresses. */
  private static final int PAGES = 10_240;

  /** Its first word is how many pages have ever been in use, with itself. */
  private static final int HEAD = 0;

  private static final int USED = 0;

  private final SharedMemory memory;
  private final ReceivedBytes head;
  private final AtomicReference<CallPage> last = new AtomicReference<>(); // null, or one that waits for the next reader
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<CallPage> spare = new ArrayDeque<>();
  private final Map<Long, List<CallPage>> left = new HashMap<>(); // by connections, until somebody asks
  private int used;
  private int lent;

  private CallPages(SharedMemory memory) {
    this.memory = memory;
    this.head = new ReceivedBytes(memory, HEAD);
    this.used = Math.max(HEAD + 1, (int) head.word(USED));
  }

  /** Those of a first daemon; fails with EMFILE and the like. */
  static CallPages begin(Shelf shelf) throws ErrnoException {
    try (Fd file = SharedMemory.file(PAGES)) {
      var pages = new CallPages(SharedMemory.of(file));
      shelf.put(Labels.of(Labels.CALLS), List.of(file));
      return pages;
    }
  }

  /** Those that an earlier daemon has left, or others if it had none; a descriptor that is used is closed. */
  static CallPages of(Shelf shelf, List<Found> found) throws ErrnoException {
    for (Found thing : found) {
      if (Labels.words(thing.note()).getFirst().equals(Labels.CALLS)) {
        try (Fd file = thing.fds().getFirst()) {
          var pages = new CallPages(SharedMemory.of(file));
          pages.look();
          return pages;
        }
      }
    }
    return begin(shelf);
  }

  private void look() {
    for (int i = HEAD + 1; i < used; i++) {
      var page = new CallPage(memory, i);
      long owner = page.owner();
      if (owner == 0) {
        spare.push(page);
      } else {
        lent += page.call() == 0 ? 0 : 1;
        List<CallPage> its = left.get(owner);
        if (its == null) {
          its = new ArrayList<>(1);
          left.put(owner, its);
        }
        its.add(page);
      }
    }
  }

  /** What an earlier daemon has left of a connection; the caller's from now on. */
  List<CallPage> left(long connection) {
    lock.lock();
    try {
      List<CallPage> its = left.remove(connection);
      return its == null ? List.of() : its;
    } finally {
      lock.unlock();
    }
  }

  /** No other connection goes on: gives up what is left of those. */
  void forgetLeft() {
    lock.lock();
    try {
      for (List<CallPage> its : left.values()) {
        for (CallPage page : its) {
          give(page);
        }
      }
      left.clear();
    } finally {
      lock.unlock();
    }
  }

  /** A page for what is about to be read; {@link #give} must follow. */
  CallPage take(long connection) throws ErrnoException {
    CallPage next = last.getAndSet(null);
    if (next != null) {
      next.own(connection);
      return next;
    }
    lock.lock();
    try {
      CallPage page = spare.poll();
      if (page == null) {
        if (used == memory.pages()) {
          throw new ErrnoException("a page for a request", Errno.ENOMEM);
        }
        page = new CallPage(memory, used);
        used++;
        head.word(USED, used);
      }
      page.own(connection);
      return page;
    } finally {
      lock.unlock();
    }
  }

  /** Has a call begin in {@code page}, whose whole content is its request; false when too many calls have pages. */
  boolean lend(CallPage page, long call) {
    lock.lock();
    try {
      if (lent >= LENT_MAX) {
        return false;
      }
      lent++;
      page.begin(call);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives a page back, whatever is in it. */
  void give(CallPage page) {
    boolean ofCall = page.call() != 0;
    page.free();
    if (!ofCall && last.compareAndSet(null, page)) {
      return;
    }
    lock.lock();
    try {
      lent -= ofCall ? 1 : 0;
      spare.push(page);
    } finally {
      lock.unlock();
    }
  }
}
