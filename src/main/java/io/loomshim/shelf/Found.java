package io.loomshim.shelf;

import io.loomshim.linux.Fd;
import java.util.List;

/**
 * What an earlier daemon has left on a shelf.
 *
 * @param slot where it is, and stays until it is released
 * @param note what it is, as that daemon has said
 * @param fds the descriptors, which are the caller's
 */
public record Found(Slot slot, byte[] note, List<Fd> fds) {}
