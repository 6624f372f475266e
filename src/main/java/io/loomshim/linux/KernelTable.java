package io.loomshim.linux;

import java.util.OptionalLong;

/**
 * A table in the kernel from an int to a long (bpf(2), BPF_MAP_TYPE_HASH), which programs in the kernel read and write
 * too. It is there for as long as a process has its descriptor, or a program that uses it is attached to something.
 * None of the methods blocks. May be used from any thread.
 *
 * @param fd its descriptor, which this owns
 */
public record KernelTable(Fd fd) implements AutoCloseable {
  // bpf(2)
  private static final int MAP_CREATE = 0;
  private static final int MAP_LOOKUP_ELEM = 1;
  private static final int MAP_UPDATE_ELEM = 2;
  private static final int MAP_DELETE_ELEM = 3;
  private static final int TYPE_HASH = 1;
  private static final int NO_PREALLOC = 1; // memory for entries that there are

  // union bpf_attr: u32 type, key size, value size, entries, flags
  private static final int CREATE_BYTES = 20;
  // u32 descriptor, u64 address of the key, u64 of the value, u64 flags
  private static final int ENTRY_BYTES = 32;
  private static final int ENTRY_KEY = 8;
  private static final int ENTRY_VALUE = 16;

  /**
   * Makes an empty one, whose buckets take 16 bytes for each entry that it may have.
   *
   * @param entriesMax a power of two
   * @throws ErrnoException ENOSYS or EPERM for a kernel that has no such tables, or does not let this process have one
   */
  public static KernelTable make(int entriesMax) throws ErrnoException {
    try (var arena = new Arena(CREATE_BYTES)) {
      long attr = arena.bytes(CREATE_BYTES);
      int[] words = {TYPE_HASH, Integer.BYTES, Long.BYTES, entriesMax, NO_PREALLOC};
      for (int i = 0; i < words.length; i++) {
        Native.MEMORY.putInt(attr + (long) i * Integer.BYTES, words[i]);
      }
      return new KernelTable(new Fd(ErrnoException.check("bpf map", Bpf.call(MAP_CREATE, attr, CREATE_BYTES))));
    }
  }

  /**
   * Sets what {@code key} stands for.
   *
   * @throws ErrnoException E2BIG when the table is full, ENOMEM
   */
  public void put(int key, long value) throws ErrnoException {
    ErrnoException.check("bpf update", entry(MAP_UPDATE_ELEM, key, new long[] {value}));
  }

  /** What {@code key} stands for, if that is in the table. */
  public OptionalLong get(int key) throws ErrnoException {
    var value = new long[1];
    int result = entry(MAP_LOOKUP_ELEM, key, value);
    if (result == -Errno.ENOENT) {
      return OptionalLong.empty();
    }
    ErrnoException.check("bpf lookup", result);
    return OptionalLong.of(value[0]);
  }

  /** Takes {@code key} out, if it is there. */
  public void remove(int key) throws ErrnoException {
    int result = entry(MAP_DELETE_ELEM, key, new long[0]);
    ErrnoException.check("bpf delete", result == -Errno.ENOENT ? 0 : result);
  }

  /** {@code value}: of one element, which goes and comes; of none for a command that must not have it. */
  private int entry(int command, int key, long[] value) {
    try (var arena = new Arena(ENTRY_BYTES + 64L)) {
      long keyAt = arena.bytes(Integer.BYTES);
      long valueAt = arena.bytes(Long.BYTES);
      long attr = arena.bytes(ENTRY_BYTES);
      Native.MEMORY.putInt(keyAt, key);
      Native.MEMORY.putInt(attr, fd.number());
      Native.MEMORY.putLong(attr + ENTRY_KEY, keyAt);
      if (value.length == 0) {
        return Bpf.call(command, attr, ENTRY_BYTES);
      }
      Native.MEMORY.putLong(valueAt, value[0]);
      Native.MEMORY.putLong(attr + ENTRY_VALUE, valueAt);
      int result = Bpf.call(command, attr, ENTRY_BYTES);
      value[0] = Native.MEMORY.getLong(valueAt);
      return result;
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
