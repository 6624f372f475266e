package io.loomshim.record;

import java.util.Arrays;

/** A record in memory, in the bytes that the file would have: for tests that walk through many daemons. */
public final class MemoryRecord implements Journal {
  private byte[] bytes;
  private boolean changed;

  public MemoryRecord() {
    this(Format.header());
  }

  private MemoryRecord(byte[] bytes) {
    this.bytes = bytes;
  }

  /** What is left of it: the same bytes, in a record of their own. */
  public MemoryRecord copy() {
    return new MemoryRecord(bytes);
  }

  @Override
  public void write(Change... changes) {
    byte[] entry = Format.entry(changes);
    int end = bytes.length;
    bytes = Arrays.copyOf(bytes, end + entry.length);
    System.arraycopy(entry, 0, bytes, end, entry.length);
    changed = true;
  }

  /** Reads it, as the next daemon does. */
  public State state() throws UnreadableException {
    changed = false;
    return RecordFile.read("record", bytes, bytes.length).state();
  }

  /** Leaves out what is dead, as a compaction does. */
  public void compact() throws UnreadableException {
    bytes = Record.content(state());
  }

  /** Whether something has been written since it was read. */
  public boolean changed() {
    return changed;
  }
}
