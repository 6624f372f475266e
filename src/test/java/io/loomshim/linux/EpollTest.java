package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What epoll tells is what it was asked for, whatever the layout of its events on this machine. */
@Timeout(20)
final class EpollTest {
  private static final long FIRST = 0x1122334455667788L;
  private static final long SECOND = -2;

  private Epoll epoll;
  private Pipe one;
  private Pipe other;

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open();
    one = Pipe.open();
    other = Pipe.open();
  }

  @AfterEach
  void close() {
    epoll.close();
    one.close();
    other.close();
  }

  private static void write(Pipe pipe) throws Exception {
    pipe.writer().tryWrite(new byte[] {1}, 0, 1);
  }

  /** What the next wait tells, by token. */
  private Map<Long, Integer> told(int max) throws Exception {
    var told = new TreeMap<Long, Integer>();
    try (var events = new Epoll.Events(max)) {
      int count = epoll.await(events);
      for (int i = 0; i < count; i++) {
        told.put(events.token(i), events.kinds(i));
      }
    }
    return told;
  }

  @Test
  void eachEventIsToldWithTheTokenOfItsDescriptor() throws Exception {
    epoll.add(one.reader(), Epoll.READABLE, FIRST);
    epoll.add(other.reader(), Epoll.READABLE, SECOND);
    epoll.add(other.writer(), Epoll.WRITABLE, 3);
    write(one);
    write(other);
    assertEquals(Map.of(FIRST, Epoll.READABLE, SECOND, Epoll.READABLE, 3L, Epoll.WRITABLE), told(8));
    assertEquals(1, told(1).size());
  }

  @Test
  void oneShotIsToldOnceUntilItIsModified() throws Exception {
    epoll.add(one.reader(), Epoll.READABLE | Epoll.ONESHOT, FIRST);
    epoll.add(other.reader(), Epoll.READABLE, SECOND);
    write(one);
    write(other);
    assertEquals(2, told(8).size());
    assertEquals(Map.of(SECOND, Epoll.READABLE), told(8));
    epoll.modify(one.reader(), Epoll.READABLE | Epoll.ONESHOT, 5);
    assertEquals(Map.of(SECOND, Epoll.READABLE, 5L, Epoll.READABLE), told(8));
  }

  @Test
  void theEndOfTheOtherSideIsToldUnasked() throws Exception {
    epoll.add(one.reader(), 0, FIRST);
    one.writer().close();
    assertEquals(Map.of(FIRST, Epoll.HANG_UP), told(8));
  }

  @Test
  void whatHasBeenRemovedIsNotTold() throws Exception {
    epoll.add(one.reader(), Epoll.READABLE, FIRST);
    epoll.add(other.reader(), Epoll.READABLE, SECOND);
    write(one);
    write(other);
    assertEquals(0, epoll.remove(one.reader()));
    assertEquals(-Errno.ENOENT, epoll.remove(one.reader()));
    assertEquals(Map.of(SECOND, Epoll.READABLE), told(8));
  }

  @Test
  void aDescriptorIsAddedOnce() throws Exception {
    epoll.add(one.reader(), Epoll.READABLE, FIRST);
    var e = assertThrows(ErrnoException.class, () -> epoll.add(one.reader(), Epoll.READABLE, SECOND));
    assertEquals("epoll_ctl: file exists", e.getMessage());
  }
}
