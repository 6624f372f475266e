package io.loomshim.record;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A record in memory, in the bytes that the file would have: for tests that walk through many daemons. */
public final class MemoryRecord implements Journal {
  private byte[] bytes;
  private State state; // what the bytes amount to; never changed, as copies share it
  private boolean changed;

  public MemoryRecord() {
    this(Format.header(), new State());
  }

  private MemoryRecord(byte[] bytes, State state) {
    this.bytes = bytes;
    this.state = state;
  }

  /** What is left of it: the same bytes, in a record of their own. */
  public MemoryRecord copy() {
    return new MemoryRecord(bytes, state);
  }

  @Override
  public void write(Change... changes) {
    byte[] entry = Format.entry(changes);
    int end = bytes.length;
    bytes = Arrays.copyOf(bytes, end + entry.length);
    System.arraycopy(entry, 0, bytes, end, entry.length);
    var next = new State();
    next.apply(state.changes());
    next.apply(Format.changes(ByteBuffer.wrap(entry, Format.HEAD_BYTES, entry.length - Format.HEAD_BYTES)));
    state = next;
    changed = true;
  }

  /** What it amounts to by now: each entry is decoded once, when it is written. */
  public State state() {
    changed = false;
    return state;
  }

  /** The file that a compaction leaves. */
  static byte[] content(State state) throws IOException {
    var content = new ByteArrayOutputStream();
    Format.write(state, content);
    return content.toByteArray();
  }

  /** Reads it, as the next daemon does, and leaves out what is dead, as a compaction does. */
  public void compact() throws IOException {
    State whole = RecordFile.read("record", new ByteArrayInputStream(bytes)).state();
    if (!whole.equals(state)) {
      throw new AssertionError("the file says " + whole + ", its entries one by one " + state);
    }
    bytes = content(whole);
    state = whole;
  }

  /** Whether something has been written since it was read. */
  public boolean changed() {
    return changed;
  }
}
