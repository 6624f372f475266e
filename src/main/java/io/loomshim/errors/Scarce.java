package io.loomshim.errors;

/** An exception that knows whether something had run out, so that the same may succeed later. */
public interface Scarce {
  /** Whether there was no descriptor, memory, space or process left. */
  boolean scarce();
}
