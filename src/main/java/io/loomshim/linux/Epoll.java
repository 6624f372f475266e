package io.loomshim.linux;

/**
 * Tells which of many descriptors have something to read or room to write (epoll(7)). Any thread may add and remove,
 * and several may wait at once: each event is told to one of them.
 */
public final class Epoll implements AutoCloseable {
  // epoll_ctl(2): what is waited for and told, and how
  public static final int READABLE = 1;
  public static final int WRITABLE = 4;

  /** Told whether it is waited for or not. */
  public static final int ERROR = 8;

  /** The other side has gone; told whether it is waited for or not. */
  public static final int HANG_UP = 16;

  /** Nothing more is told of the descriptor after the first event, until {@link #modify}. */
  public static final int ONESHOT = 1 << 30;

  /** A change is told once, and not again for as long as it lasts. */
  public static final int EDGE = 1 << 31;

  private static final int EPOLL_CLOEXEC = 02000000; // epoll_create(2)
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int MODIFY = 3;
  private static final int WITHOUT_TIMEOUT = -1;

  // struct epoll_event: u32 events, u64 data; packed on x86_64 only (sys/epoll.h)
  private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
  private static final int EVENT_BYTES = PACKED ? 12 : 16;
  private static final int DATA_OFFSET = PACKED ? 4 : 8;

  private static final long EPOLL_CREATE1 = Native.function("epoll_create1");
  private static final long EPOLL_CTL = Native.function("epoll_ctl");
  private static final long EPOLL_WAIT = Native.function("epoll_wait");

  /** Native memory for what {@link #await} tells; belongs to the thread that waits, which closes it. */
  public static final class Events implements AutoCloseable {
    private final int max;
    private final Arena arena;
    private final long address;

    /** Room for {@code max} events; more simply come with the next wait. */
    public Events(int max) {
      this.max = max;
      arena = new Arena((long) max * EVENT_BYTES);
      address = arena.bytes((long) max * EVENT_BYTES);
    }

    /** The number that the descriptor of event {@code i} was added with. */
    public long token(int i) {
      return Native.MEMORY.getLong(address + (long) i * EVENT_BYTES + DATA_OFFSET);
    }

    /** What has happened to it: {@link #READABLE} and the like. */
    public int kinds(int i) {
      return Native.MEMORY.getInt(address + (long) i * EVENT_BYTES);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  private final Fd epoll;
  private final SpareMemory memory = new SpareMemory(EVENT_BYTES);

  private Epoll(Fd epoll) {
    this.epoll = epoll;
  }

  /** An instance without descriptors; fails with EMFILE or ENFILE when there are none left. */
  public static Epoll open() throws ErrnoException {
    return new Epoll(new Fd(ErrnoException.check("epoll_create1", Native.callInt(EPOLL_CREATE1, EPOLL_CLOEXEC))));
  }

  /**
   * Begins to wait for {@code events} of {@code fd}, which are told with {@code token}.
   *
   * @throws ErrnoException EEXIST when it has been added, ENOSPC at the user's limit, ENOMEM
   */
  public void add(Fd fd, int events, long token) throws ErrnoException {
    control(ADD, fd, events, token);
  }

  /** Waits for {@code events} of {@code fd}, which has been added, from now on. */
  public void modify(Fd fd, int events, long token) throws ErrnoException {
    control(MODIFY, fd, events, token);
  }

  /**
   * Waits for {@code events} of {@code fd} from now on, whether it has been added or not. Two threads may do so at
   * once; then it is one or the other.
   */
  public void set(Fd fd, int events, long token) throws ErrnoException {
    long event = memory.take();
    try {
      fill(event, events, token);
      int result = control(MODIFY, fd, event);
      if (result == -Errno.ENOENT) {
        result = control(ADD, fd, event);
      }
      if (result == -Errno.EEXIST) {
        result = control(MODIFY, fd, event); // the other one was quicker
      }
      ErrnoException.check("epoll_ctl", result);
    } finally {
      memory.give(event);
    }
  }

  /**
   * Waits for nothing of {@code fd} any more. A child may have the same file open for a moment, so a close does not see
   * to it.
   *
   * @return 0, or a negative error number: ENOENT when it has not been added
   */
  public int remove(Fd fd) {
    return Native.callInt(EPOLL_CTL, epoll.number(), DELETE, fd.number(), 0);
  }

  private void control(int operation, Fd fd, int events, long token) throws ErrnoException {
    long event = memory.take();
    try {
      fill(event, events, token);
      ErrnoException.check("epoll_ctl", control(operation, fd, event));
    } finally {
      memory.give(event);
    }
  }

  private int control(int operation, Fd fd, long event) {
    return Native.callInt(EPOLL_CTL, epoll.number(), operation, fd.number(), event);
  }

  private static void fill(long event, int events, long token) {
    Native.MEMORY.putInt(event, events);
    Native.MEMORY.putLong(event + DATA_OFFSET, token);
  }

  /**
   * Waits without a limit, in the kernel: only on a platform thread.
   *
   * @return how many events there are in {@code events} now; 0 when a signal came first
   */
  public int await(Events events) throws ErrnoException {
    return collect(events, WITHOUT_TIMEOUT);
  }

  /** Like {@link #await}, without waiting: 0 when there is no event now. */
  public int poll(Events events) throws ErrnoException {
    return collect(events, 0);
  }

  private int collect(Events events, int milliseconds) throws ErrnoException {
    int count = Native.callInt(EPOLL_WAIT, epoll.number(), events.address, events.max, milliseconds);
    return count == -Errno.EINTR ? 0 : ErrnoException.check("epoll_wait", count);
  }

  @Override
  public void close() {
    epoll.close();
    memory.drop();
  }
}
