package io.loomshim.linux;

/**
 * Pages of memory that outlive this process for as long as any process has their file (memfd_create(2), mmap(2) with
 * MAP_SHARED). A page that was never used is zeros, and takes memory from its first use on. All of it stays mapped
 * until the end of this process, so no thread can ever hit other memory. Immutable; what is in it is for its users to
 * order.
 */
public final class SharedMemory {
  /** Bytes of a page; those of the kernel are as large or larger. */
  static final int PAGE_BYTES = 4096;

  // mmap(2), lseek(2)
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 1;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int SEEK_END = 2;

  private static final long MMAP = Native.function("mmap64");
  private static final long LSEEK = Native.function("lseek64");

  private final long address;
  private final int pages;

  private SharedMemory(long address, int pages) {
    this.address = address;
    this.pages = pages;
  }

  /** An empty file for {@code pages} of memory; fails with EMFILE and the like. */
  public static Fd file(int pages) throws ErrnoException {
    Fd file = MemoryFile.unlimited();
    try {
      file.truncate((long) pages * PAGE_BYTES);
      return file;
    } catch (ErrnoException e) {
      file.close();
      throw e;
    }
  }

  /**
   * The memory of {@code file}, which need not stay open in this process.
   *
   * @throws ErrnoException ENOMEM at a limit of addresses
   */
  public static SharedMemory of(Fd file) throws ErrnoException {
    int pages = (int) (Native.callLong(LSEEK, file.number(), 0, SEEK_END) / PAGE_BYTES);
    long bytes = (long) pages * PAGE_BYTES;
    long result = Native.callLong(MMAP, 0, bytes, PROT_READ_WRITE, MAP_SHARED | MAP_NORESERVE, file.number(), 0);
    if (result < 0) {
      throw new ErrnoException("mmap", (int) -result);
    }
    return new SharedMemory(result, pages);
  }

  /** How many there are. */
  public int pages() {
    return pages;
  }

  /** Where a page begins. */
  long address(int page) {
    if (page < 0 || page >= pages) {
      throw new IndexOutOfBoundsException(page);
    }
    return address + (long) page * PAGE_BYTES;
  }
}
